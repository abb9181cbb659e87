//! Address space reserved in one piece and handed out from the start.
#![allow(unsafe_code, reason = "maps memory")]

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::LEAST_LIMIT;

/// Bytes of address space that arenas of this process hold now. A count only: nothing is ordered
/// by it.
static RESERVED: AtomicU64 = AtomicU64::new(0);

/// Bytes of address space that the heaps of this process hold now.
pub fn reserved() -> u64 {
    RESERVED.load(Relaxed)
}

/// The arena. Pages are touched when they are used, so a large limit costs address space only.
pub(super) struct Arena {
    base: *mut u8,
    limit: u64,
    used: Cell<u64>,
    /// What may be used now: the limit, less the reserve while it is closed.
    open: Cell<u64>,
}

impl Arena {
    /// Reserves `limit` bytes, or half, or a quarter, ... of it if there is not as much.
    pub(super) fn new(limit: u64) -> Option<Arena> {
        let mut limit = limit.min(1 << 46) / 4096 * 4096;
        while limit >= LEAST_LIMIT {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            // SAFETY: a fresh mapping at an address that the system chooses.
            let base = unsafe {
                libc::mmap(
                    std::ptr::null_mut(),
                    limit as usize,
                    protection,
                    flags,
                    -1,
                    0,
                )
            };
            if base != libc::MAP_FAILED {
                // Words hold plain addresses: what is made of them gets this provenance.
                base.expose_provenance();
                RESERVED.fetch_add(limit, Relaxed);
                return Some(Arena {
                    base: base.cast(),
                    limit,
                    used: Cell::new(0),
                    open: Cell::new(limit - (limit / 16).min(1 << 20)),
                });
            }
            limit = limit / 2 / 4096 * 4096;
        }
        None
    }

    /// The next `size` bytes (a multiple of 16), zeroed. The first refusal opens the reserve.
    pub(super) fn take(&self, size: u64) -> Option<*mut u8> {
        let used = self.used.get();
        let end = used.checked_add(size);
        let Some(end) = end.filter(|end| *end <= self.open.get()) else {
            self.open.set(self.limit);
            return None;
        };
        self.used.set(end);
        // SAFETY: `used` is within the mapping, because `end` is.
        Some(unsafe { self.base.add(used as usize) })
    }

    /// Whether an address lies in what was handed out.
    pub(super) fn contains(&self, address: usize) -> bool {
        address
            .checked_sub(self.base as usize)
            .is_some_and(|offset| (offset as u64) < self.used.get())
    }

    /// Where the first object lies.
    pub(super) fn base(&self) -> *const u8 {
        self.base
    }

    /// Bytes handed out.
    pub(super) fn used(&self) -> u64 {
        self.used.get()
    }

    /// Bytes reserved.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: mapped by `new` with this length. Whoever drops a heap promises that no value of
        // it is used again (`Heap::detach`).
        unsafe { libc::munmap(self.base.cast(), self.limit as usize) };
        RESERVED.fetch_sub(self.limit, Relaxed);
    }
}
