//! A region is asked to cancel, and with it all below: parents before children, siblings in spawn
//! order (CAN-3), with a queue instead of recursion (CAN-4).

use std::collections::VecDeque;

use asr_base::{CancelKind, CancelReason, CancelRequest, Origin};

use super::request::{Asked, Owed};
use crate::event;
use crate::kernel::Kernel;
use crate::region::children::{self, Child};
use crate::region::{self, Locked, Region};
use crate::task::{Task, Tier};

/// Asks a region. Its descendants get ParentCancelled, with the cause linked.
pub(crate) fn request_region(region: &Region, asked: impl Into<Asked>) {
    if !spread(region, asked.into()) {
        region.kernel().stats().repeated_cancels.add(1);
    }
}

/// False if the request changed nothing.
fn spread(region: &Region, asked: Asked) -> bool {
    let mut queue = VecDeque::new();
    let changed = one_region(region, asked, &mut queue);
    run(region.kernel(), queue);
    changed
}

/// Asks the children of a region, with this very reason: fail-fast (REG-14).
pub(crate) fn request_children(region: &Region, request: CancelRequest) {
    let mut queue = VecDeque::new();
    let inner = region.lock();
    tell(region, inner, request.into(), Body::Asked, &mut queue);
    run(region.kernel(), queue);
}

/// The same for all but its body, which waits for them: it is no part of their cleanup, and must
/// not be escalated because that takes its time.
pub(crate) fn request_branches(region: &Region, request: CancelRequest) {
    let mut queue = VecDeque::new();
    let inner = region.lock();
    tell(region, inner, request.into(), Body::Spared, &mut queue);
    run(region.kernel(), queue);
}

/// Whether a request is for the body too.
#[derive(Clone, Copy, PartialEq)]
enum Body {
    Asked,
    Spared,
}

/// Who is still to be asked. First in, first out: parents come before children, and siblings in
/// spawn order, tasks and regions alike (CAN-3).
type Queue = VecDeque<(Child, Asked)>;

fn run(kernel: &Kernel, mut queue: Queue) {
    if queue.is_empty() {
        return;
    }
    let mut owed = Owed::new(kernel);
    while let Some((child, asked)) = queue.pop_front() {
        match child {
            Child::Task(task) => owed.request(task, asked),
            // Opened under a mask: its opener goes on as if nothing were asked (CAN-16).
            Child::Region(region) if region.is_shielded() => {}
            Child::Region(region) => drop(one_region(&region, asked, &mut queue)),
        }
    }
}

fn one_region(region: &Region, asked: Asked, queue: &mut Queue) -> bool {
    let Asked { request, cause } = asked;
    let mut inner = region.lock();
    let before = inner.cancel.as_ref();
    let merged = before.map_or_else(|| request.clone(), |pending| pending.merge(&request));
    if region.word.state() == crate::region::State::Closed {
        drop(inner);
        event::region_cancel_late(region, &merged.reason);
        return true;
    }
    if before == Some(&merged) {
        return false;
    }
    let kept = before.is_some_and(|pending| pending.reason == merged.reason);
    let cause = if kept { inner.asked } else { cause };
    let (reason, cleanup) = (merged.reason.clone(), merged.cleanup);
    let displaced = inner.cancel.replace(merged);
    region.word.request_cancel();
    drop(inner);
    drop(displaced);
    // Without the lock: the clock and the trace are somebody else's code. Children that are
    // admitted meanwhile are in the list when they are told.
    let number = event::region_cancel_requested(region, &reason, cause);
    let below = CancelRequest {
        reason: parent_cancelled(region, &reason),
        cleanup,
    };
    let mut inner = region.lock();
    let still = inner.cancel.as_ref();
    if still.is_some_and(|pending| pending.reason == reason) {
        inner.asked = number;
    }
    let below = Asked {
        request: below,
        cause: number,
    };
    tell(region, inner, below, Body::Asked, queue);
    true
}

/// Leaves the request for children to come, and queues those that there are. The region is locked:
/// a child that is admitted before is in the list, one that comes later finds the request.
fn tell(region: &Region, mut inner: Locked<'_>, asked: Asked, body: Body, queue: &mut Queue) {
    let asked = asked.after(inner.for_children.as_ref());
    let told = inner.for_children.as_ref();
    let known = told.is_some_and(|told| told.request == asked.request);
    if known && (body == Body::Spared || !inner.body_spared) {
        // Everybody below has this already, or finds it there: a mass failure asks once (CAN-4).
        return;
    }
    inner.body_spared = body == Body::Spared;
    let displaced = inner.for_children.replace(asked.clone());
    let mut found = children::all(region.kernel(), &inner);
    drop(inner);
    drop(displaced);
    if body == Body::Spared {
        found.retain(|child| !matches!(child, Child::Task(task) if task.tier() == Tier::Body));
    }
    queue.extend(found.into_iter().map(|child| (child, asked.clone())));
}

fn parent_cancelled(region: &Region, cause: &CancelReason) -> CancelReason {
    let kernel = region.kernel();
    CancelReason::new(
        CancelKind::ParentCancelled,
        Origin::Region(region.id()),
        kernel.now(),
    )
    .caused_by(cause, kernel.config().attribution)
}

/// Passes the pending cancel of a task on to a region that it opened, unless it is masked (REG-5,
/// REG-11).
#[inline]
pub(crate) fn pass_on(task: &Task, region: &Region) {
    if !task.word.clear() {
        pass_pending(task, region);
    }
}

#[cold]
fn pass_pending(task: &Task, region: &Region) {
    if super::is_masked(task) || region::close::is_closed(region) {
        return;
    }
    let Some(side) = task.side() else { return };
    let (pending, cause) = {
        let inner = side.lock();
        let Some(pending) = inner.cancel.clone() else {
            return;
        };
        (pending, inner.asked)
    };
    let reason = CancelReason::new(
        CancelKind::ParentCancelled,
        Origin::Task(task.id()),
        pending.reason.at(),
    )
    .caused_by(&pending.reason, task.kernel().config().attribution);
    let request = CancelRequest {
        reason,
        cleanup: pending.cleanup,
    };
    // It is passed on at each poll; only the first time changes anything.
    spread(region, Asked { request, cause });
}
