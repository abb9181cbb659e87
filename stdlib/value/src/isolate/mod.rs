//! Isolates: heaps that go from thread to thread as a whole, and what crosses between them.
//!
//! An isolate is made with its limits, entered on a thread for the time of a poll, left again, used
//! on another thread later, and dropped as a whole.
//!
//! Of each isolate its own: objects, the strings of one byte, random numbers. Of the program, and
//! shared by its isolates: constants ([`crate::heap`]), standard output (one stream; lines stay
//! whole), arguments, the way of calling. Of the thread: the limit of the native stack, so the
//! depth of calls.
//!
//! Invariants
//! 1. One thread at a time has entered an isolate: entering borrows it; debug builds look.
//! 2. A value of an isolate is used only by the thread that has entered it, or that owns it while
//!    nobody has, and not after it was dropped. Compiled code and this library keep this; whoever
//!    calls [`Isolate::enter`] takes no value out but in a [`Message`].
//! 3. The memory of an isolate is freed when nothing refers to it: the healer has let go of its
//!    records.
#![allow(unsafe_code, reason = "keeps heaps behind raw pointers")]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use asr_abi::Thread;

use crate::heap::Heap;

mod job;
mod message;
mod pack;
mod path;
mod unpack;

pub use job::{Done, Job};
pub use message::Message;
pub use pack::{Reach, pack};
pub use path::Refused;
pub use unpack::{Unpack, unpack};

/// Isolates that live. A count only: nothing is ordered by it.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Limits of an isolate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of its heap.
    pub heap: u64,
}

/// A heap of its own, which may go to another thread.
#[derive(Debug)]
pub struct Isolate {
    heap: NonNull<Heap>,
}

// SAFETY: owns the heap, which is `Send`.
unsafe impl Send for Isolate {}

impl Isolate {
    /// The main isolate of a program. `None` when there is no memory for it.
    pub fn new(limits: Limits) -> Option<Isolate> {
        Heap::new(limits.heap).map(Isolate::own)
    }

    /// Another isolate of the program that a heap belongs to. `None` when there is no memory for
    /// it.
    pub fn beside(heap: &Heap, limits: Limits) -> Option<Isolate> {
        heap.beside(limits.heap).map(Isolate::own)
    }

    fn own(heap: Heap) -> Isolate {
        LIVE.fetch_add(1, Relaxed);
        Isolate {
            heap: NonNull::from(Box::leak(Box::new(heap))),
        }
    }

    /// How many there are in this process.
    pub fn live() -> usize {
        LIVE.load(Relaxed)
    }

    /// Its heap: to place values in it before it runs, and to look at them after.
    pub fn heap(&self) -> &Heap {
        // SAFETY: boxed by `own`, freed by `drop` alone.
        unsafe { self.heap.as_ref() }
    }

    /// Makes it the isolate of the calling thread while `run` runs: what compiled code and natives
    /// do meanwhile, they do in it. Afterwards the thread has its earlier isolate.
    pub fn enter<R>(&mut self, th: &Thread, run: impl FnOnce(&Heap) -> R) -> R {
        struct Leave<'a>(&'a Heap, &'a Thread);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.leave(self.1);
            }
        }
        // SAFETY: alive while `self` is borrowed, and borrowed by this call alone; `Leave` ends it,
        // also when `run` panics.
        unsafe { Heap::enter(th, self.heap.as_ptr()) };
        let leave = Leave(self.heap(), th);
        run(leave.0)
    }
}

impl Drop for Isolate {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Relaxed);
        if !self.heap().retire_records() {
            // A handler drops the isolate of a record that waits: nobody may wait for it here, so
            // the memory is given up.
            return;
        }
        // SAFETY: boxed by `own`; nobody has entered it, and the healer knows none of its records.
        drop(unsafe { Box::from_raw(self.heap.as_ptr()) });
    }
}
