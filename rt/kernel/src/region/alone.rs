//! The short way out of a scope: its body has ended well, and nobody else knows of the region.
//!
//! The long way (the module `close`) ends the body as a task, then the region as a child, each step
//! open to whoever cancels, waits or looks. Here none of them can be: the region and its body
//! are claimed whole, and closed in one step under the lock of the parent.
//!
//! Protocol
//! 1. The caller has ended the poll of the body, and has all references that belong to a scope
//!    whose body has dropped its context and its handle: two to the region (the future of the
//!    scope, the record of the body) and two to the body (the poll, the list of children).
//! 2. With the lock of the parent nobody finds the region through the tree. `Refs::claim` then
//!    fails if somebody has a reference to it; who makes one from here on, by its index or from
//!    something inside, waits for these few steps. `Word::claim` does the same for the body, of
//!    which a waker, a context or a look-up counts a reference: only who has one of those could
//!    have been about to make one to the region.
//! 3. Somebody inside needs none to go up: a scope in this one counts a reference to it only when
//!    it ends (`Region::count_parent`). Then it counts as a child before. So the word is looked at
//!    after the claims: one child is the body, and all that ended before has a reference or is
//!    gone. Now what the lock guards is the caller's without it. If something is there that the
//!    long way sees to, all is put back as it was.
//! 4. Else the region is closed with the outcome Ok, and the body complete, before the lock is
//!    given back. The record of the region goes with the future of the scope.
//!
//! Nobody could tell the difference, but for events: while they are written the long way is taken.
#![allow(unsafe_code, reason = "uses and gives back records that it claimed")]

use std::ptr::NonNull;

use super::record::{Region, RegionRef};
use super::word::Drain;
use super::{children, close};
use crate::sync::owned;
use crate::task::TaskRef;

/// Closes the region of this body, whose last poll gave Ok, and gives back the record of the body.
/// The body comes back if it cannot be done so.
#[inline]
pub(super) fn close(body: TaskRef) -> Result<(), TaskRef> {
    let region = NonNull::from(body.region());
    // SAFETY: the future of the scope, which polls the body, has a reference to the region.
    let region: &Region = unsafe { region.as_ref() };
    let kernel = region.kernel();
    let Some(parent) = region.parent() else {
        return Err(body);
    };
    // A glance, to spare the claims: the answers that count come after them.
    if kernel.trace().on() || body.side().is_some() || !region.word.has_one_child() {
        return Err(body);
    }
    let mut around = parent.lock();
    if !region.refs().claim() {
        return Err(body);
    }
    if !body.word.claim() {
        region.refs().unclaim();
        return Err(body);
    }
    // A side record may have been made since by somebody who is gone. A scope of the body's that
    // was forgotten is still open, and counted as a child. A scope whose parent is counted was once
    // out of the hands of its opener.
    let nothing_else = body.side().is_none() && !region.counts_parent();
    let waker = match nothing_else && region.word.has_one_child() {
        // SAFETY: who takes the lock has a reference to the region, or to the body, which has one,
        // or is inside, and there is nobody inside; all references are claimed.
        true => unsafe { owned(&region.inner, super::inner::Inner::end_bare) },
        false => None,
    };
    let Some(waker) = waker else {
        body.word.unclaim();
        region.refs().unclaim();
        return Err(body);
    };
    children::unlink_region(kernel, &mut around, region);
    region.word.closed_alone();
    let body = body.into_raw();
    // SAFETY: claimed: it was the last but that of the list, which goes with the region.
    unsafe {
        body.as_ref().word.vacate();
        kernel.free_task(body);
    }
    region.refs().vacate();
    match parent.word.child_ended() {
        Drain::Wait => drop(around),
        drain => close::drive(parent, around, drain),
    }
    // A foreign waker may be anybody's code.
    drop(waker);
    Ok(())
}

/// Gives back the record of a region that was closed so; true if it was.
#[inline]
pub(super) fn give_back(region: &RegionRef) -> bool {
    if !region.refs().is_vacant() {
        return false;
    }
    // SAFETY: the caller has the one reference that was left, which keeps the kernel too: the scope
    // lies in the future of a task of it.
    unsafe { region.kernel().free_region(region.pointer()) };
    true
}
