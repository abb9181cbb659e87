//! Free slots that a thread keeps for itself, so that it takes and gives them without the list that
//! all share.
//!
//! Protocol
//! 1. A driver says how many threads run tasks ([`Driver::threads`](crate::Driver::threads)); each
//!    slab has a pocket for each of them. A thread that runs tasks occupies one of that number, in
//!    all slabs of the kernel at once ([`Kernel::occupy`](crate::Kernel::occupy)).
//! 2. Only the thread whose number stands in `owner` touches the rest. It is entered by
//!    compare-and-swap from `VACANT`, and taken out by the thread itself, so the next owner finds
//!    what this one left.
//! 3. What is freed last is handed out first, as by the list behind it: a kernel that one thread
//!    uses hands out the same slots with a pocket and without. The lab has none all the same: the
//!    threads of its drivers are nobody's business.
#![allow(unsafe_code, reason = "cells that one thread at a time uses")]

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use crate::sync::atomic::{AtomicU64, Ordering::*};

/// Slots in a pocket. A full one gives half of them back in one step.
pub(super) const ROOM: usize = 32;
/// How many come and go between pocket and list at once.
pub(super) const BATCH: usize = ROOM / 2;

/// Nobody's pocket.
const VACANT: u64 = u64::MAX;

/// Who occupies a kernel: a number of the thread, 0 before it has one, and the place it has there.
#[derive(Clone, Copy)]
struct Me {
    thread: u64,
    place: u32,
}

thread_local! {
    static ME: Cell<Me> = const { Cell::new(Me { thread: 0, place: 0 }) };
}

/// See the module.
#[repr(align(64))]
pub(super) struct Pocket<T> {
    owner: AtomicU64,
    len: Cell<usize>,
    slots: [Cell<*mut T>; ROOM],
}

// SAFETY: `len` and `slots` are used by the owner alone, which `owner` hands on from thread to
// thread; what they point to is as in the slab.
unsafe impl<T: Send + Sync> Sync for Pocket<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Send for Pocket<T> {}

impl<T> Pocket<T> {
    pub(super) fn new() -> Pocket<T> {
        Pocket {
            owner: AtomicU64::new(VACANT),
            len: Cell::new(0),
            slots: [const { Cell::new(ptr::null_mut()) }; ROOM],
        }
    }

    /// The pocket of this thread among those of a slab.
    #[inline]
    pub(super) fn mine(pockets: &[Pocket<T>]) -> Option<Mine<'_, T>> {
        let me = ME.get();
        let pocket = pockets.get(me.place as usize)?;
        // Relaxed: only this thread writes its own number, or takes it out.
        let own = pocket.owner.load(Relaxed) == me.thread;
        own.then_some(Mine(pocket, PhantomData))
    }

    /// True if it was nobody's.
    fn enter(&self, thread: u64) -> bool {
        // Acquire pairs with the Release of who left.
        let entered = self
            .owner
            .compare_exchange(VACANT, thread, Acquire, Relaxed);
        entered.is_ok()
    }

    fn leave(&self) {
        self.owner.store(VACANT, Release);
    }
}

/// A pocket on its owner's thread.
pub(super) struct Mine<'p, T>(&'p Pocket<T>, PhantomData<*mut ()>);

impl<T> Mine<'_, T> {
    /// The slot that came last.
    #[inline]
    pub(super) fn take(&self) -> Option<NonNull<T>> {
        let last = self.0.len.get().checked_sub(1)?;
        self.0.len.set(last);
        NonNull::new(self.0.slots[last].get())
    }

    /// Keeps a slot, if there is room.
    #[inline]
    pub(super) fn put(&self, slot: NonNull<T>) -> bool {
        let len = self.0.len.get();
        let Some(place) = self.0.slots.get(len) else {
            return false;
        };
        place.set(slot.as_ptr());
        self.0.len.set(len + 1);
        true
    }

    /// Takes out the oldest half of a full one, the oldest first.
    pub(super) fn oldest(&self) -> [NonNull<T>; BATCH] {
        assert_eq!(
            self.0.len.get(),
            ROOM,
            "a pocket with room gives nothing back"
        );
        let oldest = std::array::from_fn(|at| {
            NonNull::new(self.0.slots[at].get()).expect("below the length there are slots")
        });
        for at in BATCH..ROOM {
            self.0.slots[at - BATCH].set(self.0.slots[at].get());
        }
        self.0.len.set(ROOM - BATCH);
        oldest
    }
}

/// The thread has a place in a kernel as long as this lives.
#[must_use]
pub(crate) struct Seat {
    me: Me,
    before: Me,
    here: PhantomData<*mut ()>,
}

impl Seat {
    /// From here on this thread has `place`, counted from 0.
    pub(crate) fn take(place: usize) -> Seat {
        let before = ME.get();
        let thread = match before.thread {
            0 => number(),
            known => known,
        };
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let me = Me { thread, place };
        ME.set(me);
        Seat {
            me,
            before: Me { thread, ..before },
            here: PhantomData,
        }
    }

    /// True if the pocket of this place was nobody's.
    pub(super) fn enter<T>(&self, pockets: &[Pocket<T>]) -> bool {
        let pocket = pockets.get(self.me.place as usize);
        pocket.is_some_and(|pocket| pocket.enter(self.me.thread))
    }

    /// After an `enter` that was true.
    pub(super) fn leave<T>(&self, pockets: &[Pocket<T>]) {
        if let Some(pocket) = pockets.get(self.me.place as usize) {
            pocket.leave();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        ME.set(self.before);
    }
}

/// A number that no other thread has, and never `VACANT`.
fn number() -> u64 {
    static LAST: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    // Relaxed: a name orders nothing.
    LAST.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1
}
