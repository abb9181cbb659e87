//! Closing: from the last child's end to the published outcome (REG-7).
//!
//! Protocol
//! 1. The body ends, or somebody closes: the word says `Closing`, and nothing is admitted any more.
//! 2. A cancel that is due is passed on to the children; the word says `Draining`.
//! 3. Each child that ends takes itself from the list, adds its outcome, and then takes one from
//!    the count. Whoever makes "draining and none live" true goes on, exactly once (region word).
//! 4. Finalizers run in a task of their own, masked, last registered first.
//! 5. Obligations that the region holds are resolved by their implicit verb.
//! 6. The outcome is stored, the word says `Closed`, closers and the scope are woken, and the
//!    region ends as a child of its parent: a loop, not a recursion, so depth costs no stack
//!    (REG-6). Closers are taken from the list after the word says `Closed`: one that looks at the
//!    word before, under the same lock, is in the list by then.
#![allow(
    unsafe_code,
    reason = "takes back the reference that an open region counts"
)]

use std::ptr::NonNull;

use asr_base::{CancelKind, CancelReason, Error, Origin, Outcome};

use super::config::Policy;
use super::record::{Region, RegionRef};
use super::word::{Drain, State};
use super::{children, finalizer};
use crate::task::cell::contained;
use crate::task::{Task, TaskRef, Tier};
use crate::{cancel, event, obligation};

/// A task ended with this outcome.
pub(crate) fn child_ended(task: &Task, outcome: Outcome<(), Error>) {
    let region = RegionRef::of(task.region());
    let body = task.tier() == Tier::Body;
    let closer = body && region.word.close();
    if closer {
        event::region_closing(&region);
    }
    let bad = matches!(outcome, Outcome::Err(_) | Outcome::Panicked(_));
    let mut inner = region.lock();
    let listed = children::unlink_task(region.kernel(), &mut inner, task);
    let position = u64::from(task.position());
    let displaced = inner.fold.add(position, Some(task.id()), outcome.clone());
    // REG-12: a body that panics cancels its children under every policy.
    let fail = bad
        && (inner.policy == Policy::FailFast || body && matches!(outcome, Outcome::Panicked(_)));
    drop(inner);
    // After the lock: what they hold may run code of the user when it is dropped.
    drop((listed, displaced));
    if fail {
        fail_fast(&region, Origin::Task(task.id()), &outcome);
    }
    if closer {
        event::region_draining(&region);
        drive(&region, region.word.drain());
    }
    drive(&region, region.word.child_ended());
}

/// REG-14: the siblings of a failed child are cancelled.
fn fail_fast(region: &Region, origin: Origin, outcome: &Outcome<(), Error>) {
    let message = match outcome {
        Outcome::Err(error) => error.message().to_owned(),
        Outcome::Panicked(payload) => payload.message().to_owned(),
        _ => String::new(),
    };
    let now = region.kernel().now();
    let reason = CancelReason::new(CancelKind::FailFast, origin, now).with_message(&message);
    cancel::request_children(region, cancel::request(region.kernel(), reason));
}

/// Begins the close of a region, if nobody has (REG-9).
pub(crate) fn close(region: &Region) {
    if region.word.close() {
        event::region_closing(region);
        event::region_draining(region);
        drive(region, region.word.drain());
    }
}

/// The task that ran the finalizers ended.
pub(crate) fn finalizers_ended(task: &Task, outcome: Outcome<(), Error>) {
    let region = RegionRef::of(task.region());
    // SAFETY: every new record counts a reference for the list of children, and this task is in
    // none; it ends once.
    drop(unsafe { TaskRef::from_counted(NonNull::from(task)) });
    let mut inner = region.lock();
    let displaced = inner.fold.add(u64::MAX, None, outcome);
    drop(inner);
    drop(displaced);
    drive(&region, region.word.finalized());
}

/// Does what a modification of the word made due, and goes up from child to parent.
fn drive(region: &Region, drain: Drain) {
    let mut region = RegionRef::of(region);
    let mut drain = drain;
    loop {
        drain = match drain {
            Drain::Wait => return,
            Drain::Finalize => {
                event::region_finalizing(&region);
                if finalizer::start(&region) {
                    return;
                }
                region.word.finalized()
            }
            Drain::Publish => {
                let Some((parent, next)) = publish(&region) else {
                    return;
                };
                region = parent;
                next
            }
        };
    }
}

/// Steps 5 and 6. Returns the parent, and what the end of this child makes due there.
fn publish(region: &RegionRef) -> Option<(RegionRef, Drain)> {
    let kernel = region.kernel();
    obligation::region_closing(region);
    cancel::disarm_region(region);
    let mut inner = region.lock();
    let fold = std::mem::take(&mut inner.fold);
    let own = inner.cancel.as_ref().map(|own| own.reason.clone());
    drop(inner);
    let outcome = outcome_of(fold.finish(), own);
    let mut inner = region.lock();
    inner.outcome = Some(outcome.clone());
    let counts = inner.counts;
    drop(inner);
    let parent = region.parent().map(RegionRef::of);
    event::region_closed(region, &outcome);
    region.word.closed();
    // Wakers run without a lock.
    let scope = region.scope().waker.take();
    let closers = std::mem::take(&mut region.lock().closers);
    for waker in scope.into_iter().chain(closers) {
        // A foreign waker may panic; the parent hears of this end all the same.
        contained(|| waker.wake());
    }
    let Some(parent) = parent else {
        kernel.root_closed();
        return None;
    };
    // SAFETY: an open region counts one reference to itself (`open`), and it is closed just once.
    drop(unsafe { RegionRef::from_counted(NonNull::from(&**region)) });
    let lost = matches!(&outcome,
        Outcome::Cancelled(reason) if reason.kind() == CancelKind::RaceLost);
    let mut inner = parent.lock();
    children::unlink_region(kernel, &mut inner, region);
    let counted = (counts && !lost).then(|| {
        let position = u64::from(region.position());
        inner.fold.add(position, None, outcome.clone())
    });
    let fail = counted.is_some()
        && inner.policy == Policy::FailFast
        && matches!(outcome, Outcome::Err(_) | Outcome::Panicked(_));
    drop(inner);
    drop(counted);
    if fail {
        fail_fast(&parent, Origin::Region(region.id()), &outcome);
    }
    let drain = parent.word.child_ended();
    Some((parent, drain))
}

/// A region that was cancelled itself ends with its own reason, not with the one its children got
/// from it.
fn outcome_of(folded: Outcome<(), Error>, own: Option<CancelReason>) -> Outcome<(), Error> {
    match (folded, own) {
        (Outcome::Cancelled(reason), Some(own)) if reason.kind() == CancelKind::ParentCancelled => {
            Outcome::Cancelled(own)
        }
        (folded, _) => folded,
    }
}

/// True once nothing of the region runs any more.
pub(crate) fn is_closed(region: &Region) -> bool {
    region.word.state() == State::Closed
}
