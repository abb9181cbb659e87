//! Memory of frames: blocks of 16-byte classes, cut from chunks that all kernels share.
//!
//! Invariants
//! 1. A block belongs to one frame, to the free list of one thread (`Thread::free`), or to a batch
//!    of the pool. A free block holds the next one, how many follow in its list, and, at the head
//!    of a batch, the next batch.
//! 2. A thread that has `KEPT` free blocks of a class gives the older half to the pool; one that
//!    has none takes a batch. So the pool's lock is taken once in many frames, and blocks that one
//!    thread allocates and another frees come back.
//! 3. `out` counts the blocks that are not in the pool. When it is zero, and all lists of threads
//!    are given back ([`give_back`]), the chunks go back to the system.
//! 4. Frames above the largest class come from the system's allocator, one by one.
#![allow(unsafe_code, reason = "hands out raw memory")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr;

use asr_abi::{Thread, thread::FRAME_CLASSES};
use asr_lock::{Mutex, rank};

/// Bytes of a class.
pub(crate) const UNIT: usize = 16;
/// The smallest frame is a header.
const LEAST: usize = size_of::<asr_abi::Frame>();
/// Free blocks of one class that a thread keeps at most.
const KEPT: usize = 64;
/// Blocks that thread and pool exchange at once.
const BATCH: usize = KEPT / 2;
/// Bytes of a chunk; at least two batches of the largest class.
const CHUNK: usize = 64 * 1024;

/// What a free block holds.
#[repr(C)]
struct Free {
    next: *mut Free,
    /// Blocks in the list that begins here.
    count: usize,
    /// The next batch of the pool.
    batch: *mut Free,
}

const _: () = assert!(size_of::<Free>() <= LEAST);

/// One class in the pool.
struct Class {
    batches: *mut Free,
    /// What is left of the newest chunk.
    fresh: *mut u8,
    left: usize,
}

struct Pool {
    classes: [Class; FRAME_CLASSES + 1],
    chunks: Vec<*mut u8>,
    /// Blocks that are not here.
    out: usize,
}

// SAFETY: the pointers are to memory that the pool owns.
unsafe impl Send for Pool {}

static POOL: Mutex<Pool, rank::Frames> = Mutex::new(Pool {
    classes: [const {
        Class {
            batches: ptr::null_mut(),
            fresh: ptr::null_mut(),
            left: 0,
        }
    }; FRAME_CLASSES + 1],
    chunks: Vec::new(),
    out: 0,
});

fn chunk() -> Layout {
    Layout::from_size_align(CHUNK, UNIT).expect("a constant")
}

fn large(class: usize) -> Layout {
    Layout::from_size_align(class * UNIT, UNIT).expect("checked by `class_of`")
}

/// The class of a frame of `size` bytes; none if no frame is that large.
pub(crate) fn class_of(size: u64) -> Option<u32> {
    let size = size.max(LEAST as u64);
    let class = size.div_ceil(UNIT as u64);
    // Half of the word is left to the root frame's context.
    (class <= u64::from(u16::MAX)).then_some(class as u32)
}

impl Pool {
    /// A batch of `BATCH` blocks at most, linked and counted; at least one.
    fn take(&mut self, class: usize) -> *mut Free {
        let from = &mut self.classes[class];
        if !from.batches.is_null() {
            let batch = from.batches;
            // SAFETY: the head of a batch in the pool.
            unsafe {
                from.batches = (*batch).batch;
                self.out += (*batch).count;
            }
            return batch;
        }
        let size = class * UNIT;
        if from.left < size {
            // SAFETY: the size is not zero.
            let fresh = unsafe { alloc(chunk()) };
            if fresh.is_null() {
                handle_alloc_error(chunk());
            }
            self.chunks.push(fresh);
            from.fresh = fresh;
            from.left = CHUNK;
        }
        let mut list: *mut Free = ptr::null_mut();
        let mut count = 0;
        while count < BATCH && from.left >= size {
            let block = from.fresh.cast::<Free>();
            count += 1;
            // SAFETY: `left` bytes of the chunk are nobody's yet.
            unsafe {
                block.write(Free {
                    next: list,
                    count,
                    batch: ptr::null_mut(),
                });
                from.fresh = from.fresh.add(size);
            }
            from.left -= size;
            list = block;
        }
        self.out += count;
        list
    }

    /// Takes a list back.
    ///
    /// # Safety
    /// `batch` begins a counted list of free blocks of the class, which is the pool's from here on.
    unsafe fn put(&mut self, class: usize, batch: *mut Free) {
        let to = &mut self.classes[class];
        // SAFETY: by the contract.
        unsafe {
            (*batch).batch = to.batches;
            self.out -= (*batch).count;
        }
        to.batches = batch;
    }

    /// All blocks are here: the chunks go.
    fn trim(&mut self) {
        if self.out != 0 {
            return;
        }
        for class in &mut self.classes {
            class.batches = ptr::null_mut();
            class.fresh = ptr::null_mut();
            class.left = 0;
        }
        for memory in std::mem::take(&mut self.chunks) {
            // SAFETY: allocated in `take` with this layout, and no block of it is in use.
            unsafe { dealloc(memory, chunk()) };
        }
    }
}

/// Memory for a frame of the class, not initialized.
pub(crate) fn take(th: &Thread, class: u32) -> *mut u8 {
    let class = class as usize;
    let Some(list) = th.free.get(class - 1) else {
        // SAFETY: the size is not zero.
        let memory = unsafe { alloc(large(class)) };
        if memory.is_null() {
            handle_alloc_error(large(class));
        }
        return memory;
    };
    let mut first = list.get().cast::<Free>();
    if first.is_null() {
        first = POOL.lock().take(class);
    }
    // SAFETY: a free block of this thread.
    list.set(unsafe { (*first).next }.cast());
    first.cast()
}

/// Gives memory of [`take`] back, on any thread.
///
/// # Safety
/// It was taken with this class, and nobody uses it any more.
pub(crate) unsafe fn give(th: &Thread, class: u32, memory: *mut u8) {
    let class = class as usize;
    let Some(list) = th.free.get(class - 1) else {
        // SAFETY: allocated in `take` with this layout.
        return unsafe { dealloc(memory, large(class)) };
    };
    let next = list.get().cast::<Free>();
    let block = memory.cast::<Free>();
    // SAFETY: the block is free and ours, and so are those of the list.
    unsafe {
        let count = 1 + next.as_ref().map_or(0, |next| next.count);
        block.write(Free {
            next,
            count,
            batch: ptr::null_mut(),
        });
        list.set(block.cast());
        if count == KEPT {
            share(class, block);
        }
    }
}

/// Keeps the newer half of a full list.
///
/// # Safety
/// `block` begins a list of `KEPT` free blocks of this thread.
#[cold]
unsafe fn share(class: usize, block: *mut Free) {
    let mut at = block;
    // SAFETY: by the contract.
    unsafe {
        for left in (1..=KEPT - BATCH).rev() {
            (*at).count = left;
            if left > 1 {
                at = (*at).next;
            }
        }
        let older = std::mem::replace(&mut (*at).next, ptr::null_mut());
        POOL.lock().put(class, older);
    }
}

/// The thread keeps no free blocks any more: it ends, or a runtime that it started did.
pub(crate) fn give_back(th: &Thread) {
    let mut pool = POOL.lock();
    for (class, list) in th.free.iter().enumerate() {
        let first = list.replace(ptr::null_mut()).cast::<Free>();
        if !first.is_null() {
            // SAFETY: the list of this thread, which has let go of it.
            unsafe { pool.put(class + 1, first) };
        }
    }
    pool.trim();
}

/// Blocks that are in use or in the free lists of threads, and bytes of all chunks.
pub fn frame_memory() -> (usize, usize) {
    let pool = POOL.lock();
    (pool.out, pool.chunks.len() * CHUNK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_from_other_threads() {
        let th = crate::thread::adopt();
        for class in [2, 3, 4, 32, 33] {
            let taken: Vec<usize> = (0..500).map(|_| take(th, class) as usize).collect();
            let mut told = taken.clone();
            told.sort_unstable();
            told.dedup();
            assert_eq!(told.len(), taken.len(), "each has its own");
            for pair in told.windows(2) {
                assert!(pair[1] - pair[0] >= class as usize * UNIT);
            }
            std::thread::spawn(move || {
                let th = crate::thread::adopt();
                for memory in taken {
                    // SAFETY: taken above.
                    unsafe { give(th, class, memory as *mut u8) };
                }
            })
            .join()
            .expect("no panic");
        }
    }

    #[test]
    fn classes_cover_their_sizes() {
        assert_eq!(class_of(0), Some(2));
        assert_eq!(class_of(33), Some(3));
        assert_eq!(class_of(48), Some(3));
        assert_eq!(class_of(512), Some(32));
        assert_eq!(class_of(513), Some(33));
        assert_eq!(class_of(u64::MAX), None);
        assert_eq!(class_of(16 * 65535), Some(65535));
        assert_eq!(class_of(16 * 65535 + 1), None);
    }
}
