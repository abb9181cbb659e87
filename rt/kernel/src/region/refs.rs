//! The count of references to a region, and the claim of them all.
//!
//! Invariants
//! 1. A reference is made from another one, or by who finds the record through its index; the
//!    latter only while there is one.
//! 2. `CLAIMED` stands for exactly the two references of a scope and its body
//!    ([`alone`](super::alone)), and lasts for a few steps: who finds it waits.
//! 3. A region that was closed alone counts none, though the future of its scope has one: nobody
//!    else can find it any more.

use crate::sync::atomic::{AtomicU32, Ordering::*};
use crate::sync::pause;

const CLAIMED: u32 = u32::MAX;
/// Of the future of a scope, and of the record of its body.
const SCOPE: u32 = 2;

/// See the module.
#[derive(Debug, Default)]
pub struct Refs(AtomicU32);

impl Refs {
    /// The references of a new region. Release pairs with the Acquire of
    /// [`try_retain`](Refs::try_retain): who gets a reference sees all of it.
    #[inline]
    pub fn renew(&self, refs: u32) {
        self.0.store(refs, Release);
    }

    /// One more, made from another. Returns how many there were.
    #[inline]
    pub fn retain(&self) -> u32 {
        // Relaxed: a new reference is made from one that keeps the record.
        self.0.fetch_add(1, Relaxed)
    }

    /// One more, by who knows the index only: not if the last is gone, unless `from_none`. Returns
    /// how many there were.
    pub fn try_retain(&self, from_none: bool) -> Option<u32> {
        let mut now = self.0.load(Acquire);
        loop {
            if now == CLAIMED {
                pause();
                now = self.0.load(Acquire);
                continue;
            }
            if now == 0 && !from_none {
                return None;
            }
            match self.0.compare_exchange_weak(now, now + 1, AcqRel, Acquire) {
                Ok(_) => return Some(now),
                Err(seen) => now = seen,
            }
        }
    }

    /// One less. True if it was the last.
    #[inline]
    pub fn release(&self) -> bool {
        // Release publishes this user's last accesses, Acquire gives the last one everybody's.
        self.0.fetch_sub(1, AcqRel) == 1
    }

    /// Takes all, if they are those of a scope and its body. Acquire: what those who had others did
    /// comes before.
    #[inline]
    pub fn claim(&self) -> bool {
        let claim = self.0.compare_exchange(SCOPE, CLAIMED, AcqRel, Relaxed);
        claim.is_ok()
    }

    /// Puts them back.
    pub fn unclaim(&self) {
        self.0.store(SCOPE, Release);
    }

    /// After a claim: nobody finds the record any more.
    #[inline]
    pub fn vacate(&self) {
        self.0.store(0, Release);
    }

    /// None is counted.
    #[inline]
    pub fn is_vacant(&self) -> bool {
        // Relaxed: asked by who vacated it, or as a hint.
        self.0.load(Relaxed) == 0
    }
}
