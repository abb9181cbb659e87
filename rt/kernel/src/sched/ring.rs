//! The ready tasks of one worker: a ring, oldest first, and the newest-first slot beside it
//! (SCH-9). The worker that owns it pushes and pops; thieves take the oldest half (SCH-15).
//!
//! Invariants of the ring
//! 1. Positions count up from zero and never wrap: `head <= tail <= head + SLOTS`. The slot of a
//!    position is its remainder. Entries at `head..tail` are in the ring.
//! 2. Only the owner moves `tail`, and writes slots; both `head`s, of the owner and of thieves,
//!    move by compare-and-swap. Whoever moves it over a position has taken the entry there.
//! 3. Who takes reads the slots first and then moves `head` from where it was. The head only grows,
//!    so success means that it stood there all the time, hence that no slot at or after it was
//!    written again: the owner writes the slot of position p + SLOTS only when it saw `head > p`.
//!    Without success nothing that was read is used.
//!
//! Orderings of the ring
//! - `tail`: the owner's Release after the write of the slot pairs with a thief's Acquire, so the
//!   thief finds the entry and the record behind it.
//! - `head`: a taker's Release after its reads of slots pairs with the owner's Acquire in `push`,
//!   so the write of a reused slot comes after the reads. Its Acquire, with that of the load that
//!   begins a theft, brings the tail that the mover before saw: a thief never sees `tail < head`.
//! - The slot beside the ring: one word, swapped. Release by who puts an entry, Acquire by who
//!   takes.
//! - Emptiness is a hint; a worker that goes to sleep relies on it only after the fence of SCH-21.
#![allow(unsafe_code, reason = "holds entries as raw pointers")]

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::entry::Entry;
use super::injector::{BATCH, Injector};
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering::*};

/// Places in a ring. Fewer under the model checker, so that it sees the ring full and reused.
pub const SLOTS: usize = if cfg!(loom) { 4 } else { 256 };

/// What everybody sees of it. See the module.
pub struct Ring<T: Entry> {
    head: AtomicUsize,
    tail: AtomicUsize,
    /// The newest-first slot.
    newest: AtomicPtr<T::Record>,
    slots: [AtomicPtr<T::Record>; SLOTS],
    /// There is an [`Owner`].
    owned: AtomicBool,
    owns: PhantomData<T>,
}

// SAFETY: entries may go to other threads, and all fields are atomic.
unsafe impl<T: Entry> Send for Ring<T> {}
// SAFETY: as above; what only the owner may do is behind `Owner`.
unsafe impl<T: Entry> Sync for Ring<T> {}

impl<T: Entry> Default for Ring<T> {
    fn default() -> Ring<T> {
        Ring::new()
    }
}

impl<T: Entry> Ring<T> {
    /// Empty.
    pub fn new() -> Ring<T> {
        Ring {
            head: AtomicUsize::new(0),
            tail: AtomicUsize::new(0),
            newest: AtomicPtr::new(ptr::null_mut()),
            slots: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            owned: AtomicBool::new(false),
            owns: PhantomData,
        }
    }

    /// The one owner; `None` while there is another. A thread that took over from one that ended
    /// goes on with what is queued.
    pub fn own(self: &Arc<Ring<T>>) -> Option<Owner<T>> {
        // Acquire pairs with the Release of the owner before: its tail and slots are ours now.
        let taken = self
            .owned
            .compare_exchange(false, true, Acquire, Relaxed)
            .is_err();
        (!taken).then(|| Owner {
            ring: self.clone(),
            one_thread: PhantomData,
        })
    }

    /// How many are in the ring, without the slot: a hint, exact for the owner but for thefts.
    #[inline]
    pub fn len(&self) -> usize {
        let head = self.head.load(Relaxed);
        self.tail.load(Relaxed).saturating_sub(head)
    }

    /// Whether something is in the ring, the slot left aside: a hint.
    #[inline]
    pub fn queued(&self) -> bool {
        self.head.load(Relaxed) != self.tail.load(Relaxed)
    }

    /// Whether the newest-first slot is taken: a hint.
    #[inline]
    pub fn has_newest(&self) -> bool {
        !self.newest.load(Relaxed).is_null()
    }

    /// Whether there is nothing to take: a hint.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0 && !self.has_newest()
    }

    /// Takes what the slot holds. Thieves do so when the ring is empty: else a task that was woken
    /// by one that does not return would wait for it.
    pub fn take_newest(&self) -> Option<T> {
        if !self.has_newest() {
            return None;
        }
        let taken = self.newest.swap(ptr::null_mut(), Acquire);
        // SAFETY: the swap took it out, so it is ours alone.
        NonNull::new(taken).map(|entry| unsafe { T::from_raw(entry) })
    }

    /// Takes up to `most` of the oldest, at most `N` and, for a thief, half of what there is,
    /// rounded up; gives each to `each`, oldest first. Returns how many.
    #[inline]
    fn take<const N: usize>(&self, most: usize, half: bool, each: impl FnMut(T)) -> usize {
        let mut read: [*mut T::Record; N] = [ptr::null_mut(); N];
        let mut head = self.head.load(Acquire);
        loop {
            let there = self.tail.load(Acquire) - head;
            let allowed = if half { there.div_ceil(2) } else { there };
            let n = most.min(allowed).min(N);
            if n == 0 {
                return 0;
            }
            for (at, place) in read.iter_mut().enumerate().take(n) {
                // Relaxed: the tail was acquired (see the module).
                *place = self.slots[(head + at) % SLOTS].load(Relaxed);
            }
            match self
                .head
                .compare_exchange_weak(head, head + n, AcqRel, Acquire)
            {
                Ok(_) => {
                    let taken = read[..n].iter().filter_map(|&entry| NonNull::new(entry));
                    // SAFETY: moving the head took them (invariants 2 and 3).
                    taken
                        .map(|entry| unsafe { T::from_raw(entry) })
                        .for_each(each);
                    return n;
                }
                Err(seen) => head = seen,
            }
        }
    }
}

impl<T: Entry> Drop for Ring<T> {
    fn drop(&mut self) {
        drop(self.take_newest());
        while self.take::<BATCH>(BATCH, false, drop) > 0 {}
    }
}

impl<T: Entry> std::fmt::Debug for Ring<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ring").field("len", &self.len()).finish()
    }
}

/// The side of the owner. It may go to another thread, but is never used by two.
pub struct Owner<T: Entry> {
    ring: Arc<Ring<T>>,
    one_thread: PhantomData<Cell<()>>,
}

impl<T: Entry> Owner<T> {
    /// What thieves see.
    pub fn ring(&self) -> &Arc<Ring<T>> {
        &self.ring
    }

    /// Puts a task at the end. A full ring gives its oldest half to the injector first, at once.
    /// True if it did: then others have something to take.
    #[inline]
    pub fn push(&self, entry: T, overflow: &Injector<T>) -> bool {
        let ring = &*self.ring;
        // Relaxed: written by the owner only.
        let tail = ring.tail.load(Relaxed);
        // Acquire: see the module.
        let full = tail - ring.head.load(Acquire) >= SLOTS;
        if full {
            self.give_up(overflow);
        }
        // Nobody but the owner fills the ring, so there is room now.
        ring.slots[tail % SLOTS].store(entry.into_raw().as_ptr(), Relaxed);
        ring.tail.store(tail + 1, Release);
        full
    }

    /// Gives the oldest half away, a batch at a time.
    #[cold]
    fn give_up(&self, overflow: &Injector<T>) {
        let mut left = SLOTS / 2;
        while left > 0 {
            let mut batch: [Option<T>; BATCH] = [const { None }; BATCH];
            let mut places = batch.iter_mut();
            let taken = self.ring.take::<BATCH>(left, false, |entry| {
                if let Some(place) = places.next() {
                    *place = Some(entry);
                }
            });
            if taken == 0 {
                return; // Thieves took the rest.
            }
            left -= taken;
            overflow.push_batch(batch.into_iter().flatten());
        }
    }

    /// Puts a task that was just woken into the newest-first slot; who was there goes to the ring.
    /// True if there was one, so that others have something to take.
    pub fn push_newest(&self, entry: T, overflow: &Injector<T>) -> bool {
        let entry = entry.into_raw().as_ptr();
        // Release for a thief that takes it; Acquire for what it replaces, which the ring hands on.
        let before = self.ring.newest.swap(entry, AcqRel);
        let Some(before) = NonNull::new(before) else {
            return false;
        };
        // SAFETY: the swap took it out.
        self.push(unsafe { T::from_raw(before) }, overflow);
        true
    }

    /// Takes what the slot holds.
    pub fn pop_newest(&self) -> Option<T> {
        self.ring.take_newest()
    }

    /// Takes the oldest of the ring.
    #[inline]
    pub fn pop(&self) -> Option<T> {
        let mut popped = None;
        self.ring.take::<1>(1, false, |entry| popped = Some(entry));
        popped
    }

    /// Takes the oldest half of another ring, at most [`BATCH`]: the oldest to be run now, the
    /// others into this ring, in their order (SCH-15). A pinned task that it meets goes to `home`
    /// (SCH-16).
    pub fn steal(
        &self,
        victim: &Ring<T>,
        overflow: &Injector<T>,
        mut home: impl FnMut(u16, T),
    ) -> Stolen<T> {
        let mut first = None;
        let mut count = 0;
        victim.take::<BATCH>(BATCH, true, |entry| {
            if let Some(worker) = entry.pin() {
                home(worker, entry);
                return;
            }
            count += 1;
            if first.is_none() {
                first = Some(entry);
            } else {
                self.push(entry, overflow);
            }
        });
        Stolen { first, count }
    }

    /// Takes this worker's share of the injector: the oldest to be run now, the others into the
    /// ring. With a full ring its oldest half goes behind the injector's, so neither waits for
    /// ever.
    pub fn refill(&self, injector: &Injector<T>, workers: usize) -> Option<T> {
        injector.pop_batch(injector.share(workers), |entry| {
            self.push(entry, injector);
        })
    }
}

impl<T: Entry> Drop for Owner<T> {
    fn drop(&mut self) {
        // Release: see `own`.
        self.ring.owned.store(false, Release);
    }
}

impl<T: Entry> std::fmt::Debug for Owner<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.ring.fmt(f)
    }
}

/// What a theft brought.
#[derive(Debug)]
pub struct Stolen<T> {
    /// The oldest.
    pub first: Option<T>,
    /// How many, with it.
    pub count: usize,
}
