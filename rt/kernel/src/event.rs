//! Every event that the kernel writes, one function each: what the trace says of a step stands here
//! and nowhere else. With tracing off a call is one relaxed load and one branch (TRC-5).

mod obligation;
mod outcome;
mod queue;
mod region;
mod sched;

use std::sync::atomic::Ordering::Relaxed;

use asr_base::{CancelReason, Error, Outcome, Time, TimerId};
use asr_trace::{Access, Draft, Kind, Object, Resource, Sub, text_number};

use crate::actor;
use crate::kernel::Kernel;
use crate::region::Region;
use crate::task::{Phase, Task, Tier};
pub(crate) use obligation::{
    futurelock, futurelock_of, obligation_leaked, obligation_reserved, obligation_resolved,
    obligation_transferred, undelivered,
};
pub(crate) use outcome::{panic_absorbed, race_discarded, result_discarded};
pub(crate) use queue::queue_capacity;
pub(crate) use region::{
    region_closed, region_closing, region_draining, region_finalizing, region_opened,
};
pub(crate) use sched::long_poll;

#[inline(always)]
fn emit(kernel: &Kernel, build: impl FnOnce(Time) -> Option<Draft>) {
    let _ = numbered(kernel, build);
}

/// The same, and the number of the event: what it causes says so. 0 if none was kept.
#[inline(always)]
fn numbered(kernel: &Kernel, build: impl FnOnce(Time) -> Option<Draft>) -> u64 {
    if kernel.trace().on() {
        write(kernel, build)
    } else {
        0
    }
}

#[cold]
#[inline(never)]
fn write(kernel: &Kernel, build: impl FnOnce(Time) -> Option<Draft>) -> u64 {
    let Some(draft) = build(kernel.now()) else {
        return 0;
    };
    let draft = actor::sign(kernel, draft);
    let seq = kernel.trace().emit(|| draft);
    actor::wrote(kernel, seq);
    seq
}

fn of_task(kind: Kind, now: Time, task: &Task) -> Draft {
    Draft::new(kind, now)
        .task(task.id())
        .region(task.region().id())
}

fn sub_of_task(sub: Sub, now: Time, task: &Task) -> Option<Draft> {
    Some(
        Draft::sub(sub, now)?
            .task(task.id())
            .region(task.region().id()),
    )
}

fn task_object(task: &Task, access: Access) -> Object {
    object(Resource::Task(task.id()), access)
}

fn region_object(region: &Region, access: Access) -> Object {
    object(Resource::Region(region.id()), access)
}

fn object(resource: Resource, access: Access) -> Object {
    match access {
        Access::Read => Object::read(resource),
        Access::Write => Object::write(resource),
    }
}

// Tasks.

pub(crate) fn spawned(task: &Task) {
    emit(task.kernel(), |now| {
        let region = task.region();
        let draft = Draft::new(Kind::TaskSpawn, now)
            .region(region.id())
            .object(region_object(region, Access::Write));
        let deadline = task.budget().deadline.as_nanos();
        Some(draft.words(task.id().to_bits(), task.tier() as u64, deadline))
    });
}

pub(crate) fn started(task: &Task) {
    emit(task.kernel(), |now| {
        Some(of_task(Kind::TaskStart, now, task))
    });
}

pub(crate) fn polled(task: &Task) {
    emit(task.kernel(), |now| {
        let left = task.polls_left.load(Relaxed);
        Some(of_task(Kind::TaskPoll, now, task).words(u64::from(left), 0, 0))
    });
}

pub(crate) fn wake(task: &Task) {
    emit(task.kernel(), |now| {
        let draft = Draft::new(Kind::TaskWake, now).region(task.region().id());
        Some(
            draft
                .object(task_object(task, Access::Write))
                .words(task.id().to_bits(), 0, 0),
        )
    });
}

pub(crate) fn completed(task: &Task, outcome: &Outcome<(), Error>) {
    emit(task.kernel(), |now| {
        let draft = of_task(Kind::TaskComplete, now, task).object(task_object(task, Access::Write));
        let draft = match task.tier() {
            Tier::Finalizer => draft,
            _ => draft.object(region::children_of(task.region(), Access::Read)),
        };
        Some(draft.words(outcome.severity() as u64, 0, 0))
    });
}

/// The joiner saw the outcome: the edge complete -> join is a read of the task by its next event.
pub(crate) fn joined(joiner: &Task, joined: &Task) {
    emit(joiner.kernel(), |now| {
        let draft = of_task(Kind::TaskWake, now, joiner);
        Some(
            draft
                .object(task_object(joined, Access::Read))
                .words(joiner.id().to_bits(), 0, 0),
        )
    });
}

// Cancellation.

/// `cause` is the number of the request that this one follows from (CAN-28). Returns its own.
pub(crate) fn cancel_requested(task: &Task, reason: &CancelReason, cause: u64) -> u64 {
    numbered(task.kernel(), |now| {
        let draft = Draft::new(Kind::CancelRequest, now).region(task.region().id());
        let words = (u64::from(reason.kind().rank()), reason.origin().number());
        Some(
            draft
                .object(task_object(task, Access::Write))
                .cause(cause)
                .words(words.0, words.1, 0),
        )
    })
}

pub(crate) fn region_cancel_requested(region: &Region, reason: &CancelReason, cause: u64) -> u64 {
    numbered(region.kernel(), |now| {
        let words = (u64::from(reason.kind().rank()), reason.origin().number());
        Some(
            Draft::new(Kind::CancelRequest, now)
                .region(region.id())
                .object(region_object(region, Access::Write))
                .cause(cause)
                .words(words.0, words.1, 0),
        )
    })
}

pub(crate) fn cancel_late(task: &Task, reason: &CancelReason) {
    emit(task.kernel(), |now| {
        let draft = Draft::sub(Sub::CancelLate, now)?.region(task.region().id());
        let rank = u64::from(reason.kind().rank());
        Some(
            draft
                .object(task_object(task, Access::Read))
                .words(rank, 0, 0),
        )
    });
}

/// An `abort` after the end: kind User.
pub(crate) fn cancel_late_by_handle(task: &Task) {
    emit(task.kernel(), |now| {
        let draft = Draft::sub(Sub::CancelLate, now)?.region(task.region().id());
        Some(draft.object(task_object(task, Access::Read)))
    });
}

pub(crate) fn region_cancel_late(region: &Region, reason: &CancelReason) {
    emit(region.kernel(), |now| {
        let draft = Draft::sub(Sub::CancelLate, now)?.region(region.id());
        let rank = u64::from(reason.kind().rank());
        Some(
            draft
                .object(region_object(region, Access::Read))
                .words(rank, 0, 0),
        )
    });
}

pub(crate) fn cancel_observed(task: &Task) {
    emit(task.kernel(), |now| {
        let rank = task
            .side()
            .and_then(|side| side.reason())
            .map_or(0, |reason| u64::from(reason.kind().rank()));
        Some(of_task(Kind::CancelObserve, now, task).words(rank, 0, 0))
    });
}

pub(crate) fn cancel_swallowed(task: &Task, passes: u32) {
    emit(task.kernel(), |now| {
        let message = task.side().and_then(|side| side.message()).unwrap_or("");
        let draft = sub_of_task(Sub::CancelSwallowed, now, task)?;
        Some(draft.words(u64::from(passes), text_number(message), 0))
    });
}

/// The future of a task is dropped before its end (CAN-23).
pub(crate) fn escalated(task: &Task, phase: Phase) {
    task.kernel().stats().escalations.add(1);
    emit(task.kernel(), |now| {
        let held = task
            .side()
            .and_then(|side| Some(side.lock().rare()?.held.len()));
        let held = held.unwrap_or(0) as u64;
        let rank = task
            .side()
            .and_then(|side| side.reason())
            .map_or(0, |reason| u64::from(reason.kind().rank()));
        // The mode, and above it the state that the task was in.
        let mode = task.region().escalation() as u64 | (phase as u64) << 8;
        Some(sub_of_task(Sub::CancelEscalated, now, task)?.words(mode, rank, held))
    });
}

/// A soft region waits on, although the cleanup budget ended.
pub(crate) fn cancel_overdue(task: &Task) {
    emit(task.kernel(), |now| {
        let rank = task
            .side()
            .and_then(|side| side.reason())
            .map_or(0, |reason| u64::from(reason.kind().rank()));
        let mode = task.region().escalation() as u64;
        Some(of_task(Kind::CancelEscalate, now, task).words(rank, mode, 0))
    });
}

/// A task does not return from its poll. The duration is the least that it can be; which worker
/// polls it only the driver knows, so that is 0.
pub(crate) fn stuck_in_poll(task: &Task) {
    emit(task.kernel(), |now| {
        let since = task.side().map_or(now, |side| {
            let inner = side.lock();
            let asked = inner
                .cancel
                .as_ref()
                .map_or(now, |request| request.reason.at());
            asked.max(inner.cleanup_poll)
        });
        let probe = task.message().unwrap_or("");
        let lasts = now.since(since).as_nanos() as u64;
        let draft = sub_of_task(Sub::StuckInPoll, now, task)?;
        Some(draft.words(0, lasts, text_number(probe)))
    });
}

pub(crate) fn mask_begin(task: &Task, bound: u32) {
    emit(task.kernel(), |now| {
        let depth = u64::from(task.masks.load(Relaxed)) + 1;
        Some(of_task(Kind::MaskBegin, now, task).words(depth, u64::from(bound), 0))
    });
}

pub(crate) fn mask_end(task: &Task) {
    emit(task.kernel(), |now| {
        let depth = u64::from(task.masks.load(Relaxed));
        Some(of_task(Kind::MaskEnd, now, task).words(depth, 0, 0))
    });
}

pub(crate) fn mask_overrun(task: &Task, bound: u32, polls: u32) {
    emit(task.kernel(), |now| {
        let draft = sub_of_task(Sub::MaskOverrun, now, task)?;
        Some(draft.words(u64::from(bound), u64::from(polls), 0))
    });
}

pub(crate) fn commit_overrun(task: &Task, bound: u32, polls: u32) {
    emit(task.kernel(), |now| {
        let draft = sub_of_task(Sub::CommitSectionOverrun, now, task)?;
        Some(draft.words(u64::from(bound), u64::from(polls), 0))
    });
}

pub(crate) fn checkpoint(task: &Task) {
    emit(task.kernel(), |now| {
        let message = task.side().and_then(|side| side.message()).unwrap_or("");
        Some(of_task(Kind::Checkpoint, now, task).words(0, text_number(message), 0))
    });
}

// Finalizers.

pub(crate) fn finalizer_registered(region: &Region, task: Option<&Task>, number: u64) {
    emit(region.kernel(), |now| {
        let draft = Draft::new(Kind::FinalizerRegister, now).region(region.id());
        let object = match task {
            Some(task) => task_object(task, Access::Write),
            None => region_object(region, Access::Write),
        };
        Some(
            draft
                .task(task.map(Task::id))
                .object(object)
                .words(number, 0, 0),
        )
    });
}

fn finalizer_owner(task: &Task) -> Object {
    if task.tier() == Tier::Finalizer {
        region_object(task.region(), Access::Write)
    } else {
        task_object(task, Access::Write)
    }
}

pub(crate) fn finalizer_run(task: &Task, index: u64) {
    emit(task.kernel(), |now| {
        let draft = of_task(Kind::FinalizerRun, now, task).object(finalizer_owner(task));
        Some(draft.words(index, 0, 0))
    });
}

pub(crate) fn finalizer_escalated(task: &Task, index: u64, polls: u32) {
    task.kernel().stats().escalations.add(1);
    emit(task.kernel(), |now| {
        let draft = sub_of_task(Sub::FinalizerEscalated, now, task)?;
        let draft = draft.object(finalizer_owner(task));
        Some(draft.words(index, u64::from(polls), 0))
    });
}

// Timers, capabilities, the program itself.

fn timer(kernel: &Kernel, kind: Kind, timer: TimerId, at: u64) {
    emit(kernel, |now| {
        let draft = Draft::new(kind, now).object(Object::write(Resource::TimerHead));
        Some(draft.words(timer.to_bits(), at, 0))
    });
}

pub(crate) fn timer_set(kernel: &Kernel, id: TimerId, at: Time) {
    timer(kernel, Kind::TimerSet, id, at.as_nanos());
}

pub(crate) fn timer_fired(kernel: &Kernel, id: TimerId, at: Time) {
    timer(kernel, Kind::TimerFire, id, at.as_nanos());
}

pub(crate) fn timer_cancelled(kernel: &Kernel, id: TimerId) {
    timer(kernel, Kind::TimerCancel, id, 0);
}

/// By a context, whose task is known, or by a handle of the region.
pub(crate) fn cap_denied(region: &Region, task: Option<&Task>, operation: &str, token: u16) {
    emit(region.kernel(), |now| {
        let draft = Draft::sub(Sub::CapDenied, now)?.region(region.id());
        let draft = draft.task(task.map(Task::id));
        Some(draft.words(text_number(operation), u64::from(token), 0))
    });
}

pub(crate) fn user(task: &Task, a: u64, b: u64) {
    emit(task.kernel(), |now| {
        Some(of_task(Kind::User, now, task).words(a, b, 0))
    });
}
