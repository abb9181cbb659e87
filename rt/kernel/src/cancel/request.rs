//! A task is asked to cancel, or one of many.

use std::sync::atomic::Ordering::Relaxed;

use asr_base::{Budget, CancelKind, CancelReason, CancelRequest, Origin, Time};

use crate::compiled::poller;
use crate::driver::Runnable;
use crate::event;
use crate::kernel::Kernel;
use crate::task::cell::contained;
use crate::task::word::{Requested, Wake};
use crate::task::{Phase, Task, TaskRef, Tier, waker};

/// A request on its way, and the number of the event of the one that it follows from (CAN-28).
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) request: CancelRequest,
    pub(crate) cause: u64,
}

impl From<CancelRequest> for Asked {
    /// A request that follows from no other.
    fn from(request: CancelRequest) -> Asked {
        Asked { request, cause: 0 }
    }
}

impl Asked {
    /// Both as one; the cause goes with the reason that prevails.
    pub(crate) fn after(self, pending: Option<&Asked>) -> Asked {
        let Some(pending) = pending else { return self };
        let request = pending.request.merge(&self.request);
        let kept = request.reason == pending.request.reason;
        Asked {
            cause: if kept { pending.cause } else { self.cause },
            request,
        }
    }
}

/// A request with the cleanup budget of its kind (VAL-15), counted from the time of the reason.
pub(crate) fn request(kernel: &Kernel, reason: CancelReason) -> CancelRequest {
    let cleanup = super::cleanup(kernel, reason.kind());
    let cleanup = Budget {
        deadline: reason.at().saturating_add(cleanup.duration),
        polls: cleanup.polls,
        ..Budget::UNLIMITED
    };
    CancelRequest { reason, cleanup }
}

/// Asks a task; a task that is waiting becomes runnable, in the cancel lane.
pub(crate) fn request_task(task: &TaskRef, asked: impl Into<Asked>) {
    let mut owed = Owed::new(task.kernel());
    if owed.ask(task, asked.into()) {
        owed.wake_now(task);
    }
}

/// How many are queued together at most.
const TOGETHER: usize = 64;

/// What is done once for many tasks that are asked: they are queued together.
pub(crate) struct Owed<'k> {
    kernel: &'k Kernel,
    /// Runnable, in order.
    tasks: Vec<Runnable>,
    /// The earliest end of a cleanup budget for which a timer is armed already, it seems.
    ends: Time,
}

impl<'k> Owed<'k> {
    /// Nothing.
    pub(crate) fn new(kernel: &'k Kernel) -> Owed<'k> {
        Owed {
            kernel,
            tasks: Vec::new(),
            ends: Time::MAX,
        }
    }

    /// Asks one of many.
    pub(crate) fn request(&mut self, task: TaskRef, asked: Asked) {
        if !self.ask(&task, asked) {
            return;
        }
        let word = task.word.load();
        if word.is_notified() || word.is_awaited() || word.is_fiber() {
            // What this queues comes after what was woken before.
            self.settle();
            self.wake_now(&task);
        } else if task.word.wake_counted() == Wake::Enqueue {
            event::wake(&task);
            self.tasks.push(self.kernel.runnable(task));
            if self.tasks.len() >= TOGETHER {
                self.settle();
            }
        }
    }

    /// Sees to its cleanup as well. True if it is to be woken.
    fn ask(&mut self, task: &TaskRef, asked: Asked) -> bool {
        let (wanted, watch) = ask(task, asked);
        match watch {
            // Now, not at its next boundary: it may be stuck in the poll before that (CAN-24).
            Watch::Look if task.word.load().phase() != Phase::Created => super::arm_cleanup(task),
            Watch::Ends(at) if self.kernel.cleanups().seem_armed(at) => {
                self.ends = self.ends.min(at);
            }
            Watch::Ends(at) => self.kernel.cleanups().ends(self.kernel, at),
            Watch::Look => {}
        }
        wanted
    }

    fn wake_now(&self, task: &TaskRef) {
        let word = task.word.load();
        if word.is_notified() {
            self.kernel.promote(task);
        } else {
            waker::wake_task(task);
        }
        if !word.is_awaited() {
            return;
        }
        let wakers = task
            .side()
            .and_then(|side| Some(std::mem::take(&mut side.lock().rare_mut()?.cancel_wakers)));
        for (_, waker) in wakers.into_iter().flatten() {
            // Anybody's code: the others are woken, and asked, all the same.
            contained(|| waker.wake());
        }
    }

    /// Sees to the timer of those that were asked, and queues them.
    pub(crate) fn settle(&mut self) {
        if self.ends != Time::MAX {
            self.kernel.cleanups().ends(self.kernel, self.ends);
            self.ends = Time::MAX;
        }
        if !self.tasks.is_empty() {
            self.kernel.enqueue_all(&mut self.tasks);
        }
    }
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        self.settle();
    }
}

/// Asks a task that is about to be queued for the first time.
pub(crate) fn request_unqueued(task: &TaskRef, asked: Asked) {
    let _ = ask(task, asked);
}

/// What is left to do to keep a cleanup in view.
enum Watch {
    /// All.
    Look,
    /// It was counted: its budget ends then.
    Ends(Time),
}

/// True if this is the first request, or a stronger one that its next boundary is to see.
fn ask(task: &Task, asked: Asked) -> (bool, Watch) {
    let Asked { request, cause } = asked;
    debug_assert!(task.tier() != Tier::Finalizer, "finalizers are masked");
    let kernel = task.kernel();
    let side = task.side_or_new();
    let mut inner = side.lock();
    // Under the lock, so that a late request leaves nothing behind.
    let phase = task.word.load().phase();
    if phase == Phase::Completed {
        drop(inner);
        event::cancel_late(task, &request.reason);
        return (false, Watch::Look);
    }
    let first = inner.cancel.is_none();
    let merged = match &inner.cancel {
        Some(pending) => pending.merge(&request),
        None => request,
    };
    if inner.cancel.as_ref() == Some(&merged) {
        drop(inner);
        kernel.stats().repeated_cancels.add(1);
        return (false, Watch::Look);
    }
    let before = inner.cancel.as_ref().map(|pending| &pending.reason);
    let cause = if before == Some(&merged.reason) {
        inner.asked
    } else {
        cause
    };
    inner.cleanup_left = if first {
        merged.cleanup.polls
    } else {
        inner.cleanup_left.min(merged.cleanup.polls)
    };
    let rank = merged.reason.kind().rank();
    let reason = kernel.trace().on().then(|| merged.reason.clone());
    let ends = merged.cleanup.deadline;
    // As `arm_cleanup` does it, without taking the lock again.
    let runs = Phase::Running <= phase && phase < Phase::Finalizing;
    let watch = if first && runs && inner.cleanup_left > 0 && ends != Time::MAX {
        kernel.cleanups().count();
        inner.counted = true;
        Watch::Ends(ends)
    } else {
        Watch::Look
    };
    let displaced = inner.cancel.replace(merged);
    let stale = inner.timer.take();
    drop(inner);
    drop(displaced);
    if let Some(timer) = stale {
        // The deadline of the budget, which the cleanup budget replaces (CAN-29), or a later end of
        // the cleanup; `request_task` arms the one that holds now.
        kernel.timer_cancel(timer);
    }
    if let Some(reason) = reason {
        let number = event::cancel_requested(task, &reason, cause);
        if number != 0 {
            side.lock().asked = number;
        }
    }
    let wanted = match task.word.request_cancel(rank) {
        Requested::First(_) => {
            poller::cancel_asked(task);
            true
        }
        Requested::Again => {
            // The stronger request may end the cleanup earlier: let the poll boundary see to it.
            !first && task.masks.load(Relaxed) == 0
        }
        Requested::Late => false,
    };
    (wanted, watch)
}

/// `abort` of a handle (TSK-20), by a task if one is known.
pub(crate) fn abort(task: &TaskRef, by: Option<&Task>) {
    if task.word.load().phase() == Phase::Completed {
        event::cancel_late_by_handle(task);
        return;
    }
    let kernel = task.kernel();
    let owner = Origin::Region(task.region().id());
    let origin = by.map_or(owner, |by| Origin::Task(by.id()));
    let reason = CancelReason::new(CancelKind::User, origin, kernel.now()).with_literal("aborted");
    request_task(task, request(kernel, reason));
}

/// The reason of the pending cancel. A task that ends cancelled without one says so itself.
pub(crate) fn reason(task: &Task) -> CancelReason {
    task.side()
        .and_then(|side| side.reason())
        .unwrap_or_else(|| {
            let origin = Origin::Task(task.id());
            CancelReason::new(CancelKind::User, origin, task.kernel().now())
                .with_literal("the task ended itself as cancelled")
        })
}
