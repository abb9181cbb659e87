//! A FIFO list through the links of its records: it allocates nothing, whatever its length.
//!
//! Invariants
//! 1. A record is in the list exactly if its link is not null; that of the last points to itself.
//! 2. So a record is in it at most once. An entry for a record that is in it already comes back:
//!    the older one runs the task.
//! 3. The list is under a lock, always the same for one record (entry, protocol 2).
#![allow(unsafe_code, reason = "follows the links of raw records")]

use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use super::entry::Entry;

/// See the module.
pub(super) struct List<T: Entry> {
    first: *mut T::Record,
    last: *mut T::Record,
    len: usize,
    owns: PhantomData<T>,
}

// SAFETY: the pointers stand for entries, which may go to another thread.
unsafe impl<T: Entry> Send for List<T> {}

impl<T: Entry> List<T> {
    pub(super) fn new() -> List<T> {
        List {
            first: ptr::null_mut(),
            last: ptr::null_mut(),
            len: 0,
            owns: PhantomData,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts an entry at the end.
    ///
    /// # Errors
    /// The entry, if its record is in the list. The caller drops it after the lock.
    pub(super) fn push(&mut self, entry: T) -> Result<(), T> {
        let record = entry.into_raw();
        // SAFETY: the entry is ours, so the record is alive.
        let link = T::link(unsafe { record.as_ref() });
        if !link.get().is_null() {
            // SAFETY: from `into_raw` above.
            return Err(unsafe { T::from_raw(record) });
        }
        link.set(record.as_ptr());
        match NonNull::new(self.last) {
            // SAFETY: the list owns an entry for it.
            Some(last) => T::link(unsafe { last.as_ref() }).set(record.as_ptr()),
            None => self.first = record.as_ptr(),
        }
        self.last = record.as_ptr();
        self.len += 1;
        Ok(())
    }

    /// Takes the first.
    pub(super) fn pop(&mut self) -> Option<T> {
        let record = NonNull::new(self.first)?;
        // SAFETY: the list owns an entry for it.
        let link = T::link(unsafe { record.as_ref() });
        if self.first == self.last {
            (self.first, self.last) = (ptr::null_mut(), ptr::null_mut());
        } else {
            self.first = link.get();
        }
        link.set(ptr::null_mut());
        self.len -= 1;
        // SAFETY: given away in `push`, and out of the list now.
        Some(unsafe { T::from_raw(record) })
    }
}

impl<T: Entry> Drop for List<T> {
    fn drop(&mut self) {
        while let Some(entry) = self.pop() {
            drop(entry);
        }
    }
}
