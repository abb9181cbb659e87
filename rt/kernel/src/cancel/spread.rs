//! A region is asked to cancel, and with it all below: parents before children, siblings in spawn
//! order (CAN-3), with a queue instead of recursion (CAN-4).

use std::collections::VecDeque;

use asr_base::{CancelKind, CancelReason, CancelRequest, Origin};

use super::request::request_task;
use crate::event;
use crate::region::children::{self, Child};
use crate::region::{Inner, Region, RegionRef};
use crate::task::Task;

/// Asks a region. Its descendants get ParentCancelled, with the cause linked.
pub(crate) fn request_region(region: &Region, request: CancelRequest) {
    let mut queue = VecDeque::from([(RegionRef::of(region), request)]);
    while let Some((region, request)) = queue.pop_front() {
        let mut inner = region.lock();
        let merged = merged(inner.cancel.as_ref(), request);
        if region.word.state() == crate::region::State::Closed {
            drop(inner);
            event::region_cancel_late(&region, &merged.reason);
            continue;
        }
        if inner.cancel.as_ref() == Some(&merged) {
            continue;
        }
        let below = CancelRequest {
            reason: parent_cancelled(&region, &merged.reason),
            cleanup: merged.cleanup,
        };
        let reason = merged.reason.clone();
        inner.cancel = Some(merged);
        region.word.request_cancel();
        event::region_cancel_requested(&region, &reason);
        let (below, found) = mark(&region, &mut inner, below);
        drop(inner);
        tell(found, &below, &mut queue);
    }
}

/// Asks the children of a region, with this very reason: fail-fast (REG-14).
pub(crate) fn request_children(region: &Region, request: CancelRequest) {
    let mut queue = VecDeque::new();
    let mut inner = region.lock();
    let (below, found) = mark(region, &mut inner, request);
    drop(inner);
    tell(found, &below, &mut queue);
    for (region, request) in queue {
        request_region(&region, request);
    }
}

/// Leaves the request for children to come, and takes those that there are. The region's lock is
/// held: a child that is admitted before is in the list, one that comes later finds the request.
fn mark(region: &Region, inner: &mut Inner, request: CancelRequest) -> (CancelRequest, Vec<Child>) {
    let below = merged(inner.for_children.as_ref(), request);
    inner.for_children = Some(below.clone());
    (below, children::all(region.kernel(), inner))
}

fn tell(
    found: Vec<Child>,
    request: &CancelRequest,
    queue: &mut VecDeque<(RegionRef, CancelRequest)>,
) {
    for child in found {
        match child {
            Child::Task(task) => request_task(&task, request.clone()),
            Child::Region(region) => {
                // Opened under a mask: its opener goes on as if nothing were asked (CAN-16).
                if !region.is_shielded() {
                    queue.push_back((region, request.clone()));
                }
            }
        }
    }
}

fn merged(pending: Option<&CancelRequest>, request: CancelRequest) -> CancelRequest {
    match pending {
        Some(pending) => pending.merge(&request),
        None => request,
    }
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
pub(crate) fn pass_on(task: &Task, region: &Region) {
    if task.word.clear() || super::is_masked(task) {
        return;
    }
    let Some(pending) = task.side().and_then(|side| side.lock().cancel.clone()) else {
        return;
    };
    let reason = CancelReason::new(
        CancelKind::ParentCancelled,
        Origin::Task(task.id()),
        pending.reason.at(),
    )
    .caused_by(&pending.reason, task.kernel().config().attribution);
    request_region(
        region,
        CancelRequest {
            reason,
            cleanup: pending.cleanup,
        },
    );
}
