//! One task is asked to cancel.

use std::sync::atomic::Ordering::Relaxed;

use asr_base::{Budget, CancelKind, CancelReason, CancelRequest, Origin};

use crate::event;
use crate::kernel::Kernel;
use crate::task::cell::contained;
use crate::task::word::Requested;
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

/// A request with the cleanup budget of its kind (VAL-15), counted from now.
pub(crate) fn request(kernel: &Kernel, reason: CancelReason) -> CancelRequest {
    let cleanup = super::cleanup(kernel, reason.kind());
    let cleanup = Budget {
        deadline: kernel.now().saturating_add(cleanup.duration),
        polls: cleanup.polls,
        ..Budget::UNLIMITED
    };
    CancelRequest { reason, cleanup }
}

/// Asks a task; a task that is waiting becomes runnable, in the cancel lane.
pub(crate) fn request_task(task: &TaskRef, asked: impl Into<Asked>) {
    let wanted = ask(task, asked.into());
    if task.word.load().phase() != Phase::Created {
        // Now, not at its next boundary: it may be stuck in the poll before that (CAN-24).
        super::arm_cleanup(task);
    }
    if wanted {
        if task.word.load().is_notified() {
            task.kernel().promote(task);
        } else {
            waker::wake_task(task);
        }
        let wakers = task
            .side()
            .and_then(|side| Some(std::mem::take(&mut side.lock().rare_mut()?.cancel_wakers)));
        for (_, waker) in wakers.into_iter().flatten() {
            // Anybody's code: the others are woken, and asked, all the same.
            contained(|| waker.wake());
        }
    }
}

/// Asks a task that is about to be queued for the first time.
pub(crate) fn request_unqueued(task: &TaskRef, asked: Asked) {
    let _ = ask(task, asked);
}

/// True if this is the first request.
fn ask(task: &Task, asked: Asked) -> bool {
    let Asked { request, cause } = asked;
    debug_assert!(task.tier() != Tier::Finalizer, "finalizers are masked");
    let side = task.side_or_new();
    let mut inner = side.lock();
    // Under the lock, so that a late request leaves nothing behind.
    if task.word.load().phase() == Phase::Completed {
        drop(inner);
        event::cancel_late(task, &request.reason);
        return false;
    }
    let merged = match &inner.cancel {
        Some(pending) => pending.merge(&request),
        None => request,
    };
    let changed = inner.cancel.as_ref() != Some(&merged);
    if !changed {
        drop(inner);
        task.kernel().stats().repeated_cancels.add(1);
        return false;
    }
    let first = inner.cancel.is_none();
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
    let reason = merged.reason.clone();
    inner.cancel = Some(merged);
    let stale = inner.timer.take();
    drop(inner);
    if let Some(timer) = stale {
        // The deadline of the budget, which the cleanup budget replaces (CAN-29), or a later end of
        // the cleanup; `request_task` arms the one that holds now.
        task.kernel().timer_cancel(timer);
    }
    let number = event::cancel_requested(task, &reason, cause);
    if number != 0 {
        side.lock().asked = number;
    }
    match task.word.request_cancel() {
        Requested::First(_) => true,
        Requested::Again => {
            // The stronger request may end the cleanup earlier: let the poll boundary see to it.
            !first && task.masks.load(Relaxed) == 0
        }
        Requested::Late => false,
    }
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
    let reason = CancelReason::new(CancelKind::User, origin, kernel.now()).with_message("aborted");
    request_task(task, request(kernel, reason));
}

/// The reason of the pending cancel. A task that ends cancelled without one says so itself.
pub(crate) fn reason(task: &Task) -> CancelReason {
    task.side()
        .and_then(|side| side.reason())
        .unwrap_or_else(|| {
            let origin = Origin::Task(task.id());
            CancelReason::new(CancelKind::User, origin, task.kernel().now())
                .with_message("the task ended itself as cancelled")
        })
}
