//! A kernel that the threads of a model drive.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::sync::Arc as StdArc;

use asr_base::{Outcome, TaskId, Time};
use asr_kernel::{Config, Driver, JoinHandle, Kernel, Runnable};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// A driver whose queue any thread serves.
struct Pool(Arc<Mutex<Vec<Runnable>>>);

impl Driver for Pool {
    fn now(&self) -> Time {
        Time::ZERO
    }
    fn enqueue(&self, task: Runnable) {
        self.0.lock().unwrap().push(task);
    }
    fn promote(&self, _: TaskId) {}
    fn entropy(&self, _: TaskId, call: u64) -> u64 {
        call
    }
    fn timer_armed(&self, _: Time) {}
    fn root_closed(&self) {}
}

#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) kernel: StdArc<Kernel>,
    queue: Arc<Mutex<Vec<Runnable>>>,
}

impl Model {
    pub(crate) fn new() -> Model {
        Model::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Model {
        let queue = Arc::new(Mutex::new(Vec::new()));
        Model {
            kernel: Kernel::new(Box::new(Pool(queue.clone())), config),
            queue,
        }
    }

    /// Runs one queued task. False if there is none.
    pub(crate) fn run_one(&self) -> bool {
        let next = self.queue.lock().unwrap().pop();
        next.is_some_and(|task| {
            self.kernel.run(task);
            true
        })
    }

    pub(crate) fn drain(&self) {
        while self.run_one() {}
    }

    /// Closes the root. Whoever still owns a record keeps the kernel, and loom reports the leak.
    pub(crate) fn finish(self) {
        self.kernel.root().begin_close();
        self.drain();
        assert!(self.kernel.is_closed());
    }
}

/// Words of stack: a kernel is moved over it once, and loom's own threads have room for 4096.
const STACK: usize = 0x1_0000;

pub(crate) fn spawn<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> thread::JoinHandle<T> {
    let builder = thread::Builder::new().stack_size(STACK);
    builder.spawn(run).expect("a thread of the model")
}

pub(crate) fn model(check: fn()) {
    model_within(3, check);
}

/// More preemptions add no interleaving of two or three critical steps, and cost hours.
pub(crate) fn model_within(preemptions: usize, check: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 100_000;
    builder.check(move || spawn(check).join().unwrap());
}

pub(crate) fn outcome<T>(handle: JoinHandle<T>) -> Outcome<T> {
    match handle.try_join() {
        Ok(outcome) => outcome,
        Err(handle) => panic!("{handle:?} is not complete"),
    }
}
