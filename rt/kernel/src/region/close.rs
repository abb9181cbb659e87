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
//!    (REG-6). Outcome, word and closers change in one section: a closer that looks at the word
//!    before is in the list by then.
//!
//! A step holds the lock of its region from the end of a child to the published outcome, unless
//! there is something to do on the way that runs without it: code of the user, events, obligations,
//! the cancel of siblings. Meanwhile nobody else drives the close: the word says so.
#![allow(
    unsafe_code,
    reason = "takes back references that records count, walks up the tree"
)]

use std::ptr::NonNull;

use asr_base::{CancelKind, CancelReason, Error, Origin, Outcome};

use super::Locked;
use super::config::Policy;
use super::record::{Region, RegionRef};
use super::word::{Drain, State};
use super::{children, finalizer, scope};
use crate::task::cell::contained;
use crate::task::{Task, TaskRef, Tier};
use crate::{cancel, event, obligation};

/// Does something in the middle of a section without the lock.
fn unlocked<'r>(region: &'r Region, inner: Locked<'r>, run: impl FnOnce()) -> Locked<'r> {
    drop(inner);
    run();
    region.lock()
}

/// Writes an event in the middle of a section, without the lock.
#[inline]
fn note<'r>(region: &'r Region, inner: Locked<'r>, event: fn(&Region)) -> Locked<'r> {
    if region.kernel().trace().on() {
        unlocked(region, inner, || event(region))
    } else {
        inner
    }
}

/// A task ended with this outcome. Returns the reference that the list of children counted.
pub(crate) fn child_ended(task: &Task, outcome: Outcome<(), Error>) -> TaskRef {
    let region = task.region();
    let body = task.tier() == Tier::Body;
    let mut inner = region.lock();
    let closer = body && region.word.close();
    if closer {
        inner = note(region, inner, event::region_closing);
    }
    let listed = children::unlink_task(region.kernel(), &mut inner, task);
    // Dropped after the lock.
    let mut _displaced = None;
    if !outcome.is_ok() {
        let position = u64::from(task.position());
        let panicked = matches!(outcome, Outcome::Panicked(_));
        let bad = panicked || matches!(outcome, Outcome::Err(_));
        // REG-12: a body that panics cancels its children under every policy.
        let fail = bad && (inner.policy == Policy::FailFast || body && panicked);
        let failed = fail.then(|| outcome.clone());
        _displaced = Some(inner.fold.add(position, Some(task.id()), outcome));
        if let Some(outcome) = failed {
            inner = unlocked(region, inner, || {
                fail_fast(region, Origin::Task(task.id()), &outcome);
            });
        }
    }
    if closer {
        inner = note(region, inner, event::region_draining);
        // It waits for this child at least.
        let Drain::Wait = region.word.drain() else {
            unreachable!("the body is counted");
        };
    }
    let drain = region.word.child_ended();
    drive(region, inner, drain);
    listed
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
    let mut inner = region.lock();
    if region.word.close() {
        inner = note(region, inner, event::region_closing);
        inner = note(region, inner, event::region_draining);
        let drain = region.word.drain();
        drive(region, inner, drain);
    }
}

/// The task that ran the finalizers ended. Returns the reference that every new record counts for
/// the list of children; this task is in none.
pub(crate) fn finalizers_ended(task: &Task, outcome: Outcome<(), Error>) -> TaskRef {
    let region = task.region();
    let mut inner = region.lock();
    let displaced = inner.fold.add(u64::MAX, None, outcome);
    inner = unlocked(region, inner, || drop(displaced));
    let drain = region.word.finalized();
    drive(region, inner, drain);
    // SAFETY: counted when the record was filled, and it ends once.
    unsafe { TaskRef::from_counted(NonNull::from(task)) }
}

/// Does what a change of the word made due, and goes up from child to parent.
///
/// Unless that is `Wait`, the caller alone drives the close. The caller has a reference to the
/// region or to a task of it, so that and all around it are there throughout.
#[inline]
pub(super) fn drive<'r>(region: &'r Region, inner: Locked<'r>, drain: Drain) {
    let (mut region, mut inner, mut drain) = (region, inner, drain);
    // The child that was closed last: its record goes without a lock.
    let mut ended: Option<RegionRef> = None;
    loop {
        if drain == Drain::Wait {
            drop(inner);
            return;
        }
        if drain == Drain::Finalize {
            inner = note(region, inner, event::region_finalizing);
            if !inner.finalizers.is_empty() {
                return finalizer::start(region, inner);
            }
            inner.finalizers_done = true;
            if region.word.finalized() == Drain::Wait {
                drop(inner);
                return;
            }
        }
        let closed = publish(region, inner);
        drop(ended.take());
        let Some(parent) = region.parent() else {
            region.kernel().root_closed();
            return;
        };
        // SAFETY: the record keeps its parent, and is there throughout.
        let parent: &'r Region = unsafe { NonNull::from(parent).as_ref() };
        (inner, drain) = end_in(parent, region, &closed);
        // SAFETY: an open region counts one reference to itself (`open`), and it is closed just
        // once; else the future of the region has it.
        ended = closed
            .own
            .then(|| unsafe { RegionRef::from_counted(NonNull::from(region)) });
        region = parent;
    }
}

/// A region that was just closed.
struct Closed {
    outcome: Outcome<(), Error>,
    /// The outcome counts in the parent's.
    counts: bool,
    /// Nobody else has the reference that the region counted to itself.
    own: bool,
}

/// Steps 5 and 6, up to the region's own end.
fn publish<'r>(region: &'r Region, mut inner: Locked<'r>) -> Closed {
    if inner.holds_nothing() {
        inner.settled = true;
    } else {
        inner = unlocked(region, inner, || {
            obligation::region_closing(region);
            cancel::disarm_region(region);
            // Nothing comes to it any more: it is settled.
            let belongings = region.lock().belongings.take();
            if let Some(belongings) = belongings {
                belongings.close();
            }
        });
    }
    let mut outcome = Outcome::Ok(());
    if !inner.fold.is_ok() {
        let fold = std::mem::take(&mut inner.fold);
        let own = inner.cancel.as_ref().map(|own| own.reason.clone());
        inner = unlocked(region, inner, || outcome = outcome_of(fold.finish(), own));
    }
    if !outcome.is_ok() {
        inner.outcome = Some(outcome.clone());
    }
    if region.kernel().trace().on() {
        inner = unlocked(region, inner, || event::region_closed(region, &outcome));
    }
    region.word.closed(outcome.is_ok());
    let scope = scope::closed(&mut inner.scope);
    let closers = std::mem::take(&mut inner.closers);
    let (counts, own) = (inner.counts, !inner.scope.attached);
    drop(inner);
    // Wakers run without a lock.
    scope.wake();
    for waker in closers {
        // A foreign waker may panic; the parent hears of this end all the same.
        contained(|| waker.wake());
    }
    Closed {
        outcome,
        counts,
        own,
    }
}

/// A region ended as a child of its parent, whose lock is returned with what that makes due there.
fn end_in<'p>(parent: &'p Region, region: &Region, closed: &Closed) -> (Locked<'p>, Drain) {
    let outcome = &closed.outcome;
    let lost = matches!(outcome,
        Outcome::Cancelled(reason) if reason.kind() == CancelKind::RaceLost);
    let mut inner = parent.lock();
    // It is no child any more, and its record may stay.
    region.count_parent();
    children::unlink_region(parent.kernel(), &mut inner, region);
    if closed.counts && !lost && !outcome.is_ok() {
        let position = u64::from(region.position());
        let displaced = inner.fold.add(position, None, outcome.clone());
        let fail = inner.policy == Policy::FailFast
            && matches!(outcome, Outcome::Err(_) | Outcome::Panicked(_));
        inner = unlocked(parent, inner, || {
            drop(displaced);
            if fail {
                fail_fast(parent, Origin::Region(region.id()), outcome);
            }
        });
    }
    let drain = parent.word.child_ended();
    (inner, drain)
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
#[inline]
pub(crate) fn is_closed(region: &Region) -> bool {
    region.word.state() == State::Closed
}
