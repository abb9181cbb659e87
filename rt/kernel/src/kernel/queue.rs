//! What becomes runnable goes to the driver.

use super::Kernel;
use crate::driver::Runnable;
use crate::task::TaskRef;

impl Kernel {
    /// Queues a task that is no fiber: a scope polls those.
    pub(crate) fn enqueue_task(&self, task: TaskRef) {
        self.driver.enqueue(self.runnable(task));
    }

    /// The entry of a queue for it.
    pub(crate) fn runnable(&self, task: TaskRef) -> Runnable {
        task.queued.enters();
        Runnable(task)
    }

    /// Queues tasks together, in order.
    pub(crate) fn enqueue_all(&self, tasks: &mut Vec<Runnable>) {
        self.driver.enqueue_all(tasks);
    }

    pub(crate) fn promote(&self, task: &TaskRef) {
        if !task.word.load().is_fiber() && task.queued.promote() {
            self.driver.promote(task.id());
        }
    }
}
