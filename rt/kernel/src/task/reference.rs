//! The counted reference to the record of a task.
#![allow(unsafe_code, reason = "counts references to records in a slab")]

use std::fmt;
use std::ptr::{self, NonNull};

use super::record::Task;
use super::{cell, join};
use crate::region::RegionRef;
use crate::sync::atomic::Ordering::Relaxed;

/// A counted reference to a record. The record belongs to the same task as long as one exists.
pub struct TaskRef(NonNull<Task>);

// SAFETY: all that a `&Task` offers is atomic or under a lock; the cell is touched only by the
// holder of the poll (invariant 3), whose future is `Send` or stays with its scope.
unsafe impl Send for TaskRef {}
// SAFETY: as above.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// Takes over a reference that is already counted.
    ///
    /// # Safety
    /// The word of `task` counts one reference that nobody else will drop.
    #[inline]
    pub(crate) unsafe fn from_counted(task: NonNull<Task>) -> TaskRef {
        TaskRef(task)
    }

    /// A reference of its own to a record that the borrow keeps alive.
    #[inline]
    pub(crate) fn of(task: &Task) -> TaskRef {
        task.word.retain();
        TaskRef(NonNull::from(task))
    }

    /// Drops two references to one record in one step.
    pub(crate) fn drop_both(first: TaskRef, second: TaskRef) {
        debug_assert!(first == second);
        let task = first.into_raw();
        std::mem::forget(second);
        // SAFETY: two counted references keep the record until they are given back here.
        if unsafe { task.as_ref() }.word.release_both() {
            give_back(task);
        }
    }

    /// Drops the reference of the handle of a complete task, whose output is taken.
    pub(crate) fn drop_handle(self) {
        let task = self.into_raw();
        // SAFETY: the counted reference keeps the record until it is given back here.
        if unsafe { task.as_ref() }.word.release_handle() {
            give_back(task);
        }
    }

    /// Gives the counted reference away as a pointer.
    pub(crate) fn into_raw(self) -> NonNull<Task> {
        let task = self.0;
        std::mem::forget(self);
        task
    }
}

impl std::ops::Deref for TaskRef {
    type Target = Task;

    #[inline]
    fn deref(&self) -> &Task {
        // SAFETY: the counted reference keeps the record.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for TaskRef {
    #[inline]
    fn clone(&self) -> TaskRef {
        TaskRef::of(self)
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if self.word.release() {
            give_back(self.0);
        }
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for TaskRef {
    fn eq(&self, other: &TaskRef) -> bool {
        self.0 == other.0
    }
}

/// The last reference went: the slot is emptied and goes back to the slab (TSK-25).
fn give_back(task: NonNull<Task>) {
    // SAFETY: the last reference is the caller's; the slot itself lives with the kernel.
    let record = unsafe { task.as_ref() };
    join::forget(record);
    // Relaxed, and no swaps: the last release acquired what all others did, and nobody is left.
    if let Some(side) = NonNull::new(record.side.load(Relaxed)) {
        record.side.store(ptr::null_mut(), Relaxed);
        // SAFETY: made by `side_or_new`, and nobody else has the record.
        unsafe { record.kernel().free_side(side) };
    }
    if let Some(cell) = record.cell() {
        record.cell.store(ptr::null_mut(), Relaxed);
        // SAFETY: the task is complete and its output taken or dropped (invariant 3).
        unsafe { cell::free(cell) };
    }
    // SAFETY: counted in `renew`, and the record is given back once.
    let region = unsafe { RegionRef::from_counted(NonNull::from(record.region())) };
    // SAFETY: the record is empty and ours, and the region keeps the kernel.
    unsafe { region.kernel().free_task(task) };
}
