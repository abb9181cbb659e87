//! The isolate of a region: the heap of values of its tasks, and the worker that has it (SCH-48).
//!
//! Invariants
//! 1. A region has the isolate of its parent, and its worker, unless it is given one of its own.
//! 2. The first task that is admitted with a pin says which worker that is. Finalizers of the
//!    region are code of the isolate too, so they run there and nowhere else.

use std::ffi::c_void;
use std::ptr;

use super::record::Region;
use crate::sync::atomic::{AtomicPtr, AtomicU16, Ordering::Relaxed};

/// See the module.
pub(super) struct Isolate {
    heap: AtomicPtr<c_void>,
    /// The worker plus one; 0 is any.
    pin: AtomicU16,
}

impl Default for Isolate {
    fn default() -> Isolate {
        Isolate {
            heap: AtomicPtr::new(ptr::null_mut()),
            pin: AtomicU16::new(0),
        }
    }
}

impl Isolate {
    /// That of the parent, if any.
    pub(super) fn renew(&self, parent: Option<&Isolate>) {
        let of = |parent: &Isolate| (parent.heap.load(Relaxed), parent.pin.load(Relaxed));
        let (heap, pin) = parent.map_or((ptr::null_mut(), 0), of);
        self.heap.store(heap, Relaxed);
        self.pin.store(pin, Relaxed);
    }
}

impl Region {
    /// What `Thread::isolate` is while its tasks are polled; null leaves that of the thread.
    #[inline]
    pub fn isolate(&self) -> *mut c_void {
        self.isolate.heap.load(Relaxed)
    }

    /// Gives a region without tasks an isolate, for itself and the regions opened below it.
    pub fn set_isolate(&self, isolate: *mut c_void) {
        self.isolate.heap.store(isolate, Relaxed);
        self.isolate.pin.store(0, Relaxed);
    }

    /// A task that is pinned to this worker is admitted, or opened the region (invariant 2).
    pub(super) fn met_pin(&self, worker: u16) {
        let pin = &self.isolate.pin;
        if !self.isolate().is_null() && pin.load(Relaxed) == 0 {
            // Relaxed: under the lock of the region, or before it is published; who closes it, and
            // who opens one below it, comes later.
            pin.store(worker.saturating_add(1), Relaxed);
        }
    }

    /// The worker that alone may run its finalizers.
    pub(super) fn pin(&self) -> Option<u16> {
        self.isolate.pin.load(Relaxed).checked_sub(1)
    }
}
