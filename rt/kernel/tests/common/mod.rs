//! An entry of a queue that needs no kernel: a boxed record with a number.
#![allow(unsafe_code, reason = "hands a box over as a raw pointer")]

use std::ptr::NonNull;

use asr_kernel::sched::entry::{Entry, Link};

/// What an entry points to.
pub(crate) struct Record {
    pub(crate) id: usize,
    pin: Option<u16>,
    stale: bool,
    link: Link<Record>,
    /// Written by who makes it: the model checker sees whether the queue publishes it.
    #[cfg(loom)]
    made: loom::cell::UnsafeCell<usize>,
}

/// The entry: a box that a queue takes apart.
pub(crate) struct Item(NonNull<Record>);

// SAFETY: the one owner of a record, as a box is.
unsafe impl Send for Item {}

impl Item {
    pub(crate) fn new(id: usize) -> Item {
        Item::pinned(id, None)
    }

    pub(crate) fn pinned(id: usize, pin: Option<u16>) -> Item {
        Item::with(id, pin, false)
    }

    /// The task was run by another entry of it.
    #[allow(dead_code, reason = "not every test has stale entries")]
    pub(crate) fn stale(id: usize) -> Item {
        Item::with(id, None, true)
    }

    fn with(id: usize, pin: Option<u16>, stale: bool) -> Item {
        let record = Record {
            id,
            pin,
            stale,
            link: Link::default(),
            #[cfg(loom)]
            made: loom::cell::UnsafeCell::new(0),
        };
        #[cfg(loom)]
        // SAFETY: nobody else has it yet; the write is one that the model checker watches.
        record.made.with_mut(|made| unsafe { *made = id });
        Item(NonNull::from(Box::leak(Box::new(record))))
    }

    /// The number; ends the item.
    pub(crate) fn id(self) -> usize {
        // SAFETY: the one owner.
        let record = unsafe { self.0.as_ref() };
        #[cfg(loom)]
        // SAFETY: as above; a race with the maker would be found.
        assert_eq!(record.made.with(|made| unsafe { *made }), record.id);
        record.id
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        // SAFETY: the one owner, and made from a box.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

// SAFETY: a box stays where it is.
unsafe impl Entry for Item {
    type Record = Record;

    fn into_raw(self) -> NonNull<Record> {
        let record = self.0;
        std::mem::forget(self);
        record
    }

    unsafe fn from_raw(record: NonNull<Record>) -> Item {
        Item(record)
    }

    fn pin(&self) -> Option<u16> {
        // SAFETY: the one owner.
        unsafe { self.0.as_ref() }.pin
    }

    fn is_stale(&self) -> bool {
        // SAFETY: the one owner.
        unsafe { self.0.as_ref() }.stale
    }

    fn link(record: &Record) -> &Link<Record> {
        &record.link
    }
}
