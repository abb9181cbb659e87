//! Cleanup budgets and escalation (CAN-22 to CAN-24, CAN-29).
//!
//! Most cancelled tasks end long before their cleanup budget does. So there is one timer for all of
//! them, at the earliest end; when it fires, those whose time has come are found by a walk over the
//! tasks. A storm of cancels arms one timer.
//!
//! Invariants
//! 1. `counted` of a side record is set once per task, with its first request or after it, and
//!    taken once, when it is complete: both under the lock of the record, which who sets it holds
//!    while it sees that the task is not. `Cleanups::pending` is the number of those that are set.
//! 2. While one is set, a timer is armed at the end of its budget or before, or the walk of one
//!    that fired is still to come to it, or who asked the task is still to look (`ends`).
//! 3. When none is set, no timer is armed: an idle runtime sleeps (SCH-23), and virtual time does
//!    not go where nothing waits.

use asr_base::{CancelRequest, Time, TimerId};

use crate::event;
use crate::kernel::Kernel;
use crate::kernel::timers::Target;
use crate::sync::atomic::{AtomicU64, Ordering::*, fence};
use crate::sync::{Mutex, lock, rank};
use crate::task::side::Side;
use crate::task::{Phase, Task, TaskRef, waker};

/// Where the timer is armed: the kernel, or a model of it.
#[doc(hidden)]
pub trait Alarm {
    /// Arms one; `None` if nothing is armed any more.
    fn arm(&self, at: Time) -> Option<TimerId>;
    /// Disarms it, if it has not fired.
    fn disarm(&self, timer: TimerId);
}

impl Alarm for Kernel {
    fn arm(&self, at: Time) -> Option<TimerId> {
        self.timer_set(at, Target::Cleanups).ok()
    }

    fn disarm(&self, timer: TimerId) {
        self.timer_cancel(timer);
    }
}

/// The timer of all cleanups of a kernel.
#[doc(hidden)]
pub struct Cleanups {
    pending: AtomicU64,
    /// For when the timer is armed, in nanoseconds; `u64::MAX` is not at all.
    armed: AtomicU64,
    timer: Mutex<Option<TimerId>, rank::Cleanup>,
}

impl Default for Cleanups {
    fn default() -> Cleanups {
        Cleanups::new()
    }
}

impl Cleanups {
    /// Nobody cleans up.
    pub fn new() -> Cleanups {
        Cleanups {
            pending: AtomicU64::new(0),
            armed: AtomicU64::new(u64::MAX),
            timer: Mutex::new(None),
        }
    }

    /// One more task cleans up.
    ///
    /// SeqCst: this counts, then looks at `armed`, and [`forget`](Cleanups::forget) takes `armed`,
    /// then looks at the count. One of them is later and sees the other.
    pub fn count(&self) {
        self.pending.fetch_add(1, SeqCst);
    }

    /// A budget ends at `at`: the timer is armed for then, or before.
    pub fn ends(&self, alarm: &impl Alarm, at: Time) {
        fence(SeqCst);
        if at.as_nanos() >= self.armed.load(SeqCst) {
            return;
        }
        // Set before the lock, because it calls the driver.
        let Some(fresh) = alarm.arm(at) else {
            return;
        };
        let mut timer = lock(&self.timer);
        let other = if at.as_nanos() < self.armed.load(SeqCst) {
            self.armed.store(at.as_nanos(), SeqCst);
            timer.replace(fresh)
        } else {
            Some(fresh)
        };
        drop(timer);
        if let Some(other) = other {
            alarm.disarm(other);
        }
        // Those that it was for may have ended before it was there.
        if self.pending.load(SeqCst) == 0 {
            self.retire(alarm);
        }
    }

    /// A timer for then, or before, seems to be armed: whoever relies on that asks
    /// [`ends`](Cleanups::ends) afterwards, before the tasks that it asked can wait for it.
    pub(crate) fn seem_armed(&self, at: Time) -> bool {
        // Relaxed: see above.
        self.armed.load(Relaxed) <= at.as_nanos()
    }

    /// A task has ended. The last one takes the timer along.
    pub fn forget(&self, alarm: &impl Alarm) {
        if self.pending.fetch_sub(1, SeqCst) == 1 {
            self.retire(alarm);
        }
    }

    /// Takes the timer away if nobody cleans up.
    fn retire(&self, alarm: &impl Alarm) {
        let mut timer = lock(&self.timer);
        let armed = self.armed.swap(u64::MAX, SeqCst);
        if self.pending.load(SeqCst) != 0 {
            // Somebody was counted meanwhile, and may have relied on it.
            self.armed.fetch_min(armed, SeqCst);
            return;
        }
        let gone = timer.take();
        drop(timer);
        if let Some(gone) = gone {
            alarm.disarm(gone);
        }
    }

    /// A timer fired: if it is the one that is armed, nobody relies on it any more. Another may
    /// have taken its place while it was on its way.
    pub fn fired(&self, id: TimerId) {
        let mut timer = lock(&self.timer);
        if *timer == Some(id) {
            *timer = None;
            self.armed.store(u64::MAX, SeqCst);
        }
        drop(timer);
        // The walk that follows reads words and side records of tasks that may be counted now. Who
        // counts stores them, then reads `armed`, with a fence between too.
        fence(SeqCst);
    }
}

/// The timer of [`Cleanups`] fired.
pub(crate) fn cleanups_end(kernel: &Kernel, id: TimerId, now: Time) {
    kernel.cleanups().fired(id);
    let mut next = Time::MAX;
    for task in kernel.cancelled_tasks() {
        let Some(side) = task.side() else { continue };
        let inner = side.lock();
        let ends = match &inner.cancel {
            Some(request) if inner.counted && !inner.overdue => request.cleanup.deadline,
            _ => continue,
        };
        drop(inner);
        if task.word.load().escalated() {
            continue;
        }
        if ends <= now {
            cleanup_ended(&task);
        } else {
            next = next.min(ends);
        }
    }
    if next != Time::MAX {
        kernel.cleanups().ends(kernel, next);
    }
}

/// A task was asked, or its poll ended pending after that: the end of its cleanup budget is kept in
/// view.
pub(crate) fn arm_cleanup(task: &TaskRef) {
    let kernel = task.kernel();
    let side = task.side_or_new();
    let mut inner = side.lock();
    let Some(request) = &inner.cancel else { return };
    if task.word.load().phase() >= Phase::Finalizing {
        return;
    }
    let deadline = request.cleanup.deadline;
    let out_of_polls = inner.cleanup_left == 0;
    let said = inner.overdue;
    let first = !inner.counted && deadline != Time::MAX;
    if first {
        inner.counted = true;
        kernel.cleanups().count();
    }
    drop(inner);
    let bounded = task.region().escalation().is_bounded();
    if out_of_polls && !bounded {
        overdue(task);
    } else if out_of_polls {
        // The next boundary is now: nothing else need wake it.
        task.word.escalate();
        waker::wake_task(task);
    } else if !said && deadline != Time::MAX {
        kernel.cleanups().ends(kernel, deadline);
    }
}

/// Counts one poll of cleanup. False if the budget is used up and the mode acts (CAN-22).
pub(crate) fn count_cleanup_poll(task: &Task) -> bool {
    let Some(side) = task.side() else { return true };
    let kernel = task.kernel();
    let mut inner = side.lock();
    let unspent = inner.cancel.as_ref().is_some_and(|request| {
        inner.cleanup_left == request.cleanup.polls
            && request.reason.at() < request.cleanup.deadline
    });
    let mut over = inner.cleanup_left == 0;
    // The first poll may do without the clock: should the budget have ended by now, its timer will
    // find the task. Who reads of stuck polls is told when each began.
    if !unspent || kernel.trace().on() {
        drop(inner);
        let now = kernel.now();
        inner = side.lock();
        let ended = |request: &CancelRequest| request.cleanup.deadline <= now;
        over |= inner.cancel.as_ref().is_some_and(ended);
        inner.cleanup_poll = now;
    }
    inner.cleanup_left = inner.cleanup_left.saturating_sub(1);
    drop(inner);
    if !over || task.word.load().phase() == Phase::Created {
        return true;
    }
    if task.region().escalation().is_bounded() {
        return false;
    }
    overdue(task);
    true
}

/// Soft: it is said once that the cleanup outlasts its budget.
fn overdue(task: &Task) {
    if !std::mem::replace(&mut task.side_or_new().lock().overdue, true) {
        event::cancel_overdue(task);
    }
}

/// The time of a cleanup budget ended. A task inside a poll is not dropped: its next boundary is
/// (CAN-24).
pub(crate) fn cleanup_ended(task: &TaskRef) {
    let snapshot = task.word.load();
    if snapshot.phase() >= Phase::Finalizing {
        return;
    }
    if snapshot.is_polling() {
        event::stuck_in_poll(task);
    }
    if !task.region().escalation().is_bounded() {
        overdue(task);
        return;
    }
    task.word.escalate();
    waker::wake_task(task);
}

/// The task is about to complete: its timer goes, and its cleanup need not be watched.
#[inline]
pub(crate) fn disarm(task: &Task) {
    if let Some(side) = task.side() {
        disarm_in(task, side);
    }
}

fn disarm_in(task: &Task, side: &Side) {
    let mut inner = side.lock();
    let timer = inner.timer.take();
    let counted = std::mem::take(&mut inner.counted);
    drop(inner);
    let kernel = task.kernel();
    if let Some(timer) = timer {
        kernel.timer_cancel(timer);
    }
    if counted {
        kernel.cleanups().forget(kernel);
    }
}
