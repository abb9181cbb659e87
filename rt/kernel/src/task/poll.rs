//! One run of a task: what happens between taking it from a queue and putting it down.
//!
//! Steps
//! 1. The word says that this thread polls (TSK-10). The entry of a completed task, and a stale
//!    one, is dropped.
//! 2. What must end without a poll ends: a created task with a cancel, or without a poll in its
//!    budget, never starts (VAL-20); one whose cleanup budget is used up is escalated (CAN-23).
//! 3. The future is polled once. A panic ends here (TSK-21).
//! 4. Pending: the budget is looked at, so that exhaustion is seen at this boundary (VAL-19), and
//!    the word decides whether the task goes back to a queue.
//! 5. Ready: `end` takes over.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::thread;

use asr_base::{BudgetComponent, Error, Outcome};

use super::end::{self, End, InCell, Place};
use super::polled;
use super::record::{Task, Tier};
use super::reference::TaskRef;
use super::waker;
use super::word::{AfterPoll, Phase, Snapshot};
use crate::actor;
use crate::cancel;
use crate::event;
use crate::inject::{self, Point};
use crate::obligation;
use crate::sync;

/// Runs a task that came out of a queue, whose reference this is.
pub(crate) fn run(task: TaskRef) {
    run_with(task, &mut InCell);
}

/// The same for a future that lives elsewhere: the body of a region.
pub(crate) fn run_with(task: TaskRef, place: &mut dyn Place) {
    // Without a poll in its budget it is asked to cancel before it would start.
    let starts = task.polls_left.load(Relaxed) != 0;
    let Some(snapshot) = task.word.begin_poll(starts) else {
        return;
    };
    task.queued.leaves();
    let stay = actor::enter(task.kernel(), Some(&task));
    if snapshot.phase() == Phase::Finalizing {
        // The body has ended, and its budget with it: each finalizer has one of its own.
        end::go_on(task);
        return;
    }
    if let Some(end) = ends_without_poll(&task, snapshot) {
        end::body_ended(task, end, place);
        return;
    }
    let watched = snapshot.is_watched();
    let before =
        watched.then(|| catch_unwind(AssertUnwindSafe(|| inject::at(&task, Point::BeforePoll))));
    match before {
        Some(Ok(true)) => {
            put_down(task);
            return;
        }
        Some(Err(payload)) => {
            end::body_ended(task, End::Panicked(payload), place);
            return;
        }
        Some(Ok(false)) | None => {}
    }
    if snapshot.phase() == Phase::Cancelling {
        obligation::cancelled(true);
    }
    if stay.is_some()
        && let Some(side) = task.side()
        && let Some(rare) = side.lock().rare_mut()
    {
        rare.waits_for.clear();
    }
    task.coop.store(0, Relaxed);
    let waker = waker::borrowed(&task);
    let mut context = Context::from_waker(&waker);
    debug_assert_eq!(sync::held(), 0, "SCH-19: a lock is held as a poll begins");
    let polled = catch_unwind(AssertUnwindSafe(|| {
        // Inside: a sink that panics is a panic of this poll, not a task that is never put down.
        event::polled(&task);
        task.begins_turn();
        polled::begins(&task);
        let polled = place.poll(&task, &mut context);
        if watched {
            inject::at(&task, Point::AfterPoll);
        }
        polled
    }));
    polled::ended();
    debug_assert_eq!(sync::held(), 0, "SCH-19: a lock is held as a poll ends");
    put_away(task, polled, place);
}

/// The first poll of a body whose word says that it is polled and runs (`Word::renew_polled`): no
/// cancel came before it, it has a poll in its budget, and nobody watches.
pub(crate) fn go_on_polled(task: TaskRef, place: &mut dyn Place) {
    count_poll(&task);
    let waker = waker::borrowed(&task);
    let mut context = Context::from_waker(&waker);
    debug_assert_eq!(sync::held(), 0, "SCH-19: a lock is held as a poll begins");
    let polled = catch_unwind(AssertUnwindSafe(|| {
        task.begins_turn();
        polled::begins(&task);
        place.poll(&task, &mut context)
    }));
    polled::ended();
    debug_assert_eq!(sync::held(), 0, "SCH-19: a lock is held as a poll ends");
    put_away(task, polled, place);
}

/// Steps 3 to 5, after the poll.
#[inline]
fn put_away(
    task: TaskRef,
    polled: thread::Result<Poll<Outcome<(), Error>>>,
    place: &mut dyn Place,
) {
    // A panic may have left a mask open; it was lexical.
    task.masks.store(0, Relaxed);
    match polled {
        Ok(Poll::Pending) => put_down(task),
        Ok(Poll::Ready(Outcome::Ok(()))) => {
            if let Err(task) = place.end_alone(task) {
                end::body_ended(task, End::Returned(Outcome::Ok(())), place);
            }
        }
        Ok(Poll::Ready(outcome)) => end::body_ended(task, End::Returned(outcome), place),
        Err(payload) => end::body_ended(task, End::Panicked(payload), place),
    }
}

/// Step 2. Also counts the poll.
fn ends_without_poll(task: &Task, snapshot: Snapshot) -> Option<End> {
    if snapshot.escalated() {
        return Some(End::Escalated);
    }
    if snapshot.phase() == Phase::Created {
        if task.polls_left.load(Relaxed) == 0 {
            cancel::exhausted(task, BudgetComponent::Polls);
            return Some(End::Unstarted);
        }
        if snapshot.cancel_pending() {
            return Some(End::Unstarted);
        }
        event::started(task);
    }
    if !snapshot.cancel_pending() {
        count_poll(task);
        return None;
    }
    (!cancel::count_cleanup_poll(task)).then_some(End::Escalated)
}

fn count_poll(task: &Task) {
    // Only the holder of the poll writes the count, so load and store need not be one step.
    let left = task.polls_left.load(Relaxed);
    if left != u32::MAX {
        task.polls_left.store(left.saturating_sub(1), Relaxed);
    }
}

/// Step 4.
pub(crate) fn put_down(task: TaskRef) {
    let snapshot = task.word.load();
    if snapshot.phase() == Phase::Finalizing {
        // No budget of the body counts any more.
    } else if snapshot.cancel_pending() {
        obligation::cancelled(false);
        if task.tier() != Tier::Finalizer {
            cancel::arm_cleanup(&task);
        }
    } else if task.polls_left.load(Relaxed) == 0 {
        cancel::exhausted(&task, BudgetComponent::Polls);
    }
    match task.word.end_poll() {
        // It dropped the reference.
        AfterPoll::Idle => drop(task.into_raw()),
        // Who runs tasks holds the kernel, or the region of a scope.
        AfterPoll::Enqueue => waker::enqueue(task, snapshot.is_fiber()),
    }
}
