//! Records that never move: slots in chunks that grow by doubling.
//!
//! Invariants
//! 1. A slot keeps its type and its address as long as the slab lives. Whoever holds a counted
//!    reference to a record may read its atomics at any time; nothing else is promised.
//! 2. A slot is handed out to one owner at a time: it is either on the free list or owned.
//! 3. Slots are reused last freed first, so equal sequences give equal indices (VAL-30).
//! 4. A slot whose generation reached its end is never handed out again (VAL-29).
//!
//! Chunk `k` holds `64 << k` slots, so an index finds its chunk without a lock, and a slab of a
//! million records is fifteen allocations. Fresh chunks are zeroed lazily by the system: memory is
//! touched slot by slot.
#![allow(unsafe_code, reason = "hands out references into chunks that it owns")]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};

use crate::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};
use crate::sync::{Mutex, lock};

/// What lives in a slab.
pub(crate) trait Record: Sized {
    /// A record for a slot that was never used. It is generation 0; the first use makes it 1.
    fn new(index: u32) -> Self;
    /// The place of the record in its slab.
    fn index(&self) -> u32;
    /// How often the slot was handed out.
    fn generation(&self) -> &AtomicU32;
}

const CHUNKS: usize = 26;
const FIRST: u32 = 64;

/// See the module.
pub(crate) struct Slab<T: Record> {
    chunks: [AtomicPtr<T>; CHUNKS],
    /// Slots that were ever handed out; below it the chunks are initialized.
    len: AtomicU32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: Vec<u32>,
    owned: u32,
    /// Of these, how many stay to the end and keep nobody alive.
    pinned: u32,
}

// SAFETY: the slab owns its records as a vector does; the raw pointers are to its own chunks.
unsafe impl<T: Record + Send + Sync> Send for Slab<T> {}
// SAFETY: shared access gives `&T`, and `T: Sync`; the free list is under a lock.
unsafe impl<T: Record + Send + Sync> Sync for Slab<T> {}

impl<T: Record> Slab<T> {
    pub(crate) fn new() -> Slab<T> {
        Slab {
            chunks: std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())),
            len: AtomicU32::new(0),
            state: Mutex::new(State::default()),
        }
    }

    /// A slot of its own, one generation older than before, and whether it is the only one that
    /// counts.
    pub(crate) fn alloc(&self) -> (NonNull<T>, bool) {
        let mut state = lock(&self.state);
        state.owned += 1;
        let first = state.owned == state.pinned + 1;
        let slot = match state.free.pop() {
            Some(index) => self.slot(index),
            None => self.fresh(),
        };
        drop(state);
        // SAFETY: `slot` is initialized (by invariant of `len`), and its address is stable.
        let generation = unsafe { slot.as_ref() }.generation();
        // Relaxed: the owner publishes the record itself when it publishes the id.
        generation.store(generation.load(Relaxed) + 1, Relaxed);
        (slot, first)
    }

    /// Gives a slot back. True if none that counts is owned any more.
    ///
    /// # Safety
    /// The caller owns the slot, and nobody uses it any more.
    pub(crate) unsafe fn free(&self, slot: NonNull<T>) -> bool {
        // SAFETY: the caller owns an initialized slot.
        let record = unsafe { slot.as_ref() };
        let retired = record.generation().load(Relaxed) == u32::MAX;
        let mut state = lock(&self.state);
        if !retired {
            state.free.push(record.index());
        }
        state.owned -= 1;
        state.owned == state.pinned
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

    /// Every slot that was ever used, in order of index.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let len = self.len.load(Acquire);
        (0..len).filter_map(|index| self.get(index))
    }

    /// The one owned slot stays to the end of the slab: it does not count any more.
    pub(crate) fn pin(&self) {
        let mut state = lock(&self.state);
        assert!(
            state.owned == 1 && state.pinned == 0,
            "pinned at the start, once"
        );
        state.pinned = 1;
    }

    /// How many slots are owned, without the pinned one.
    pub(crate) fn owned(&self) -> u32 {
        let state = lock(&self.state);
        state.owned - state.pinned
    }

    fn slot(&self, index: u32) -> NonNull<T> {
        let (chunk, offset) = place(index);
        let base = self.chunks[chunk].load(Acquire);
        // SAFETY: `index` was handed out before, so the chunk exists and holds the offset.
        unsafe { NonNull::new_unchecked(base.add(offset)) }
    }

    /// The next slot that was never used. The lock on the state is held.
    fn fresh(&self) -> NonNull<T> {
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
        // SAFETY: the chunk has room for the offset, and nobody else writes a fresh slot: the
        // caller holds the lock.
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

/// Chunk and offset of an index.
fn place(index: u32) -> (usize, usize) {
    let n = index / FIRST + 1;
    let chunk = n.ilog2();
    let start = FIRST as u64 * ((1u64 << chunk) - 1);
    (chunk as usize, (u64::from(index) - start) as usize)
}

fn layout<T>(chunk: usize) -> Layout {
    Layout::array::<T>((FIRST as usize) << chunk).expect("a chunk fits the address space")
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn every_index_has_its_own_place() {
        let mut before = (0, 0);
        for index in 1..100_000 {
            let here = place(index);
            let next = (before.0, before.1 + 1);
            let jump = (before.0 + 1, 0);
            assert!(here == next || (here == jump && next.1 == 64 << before.0));
            before = here;
        }
        assert!(place(u32::MAX).0 < super::CHUNKS + 1);
    }
}
