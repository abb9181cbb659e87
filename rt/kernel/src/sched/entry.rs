//! What a queue holds: an owned pointer to a record that has room for one link.
//!
//! Protocol
//! 1. A queue that got an entry owns it until it gives it out again or drops it.
//! 2. The link belongs to the list that the record is in (`list`), and is read
//!    and written under the lock of that list. A record that is in no list has a null link.
//! 3. An entry is a hint: the word of the task decides. An entry whose task was taken by another
//!    entry meanwhile (a task that is promoted to the cancel lane has two) is found stale when it
//!    is run, and dropped.
#![allow(
    unsafe_code,
    reason = "takes a counted reference apart and puts it together again"
)]

use std::ptr::{self, NonNull};

use crate::driver::Runnable;
use crate::sync::atomic::{AtomicPtr, Ordering::Relaxed};
use crate::task::{Task, TaskRef};

/// An owned pointer to a record.
///
/// # Safety
/// The record stays where it is and alive from `into_raw` to the `from_raw` that takes it back, and
/// [`link`](Entry::link) gives the same link for it all that time.
pub unsafe trait Entry: Send + Sized {
    /// What it points to.
    type Record;

    /// Gives the entry away as a pointer.
    fn into_raw(self) -> NonNull<Self::Record>;

    /// Takes it back.
    ///
    /// # Safety
    /// `record` came from `into_raw`, and this is the one time that it is taken back.
    unsafe fn from_raw(record: NonNull<Self::Record>) -> Self;

    /// The worker that alone may run it, if it is pinned (SCH-16).
    fn pin(&self) -> Option<u16> {
        None
    }

    /// Whether another entry of the record was faster (protocol 3): a hint.
    fn is_stale(&self) -> bool {
        false
    }

    /// The room for the link.
    fn link(record: &Self::Record) -> &Link<Self::Record>;
}

/// Room for the link of a list.
#[derive(Debug)]
pub struct Link<R>(AtomicPtr<R>);

impl<R> Default for Link<R> {
    fn default() -> Link<R> {
        Link(AtomicPtr::new(ptr::null_mut()))
    }
}

impl<R> Link<R> {
    /// Null outside of lists. Relaxed, here and below: the lock of the list orders the accesses.
    pub(super) fn get(&self) -> *mut R {
        self.0.load(Relaxed)
    }

    pub(super) fn set(&self, to: *mut R) {
        self.0.store(to, Relaxed);
    }
}

// SAFETY: a record stays in its slab, and belongs to the task as long as the counted reference
// exists, which the pointer stands for.
unsafe impl Entry for Runnable {
    type Record = Task;

    fn into_raw(self) -> NonNull<Task> {
        self.0.into_raw()
    }

    unsafe fn from_raw(record: NonNull<Task>) -> Runnable {
        // SAFETY: by the contract the reference that `into_raw` gave away is taken back.
        Runnable(unsafe { TaskRef::from_counted(record) })
    }

    fn pin(&self) -> Option<u16> {
        self.0.pin()
    }

    fn is_stale(&self) -> bool {
        Runnable::is_stale(self)
    }

    fn link(record: &Task) -> &Link<Task> {
        &record.link
    }
}
