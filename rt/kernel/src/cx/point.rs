//! Cancel points of leaf futures, cooperation, yielding.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use asr_base::{Interrupted, RegionId, TaskId, Time};

use super::Home;
use crate::cancel;
use crate::futurelock::Contended;
use crate::obligation::Kind;
use crate::region::RegionRef;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
use crate::task::{Task, TaskRef, polled};

/// Makes a leaf future a cancel point. In its poll it calls [`check`](Waiter::check) first, so that
/// a pending cancel is preferred (CAN-14), and [`park`](Waiter::park) before it returns pending.
#[derive(Debug)]
pub struct Waiter<'c> {
    task: &'c TaskRef,
    key: Option<u64>,
}

impl<'c> Waiter<'c> {
    #[inline]
    pub(crate) fn new(task: &'c TaskRef) -> Waiter<'c> {
        Waiter { task, key: None }
    }

    /// The cancel point.
    ///
    /// # Errors
    /// `Interrupted` if an unmasked cancel is pending.
    #[inline]
    pub fn check(&self) -> Result<(), Interrupted> {
        cancel::checkpoint(self.task)
    }

    /// Sees to it that a cancel wakes `context` also when that is not the task's own waker.
    ///
    /// # Errors
    /// `Interrupted` if a cancel came before it was registered.
    ///
    /// # Panics
    /// In the poll of another task, with `BAD_ARGUMENT` in its message: a cancel of that one would
    /// not be heard. Wait with the context that its closure was given.
    #[inline]
    pub fn park(&mut self, context: &mut Context<'_>) -> Result<(), Interrupted> {
        self.listen(context);
        if self.key.is_some() {
            polled::expect(self.task);
            self.check()
        } else {
            Ok(())
        }
    }

    /// The same for what is no cancel point, and may be polled by anybody.
    #[inline]
    pub(crate) fn listen(&mut self, context: &mut Context<'_>) {
        self.key = cancel::on_cancel(self.task, self.key, context.waker());
    }

    /// Says what the task waits for, so that a deadlock can be explained; forgotten at its next
    /// poll, and nothing at all while no events are written.
    pub fn waits_for(&self, resource: asr_trace::Resource) {
        self.task.wait_for(resource);
    }

    /// The same of something that has no name of its own: `slot` keeps the number that it gets from
    /// the kernel the first time that somebody waits for it while events are written.
    #[inline]
    pub fn waits_on(&self, slot: &AtomicU64, what: impl FnOnce(u64) -> asr_trace::Resource) {
        if self.task.kernel().trace().on() {
            self.task.wait_for(what(self.task.kernel().number(slot)));
        }
    }

    /// The same of who holds it, by the mark of a token.
    pub fn waits_for_holder(&self, mark: usize) {
        let kernel = self.task.kernel();
        if kernel.trace().on()
            && let Some(holder) = kernel.marked(mark)
        {
            self.task.wait_for(asr_trace::Resource::Task(holder.id()));
        }
    }

    /// What is made of a resource for the search for futurelocks (OBL-19), if this runtime has one:
    /// `slot` keeps its number.
    #[cold]
    pub fn contended(
        &self,
        kind: Kind,
        slot: &AtomicU64,
        what: impl FnOnce(u64) -> asr_trace::Resource,
    ) -> Option<Arc<Contended>> {
        let kernel = self.task.kernel();
        let futurelocks = kernel.futurelocks()?;
        Some(futurelocks.contended(kind, what(kernel.number(slot))))
    }

    /// The search looks at resources that somebody waits for, of which this is one.
    pub fn arm_futurelocks(&self) {
        let kernel = self.task.kernel();
        if let Some(futurelocks) = kernel.futurelocks() {
            futurelocks.arm(kernel);
        }
    }

    /// The driver's time, to measure waits with.
    pub fn now(&self) -> Time {
        self.task.kernel().now()
    }

    /// Counts an operation that completed without waiting; pending once the task has done
    /// `coop_budget` of them in one poll (TSK-23).
    #[inline]
    pub fn coop(&self, context: &mut Context<'_>) -> Poll<()> {
        coop(self.task, context)
    }

    /// The task.
    pub fn task_id(&self) -> TaskId {
        self.task.id()
    }

    /// The region of the task.
    pub fn region_id(&self) -> RegionId {
        self.task.region_id()
    }

    /// The region of the task, as the home of what lives on its own.
    pub fn home(&self) -> Home {
        Home::new(RegionRef::of(self.task.region()))
    }

    pub(crate) fn task(&self) -> &'c TaskRef {
        self.task
    }
}

impl Drop for Waiter<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(key) = self.key {
            cancel::off_cancel(self.task, key);
        }
    }
}

/// TSK-23.
#[inline]
pub(crate) fn coop(task: &Task, context: &mut Context<'_>) -> Poll<()> {
    // Only the task itself counts, so load and store need not be one step.
    let done = task.coop.load(Relaxed);
    // One operation a poll at least: with none, a task would never get on.
    if done >= task.kernel().config().coop_budget.max(1) {
        // Operations with the context of a task that is not polled would never go on.
        polled::expect(task);
        context.waker().wake_by_ref();
        return Poll::Pending;
    }
    task.coop.store(done + 1, Relaxed);
    Poll::Ready(())
}

/// Future of [`Cx::yield_now`](crate::Cx::yield_now).
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct YieldNow<'c> {
    task: &'c TaskRef,
    yielded: bool,
}

impl<'c> YieldNow<'c> {
    pub(crate) fn new(task: &'c TaskRef) -> YieldNow<'c> {
        YieldNow {
            task,
            yielded: false,
        }
    }
}

impl Future for YieldNow<'_> {
    type Output = Result<(), Interrupted>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Err(interrupted) = cancel::checkpoint(self.task) {
            return Poll::Ready(Err(interrupted));
        }
        if self.yielded {
            return Poll::Ready(Ok(()));
        }
        if !std::ptr::eq(context.waker().data().cast(), &raw const **self.task) {
            polled::expect(self.task);
        }
        self.yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
