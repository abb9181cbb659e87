//! Records that never move: slots in chunks that grow by doubling.
//!
//! Invariants
//! 1. A slot keeps its type and its address as long as the slab lives. Whoever holds a counted
//!    reference to a record may read its atomics at any time; nothing else is promised.
//! 2. A slot is handed out to one owner at a time: it is either on the free list or owned. The list
//!    is a stack linked through the records; its head counts how often it changed, so a head that
//!    was popped and pushed again in between is told from one that stayed.
//! 3. Slots are reused last freed first, so equal sequences give equal indices (VAL-30). A thread
//!    that runs tasks keeps some for itself (`pocket`), where the driver says so.
//! 4. A slot whose generation reached its end is never handed out again (VAL-29).
//!
//! Chunk `k` holds `64 << k` slots, so an index finds its chunk without a lock, and a slab of a
//! million records is fifteen allocations. Fresh chunks are zeroed lazily by the system: memory is
//! touched slot by slot.
#![allow(unsafe_code, reason = "hands out references into chunks that it owns")]

mod pocket;
#[cfg(all(test, not(loom)))]
mod tests;

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};

use crate::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::*};
use crate::sync::{Mutex, lock, rank};

pub(crate) use pocket::Seat;
use pocket::{BATCH, Pocket};

/// What lives in a slab.
pub(crate) trait Record: Sized {
    /// A record for a slot that was never used. It is generation 0; the first use makes it 1.
    fn new(index: u32) -> Self;
    /// The place of the record in its slab.
    fn index(&self) -> u32;
    /// How often the slot was handed out.
    fn generation(&self) -> &AtomicU32;
    /// Links the slot to the next free one while nobody owns it: index + 1, 0 is none.
    fn link(&self) -> &AtomicU32;
    /// Whether somebody owns the slot; never for one that stays to the end of the slab.
    fn is_owned(&self) -> bool;
}

const CHUNKS: usize = 26;
const FIRST: u32 = 64;

/// See the module.
pub(crate) struct Slab<T: Record> {
    chunks: [AtomicPtr<T>; CHUNKS],
    /// Slots that were ever handed out; below it the chunks are initialized.
    len: AtomicU32,
    /// How often the list changed, above the index of the first free slot + 1.
    free: AtomicU64,
    /// Held to hand out a slot that was never used.
    grow: Mutex<(), rank::SlabGrow>,
    pockets: Box<[Pocket<T>]>,
}

// SAFETY: the slab owns its records as a vector does; the raw pointers are to its own chunks.
unsafe impl<T: Record + Send + Sync> Send for Slab<T> {}
// SAFETY: shared access gives `&T`, and `T: Sync`; the free list is atomic.
unsafe impl<T: Record + Send + Sync> Sync for Slab<T> {}

impl<T: Record> Slab<T> {
    /// An empty slab, with pockets for so many threads.
    pub(crate) fn new(threads: usize) -> Slab<T> {
        Slab {
            chunks: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            len: AtomicU32::new(0),
            free: AtomicU64::new(0),
            grow: Mutex::new(()),
            pockets: (0..threads).map(|_| Pocket::new()).collect(),
        }
    }

    /// This thread has the pocket of its seat from here on. False if another thread has it.
    pub(crate) fn enter(&self, seat: &Seat) -> bool {
        seat.enter(&self.pockets)
    }

    /// The next thread may have it; what is in it stays.
    pub(crate) fn leave(&self, seat: &Seat) {
        seat.leave(&self.pockets);
    }

    /// A slot of its own, one generation older than before.
    #[inline]
    pub(crate) fn alloc(&self) -> NonNull<T> {
        let mine = Pocket::mine(&self.pockets);
        let slot = match mine.and_then(|mine| mine.take()) {
            Some(slot) => slot,
            None => self.shared(),
        };
        // SAFETY: `slot` is initialized (by invariant of `len`), and its address is stable.
        let generation = unsafe { slot.as_ref() }.generation();
        // Relaxed: the owner publishes the record itself when it publishes the id.
        generation.store(generation.load(Relaxed) + 1, Relaxed);
        slot
    }

    /// Gives a slot back.
    ///
    /// # Safety
    /// The caller owns the slot, and nobody uses it any more.
    #[inline]
    pub(crate) unsafe fn free(&self, slot: NonNull<T>) {
        // SAFETY: the caller owns an initialized slot.
        let record = unsafe { slot.as_ref() };
        if record.generation().load(Relaxed) == u32::MAX {
            return;
        }
        let Some(mine) = Pocket::mine(&self.pockets) else {
            return self.push(slot, slot);
        };
        if mine.put(slot) {
            return;
        }
        let oldest = mine.oldest();
        mine.put(slot);
        // The newest of them is handed out first.
        for (above, below) in oldest[1..].iter().zip(&oldest) {
            // SAFETY: free slots of the thread's own.
            let (above, below) = unsafe { (above.as_ref(), below.as_ref()) };
            above.link().store(below.index() + 1, Relaxed);
        }
        self.push(oldest[BATCH - 1], oldest[0]);
    }

    /// Puts slots on the list that are linked from `first` to `last` and belong to the caller.
    fn push(&self, first: NonNull<T>, last: NonNull<T>) {
        // SAFETY: initialized, and the caller's.
        let (first, last) = unsafe { (first.as_ref(), last.as_ref()) };
        let mut head = self.free.load(Relaxed);
        loop {
            last.link().store(head as u32, Relaxed);
            let next = changed(head) | u64::from(first.index() + 1);
            // Release publishes links and records to who pops them.
            match self
                .free
                .compare_exchange_weak(head, next, Release, Relaxed)
            {
                Ok(_) => return,
                Err(seen) => head = seen,
            }
        }
    }

    /// A slot of the list, or one that was never used.
    fn shared(&self) -> NonNull<T> {
        self.pop().unwrap_or_else(|| self.fresh())
    }

    fn pop(&self) -> Option<NonNull<T>> {
        let mut head = self.free.load(Acquire);
        loop {
            let slot = self.slot((head as u32).checked_sub(1)?);
            // SAFETY: initialized, and its address is stable. The link is stale if somebody else
            // pops the slot now; then the head has changed too.
            let link = unsafe { slot.as_ref() }.link().load(Relaxed);
            let next = changed(head) | u64::from(link);
            // Acquire pairs with the Release of who freed the slot.
            match self
                .free
                .compare_exchange_weak(head, next, Acquire, Acquire)
            {
                Ok(_) => return Some(slot),
                Err(seen) => head = seen,
            }
        }
    }

    /// The record at an index, if that slot was ever used. It may belong to somebody else by now:
    /// the caller compares generations.
    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        if index >= self.len.load(Acquire) {
            return None;
        }
        // SAFETY: below `len` slots are initialized, and they live as long as the slab.
        Some(unsafe { self.slot(index).as_ref() })
    }

    /// The same for the address of a record; `None` for any other.
    pub(crate) fn at(&self, address: usize) -> Option<&T> {
        (0..CHUNKS).find_map(|number| {
            let chunk = self.chunks[number].load(Acquire) as usize;
            let offset = address.checked_sub(chunk).filter(|_| chunk != 0)?;
            let inside = offset / size_of::<T>();
            if inside >= (FIRST as usize) << number || !offset.is_multiple_of(size_of::<T>()) {
                return None;
            }
            self.get(FIRST * ((1 << number) - 1) + inside as u32)
        })
    }

    /// Every slot that was ever used, in order of index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let len = self.len.load(Acquire);
        (0..len).filter_map(|index| self.get(index))
    }

    /// How many slots were ever handed out: as many as were owned at a time.
    pub(crate) fn used(&self) -> u32 {
        self.len.load(Relaxed)
    }

    /// How many slots are owned.
    pub(crate) fn owned(&self) -> usize {
        self.iter().filter(|record| record.is_owned()).count()
    }

    #[inline]
    fn slot(&self, index: u32) -> NonNull<T> {
        let (chunk, offset) = place(index);
        let base = self.chunks[chunk].load(Acquire);
        // SAFETY: `index` was handed out before, so the chunk exists and holds the offset.
        unsafe { NonNull::new_unchecked(base.add(offset)) }
    }

    /// The next slot that was never used.
    #[cold]
    fn fresh(&self) -> NonNull<T> {
        let _grow = lock(&self.grow);
        let index = self.len.load(Relaxed);
        let (chunk, offset) = place(index);
        assert!(chunk < CHUNKS, "4 billion records of one kind are alive");
        let mut base = self.chunks[chunk].load(Relaxed);
        if base.is_null() {
            let layout = layout::<T>(chunk);
            // SAFETY: a chunk is never empty, and records are no zero-sized types.
            base = unsafe { alloc_zeroed(layout) }.cast();
            if base.is_null() {
                handle_alloc_error(layout);
            }
            // Release pairs with the Acquire in `slot`.
            self.chunks[chunk].store(base, Release);
        }
        // SAFETY: the chunk has room for the offset, and nobody else writes a fresh slot: the lock
        // is held.
        let slot = unsafe {
            let slot = base.add(offset);
            slot.write(T::new(index));
            NonNull::new_unchecked(slot)
        };
        // Release pairs with the Acquire in `get`: the record is initialized below `len`.
        self.len.store(index + 1, Release);
        slot
    }
}

impl<T: Record> Drop for Slab<T> {
    fn drop(&mut self) {
        let len = self.len.load(Acquire);
        for index in 0..len {
            // SAFETY: initialized, and nobody refers to it: the slab is dropped.
            unsafe { self.slot(index).drop_in_place() };
        }
        for (chunk, base) in self.chunks.iter().enumerate() {
            let base = base.load(Acquire);
            if !base.is_null() {
                // SAFETY: allocated in `fresh` with this layout.
                unsafe { dealloc(base.cast(), layout::<T>(chunk)) };
            }
        }
    }
}

/// The upper half of the next head.
fn changed(head: u64) -> u64 {
    ((head >> 32) + 1) << 32
}

/// Chunk and offset of an index.
#[inline]
fn place(index: u32) -> (usize, usize) {
    let n = index / FIRST + 1;
    let chunk = n.ilog2();
    let start = FIRST as u64 * ((1u64 << chunk) - 1);
    (chunk as usize, (u64::from(index) - start) as usize)
}

fn layout<T>(chunk: usize) -> Layout {
    Layout::array::<T>((FIRST as usize) << chunk).expect("a chunk fits the address space")
}
