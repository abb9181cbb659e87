//! The allocator of a test program, which counts what each thread asks of it.
#![allow(unsafe_code, reason = "an allocator that counts")]
#![allow(dead_code, reason = "each test program uses some of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Forwards to the system's. Growing in place is an allocation and a release.
struct Counting;

thread_local! {
    // Constant and without destructor: it neither allocates nor unwinds.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static RELEASES: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<i64> = const { Cell::new(0) };
}

fn allocates(layout: Layout) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    LIVE.set(LIVE.get() + layout.size() as i64);
}

// SAFETY: hands on to the system's allocator what it was given.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        allocates(layout);
        // SAFETY: the contract is the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocates(layout);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        RELEASES.set(RELEASES.get() + 1);
        LIVE.set(LIVE.get() - layout.size() as i64);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations of this thread so far.
pub(crate) fn allocations() -> u64 {
    ALLOCATIONS.get()
}

/// Allocations and releases of this thread so far.
pub(crate) fn operations() -> u64 {
    ALLOCATIONS.get() + RELEASES.get()
}

/// Bytes that this thread allocated, less those that it released.
pub(crate) fn live() -> i64 {
    LIVE.get()
}

/// What `run` allocates on this thread.
pub(crate) fn counted<T>(run: impl FnOnce() -> T) -> (T, u64) {
    let before = allocations();
    let value = run();
    (value, allocations() - before)
}
