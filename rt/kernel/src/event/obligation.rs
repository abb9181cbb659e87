//! Events of obligations.

use asr_base::ObligationId;
use asr_trace::{Access, Draft, End, Kind, Object, Resource, Sub};

use super::{emit, task_object};
use crate::futurelock::Futurelock;
use crate::kernel::Kernel;
use crate::obligation::{AbortCause, LeakReport, Place};
use crate::region::Region;
use crate::task::Task;

fn place_object(place: &Place) -> Object {
    Object::write(Resource::Place(place.region(), place.kind().number()))
}

fn bits(id: Option<ObligationId>) -> u64 {
    id.map_or(0, ObligationId::to_bits)
}

pub(crate) fn obligation_reserved(place: &Place, id: Option<ObligationId>) {
    emit(place.kernel(), |now| {
        Some(
            Draft::new(Kind::ObligationReserve, now)
                .task(place.task().map(Task::id))
                .region(place.region())
                .object(place_object(place))
                .words(bits(id), u64::from(place.kind().number()), 0),
        )
    });
}

/// A receiver closed with messages queued. `channel` is asked for only if it is told.
pub(crate) fn undelivered(region: &Region, channel: impl FnOnce() -> u64, count: u64) {
    emit(region.kernel(), |now| {
        let draft = Draft::sub(Sub::Undelivered, now)?.region(region.id());
        let channel = channel();
        let object = Object::write(Resource::Channel(channel, End::Receive));
        Some(draft.object(object).words(channel, count, 0))
    });
}

/// A task was called to its place in a queue, and did not look in so many polls: the place was the
/// one thing that it held.
pub(crate) fn futurelock(task: &Task, polls: u64) {
    emit(task.kernel(), |now| {
        let draft = Draft::sub(Sub::FuturelockDetected, now)?;
        Some(
            draft
                .task(task.id())
                .region(task.region().id())
                .words(1, polls, 0),
        )
    });
}

/// A task was not polled for so long, in milliseconds, while another waited for what it holds.
pub(crate) fn futurelock_of(kernel: &Kernel, found: &Futurelock) {
    emit(kernel, |now| {
        let idle = u64::try_from(found.idle.as_millis()).unwrap_or(u64::MAX);
        let draft = Draft::sub(Sub::FuturelockDetected, now)?;
        Some(
            draft
                .task(found.holder)
                .region(found.region)
                .object(Object::read(found.resource))
                .object(Object::read(Resource::Task(found.waiter)))
                .words(1, idle, 0),
        )
    });
}

/// Resolved by `by`, or by its holder.
pub(crate) fn obligation_resolved(
    place: &Place,
    id: Option<ObligationId>,
    cause: Option<AbortCause>,
    by: Option<&Task>,
) {
    let (kind, class) = match cause {
        None => (Kind::ObligationCommit, 0),
        Some(cause) => (Kind::ObligationAbort, cause as u64),
    };
    emit(place.kernel(), |now| {
        Some(
            Draft::new(kind, now)
                .task(by.or(place.task()).map(Task::id))
                .region(place.region())
                .object(place_object(place))
                .words(bits(id), u64::from(place.kind().number()), class),
        )
    });
}

/// The receiver is the task among the objects; if there is none, the region.
pub(crate) fn obligation_transferred(from: &Place, to: &Place, id: Option<ObligationId>) {
    emit(from.kernel(), |now| {
        let receiver = match to.task() {
            Some(task) => task_object(task, Access::Write),
            None => place_object(to),
        };
        let kind = u64::from(from.kind().number());
        let draft = Draft::new(Kind::ObligationTransfer, now)
            .task(from.task().map(Task::id))
            .region(from.region())
            .object(place_object(from));
        Some(
            draft
                .object(receiver)
                .words(bits(id), kind, to.region().to_bits()),
        )
    });
}

pub(crate) fn obligation_leaked(kernel: &Kernel, report: &LeakReport) {
    emit(kernel, |now| {
        let kind = report.kind.number();
        let task = match report.holder {
            crate::obligation::HolderId::Task(task) => Some(task),
            crate::obligation::HolderId::Region(_) => None,
        };
        Some(
            Draft::new(Kind::ObligationLeak, now)
                .task(task)
                .region(report.region)
                .object(Object::read(Resource::Place(report.region, kind)))
                .words(bits(report.id), u64::from(kind), report.class as u64),
        )
    });
}
