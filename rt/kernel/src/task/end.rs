//! From the end of a body to the published outcome.
//!
//! Order (TSK-9): the future is dropped; finalizers of the task run; tokens it still holds are
//! resolved (OBL-10); the outcome is stored and the word says `Completed`; then the region and the
//! joiner hear of it, once each.
//!
//! Protocol of a finalizer that somebody with a context of the task registers while it ends. It is
//! put on the stack, then marked in the word; the end takes the mark away, then looks at the stack,
//! and `Completed` is entered only without a mark. Mark and `Completed` are modifications of one
//! word: if the mark comes first, the end looks once more; if it is the later, whoever registers
//! takes the finalizer back, unless the last look found it.
#![allow(unsafe_code, reason = "settles the cell of the task it holds")]

use std::any::Any;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use asr_base::{CancelReason, Error, Outcome, PanicKind, PanicPayload, combine};

use super::record::{Task, Tier};
use super::reference::TaskRef;
use super::word::{Phase, Snapshot};
use super::{cell, join, poll, polled, waker};
use crate::region::finalizer::{self, Finalizer, Step};
use crate::region::{Escalation, abandon, close};
use crate::{cancel, compiled, deadline, event, obligation};
pub(crate) use cell::contained;

/// How a body ended.
pub(crate) enum End {
    /// It returned; the output is in the cell.
    Returned(Outcome<(), Error>),
    /// It panicked.
    Panicked(Box<dyn Any + Send>),
    /// A cancel came before the first poll: the body never ran (VAL-20, CAN-5).
    Unstarted,
    /// The cleanup budget ended (CAN-23).
    Escalated,
    /// The scope that polls it was dropped (TSK-2, REG-36).
    ScopeDropped,
    /// The kernel was given up.
    Abandoned,
}

/// Where the future of a task lies: its cell, or the frame of a scope.
pub(crate) trait Place {
    /// Polls it once; ready: it was dropped. A panic comes through.
    fn poll(&mut self, task: &Task, context: &mut Context<'_>) -> Poll<Outcome<(), Error>>;
    /// The poll gave Ok. Ends the task at once, where nobody else knows of it; else it comes back.
    fn end_alone(&mut self, task: TaskRef) -> Result<(), TaskRef> {
        Err(task)
    }
    /// Drops future and value; what a handle gets is `outcome`, which is not Ok.
    fn settle(&mut self, task: &Task, outcome: &Outcome<(), Error>);
}

/// The cell of a task.
pub(crate) struct InCell;

impl Place for InCell {
    fn poll(&mut self, task: &Task, context: &mut Context<'_>) -> Poll<Outcome<(), Error>> {
        let cell = task.cell().expect("a task that is run has a cell");
        // SAFETY: `poll::run_with` calls this only while it holds the poll.
        unsafe { cell::poll(cell, context) }
    }

    fn settle(&mut self, task: &Task, outcome: &Outcome<(), Error>) {
        let Some(cell) = task.cell() else { return };
        if task.word.load().handle_gone() {
            // Nobody will look at it.
            // SAFETY: called only by who holds the poll.
            unsafe { cell::empty(cell) };
        } else {
            // SAFETY: as above.
            unsafe { cell::settle(cell, outcome.clone()) };
        }
    }
}

/// The body ended. The caller holds the poll; its reference comes with `task`.
pub(crate) fn body_ended(task: TaskRef, end: End, place: &mut dyn Place) {
    let returned = matches!(end, End::Returned(_));
    let panicked = matches!(end, End::Panicked(_));
    if !returned {
        task.word.set_unwinding();
    }
    let before = task.word.load();
    if before.cancel_pending() {
        obligation::cancelled(false);
    }
    let outcome = decide(&task, before, end);
    if !returned || !outcome.is_ok() {
        if before.phase() >= Phase::Cancelling {
            task.word.set_unwinding();
        }
        if panicked {
            obligation::after_panic(|| place.settle(&task, &outcome));
        } else if task.word.load().unwinding() {
            obligation::unwound(|| place.settle(&task, &outcome));
        } else {
            place.settle(&task, &outcome);
        }
    }
    finalize(task, outcome);
}

/// Runs finalizers of the task, if there are any, and completes it.
fn finalize(task: TaskRef, outcome: Outcome<(), Error>) {
    if has_finalizers(&task) {
        task.word.finalize();
        let side = task.side_or_new();
        side.lock().rare_or_new().ended = Some(outcome);
        go_on(task);
    } else {
        complete(task, outcome);
    }
}

/// Registers a finalizer of the task. It comes back if the task has completed.
pub(crate) fn defer(task: &Task, finalizer: Finalizer) -> Result<(), Finalizer> {
    if task.word.load().phase() == Phase::Completed {
        return Err(finalizer);
    }
    let side = task.side_or_new();
    let number = side.lock().rare_or_new().finalizers.push(finalizer);
    if task.word.defer().phase() == Phase::Completed {
        let taken = side.lock().rare_or_new().finalizers.take_back(number);
        if let Some(finalizer) = taken {
            return Err(finalizer);
        }
    }
    event::finalizer_registered(task.region(), Some(task), number);
    Ok(())
}

/// Ends a task between polls without running any of it; a task that is complete is left alone
/// (`Kernel::abandon`).
pub(crate) fn abandoned(task: TaskRef, place: &mut dyn Place) {
    if task.word.load().phase() == Phase::Completed {
        return;
    }
    // A queued reference, if there is one, finds the task complete.
    task.word.seize();
    if let Some(side) = task.side() {
        let mut inner = side.lock();
        let left = inner.rare_mut().map(|rare| {
            (
                std::mem::take(&mut rare.finalizers),
                rare.runner.take(),
                rare.ended.take(),
            )
        });
        drop(inner);
        contained(|| drop(left));
    }
    body_ended(task, End::Abandoned, place);
}

/// TSK-6 and the table of TSK-5: what the outcome is, by how far the cancel had come.
fn decide(task: &Task, before: Snapshot, end: End) -> Outcome<(), Error> {
    let reason = || cancel::reason(task);
    match end {
        End::Unstarted => Outcome::Cancelled(reason()),
        End::Abandoned => Outcome::Cancelled(reason().escalate()),
        End::ScopeDropped => {
            event::escalated(task, before.phase());
            Outcome::Cancelled(reason().escalate())
        }
        End::Escalated => {
            event::escalated(task, before.phase());
            match task.region().escalation() {
                Escalation::Panic => Outcome::Panicked(escalation_panic(task)),
                Escalation::Drop | Escalation::Soft => Outcome::Cancelled(reason().escalate()),
            }
        }
        End::Panicked(payload) => Outcome::Panicked(PanicPayload::capture(
            Some(task.id()),
            Some(task.region().id()),
            task.side().and_then(|side| side.message()),
            None,
            payload,
        )),
        End::Returned(outcome) if before.phase() == Phase::Cancelling => {
            after_observing(task, outcome, reason())
        }
        End::Returned(Outcome::Cancelled(given)) if given.is_placeholder() => {
            Outcome::Cancelled(reason())
        }
        End::Returned(outcome) => outcome,
    }
}

fn after_observing(
    task: &Task,
    outcome: Outcome<(), Error>,
    reason: CancelReason,
) -> Outcome<(), Error> {
    match outcome {
        Outcome::Ok(()) => {
            event::result_discarded(task);
            Outcome::Cancelled(reason)
        }
        Outcome::Err(error) => Outcome::Cancelled(reason.with_error(error)),
        Outcome::Cancelled(_) => Outcome::Cancelled(reason),
        Outcome::Panicked(payload) => Outcome::Panicked(payload),
    }
}

fn escalation_panic(task: &Task) -> PanicPayload {
    PanicPayload::new(PanicKind::Escalation, "the cleanup budget ended").at(
        Some(task.id()),
        Some(task.region().id()),
        task.side().and_then(|side| side.message()),
    )
}

fn has_finalizers(task: &Task) -> bool {
    if !task.word.load().is_deferred() {
        // Whoever put one on the stack is still to mark it, unless it ran already.
        return false;
    }
    // Acquires the side record, which may be new.
    task.word.look_for_deferred();
    task.side().is_some_and(|side| {
        side.lock()
            .rare()
            .is_some_and(|rare| !rare.finalizers.is_empty())
    })
}

/// Runs finalizers of the task until one waits or all are done. The caller holds the poll.
pub(crate) fn go_on(task: TaskRef) {
    task.begins_turn();
    // Finalizers have the operations of a poll of their own, whatever the body used (TSK-23).
    task.coop.store(0, Relaxed);
    let waker = waker::borrowed(&task);
    let mut context = Context::from_waker(&waker);
    polled::begins(&task);
    let step = finalizer::step_task(&task, &mut context);
    polled::ended();
    match step {
        Step::Pending => poll::put_down(task),
        Step::Done(finalized) => {
            let side = task.side_or_new();
            let ended = side
                .lock()
                .rare_or_new()
                .ended
                .take()
                .expect("stored by `body_ended`");
            let outcome = combine(ended, finalized);
            if !outcome.is_ok() {
                InCell.settle(&task, &outcome);
            }
            complete(task, outcome);
        }
    }
}

/// The outcome stands. The caller holds the poll.
fn complete(task: TaskRef, mut outcome: Outcome<(), Error>) {
    if let Some(leak) = obligation::task_terminal(&task) {
        outcome = combine(outcome, Outcome::Panicked(leak));
        InCell.settle(&task, &outcome);
    }
    let Some(before) = task.word.complete() else {
        return finalize(task, outcome);
    };
    let gone = before.handle_gone();
    // After it: who arms one looks at the phase under the lock that this takes.
    cancel::disarm(&task);
    obligation::task_completed(&task);
    compiled::handles::ended(&task);
    if task.scopes.any() || before.is_scoped() {
        abandon::left_behind(&task);
    }
    event::completed(&task, &outcome);
    deadline::completed(&task);
    let listed = if task.tier() == Tier::Finalizer {
        close::finalizers_ended(&task, outcome)
    } else {
        close::child_ended(&task, outcome)
    };
    if task.tier() != Tier::Body {
        // Nobody ever joins a body: it has no handle.
        join::completed(&task, gone);
    }
    TaskRef::drop_both(task, listed);
}
