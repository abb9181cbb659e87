//! The count of references to a region, and the claim of them all.
//!
//! Invariants
//! 1. A reference is made by who has another one, or a task or region inside, which keep this one
//!    ([`retain`](Refs::retain)); or by who finds the record through its index, and then only while
//!    there is one ([`try_retain`](Refs::try_retain)).
//! 2. `CLAIMED` is set while exactly the two references of a scope and its body are counted
//!    ([`alone`](super::alone)), and lasts for a few steps. Whoever makes one meanwhile waits for
//!    their end before using it: by an index because the region may be gone then; from inside
//!    because the claimer, who has yet to see that there is an inside, reads what a lock guards.
//! 3. A region that was closed alone counts none, though the future of its scope has one: nobody
//!    else can find it any more.

use crate::sync::atomic::{AtomicU32, Ordering::*};
use crate::sync::pause;

const CLAIMED: u32 = 1 << 31;
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
        let before = self.0.fetch_add(1, Relaxed);
        if before >= CLAIMED {
            self.wait();
        }
        before
    }

    /// Waits for the end of a claim, which fails: the caller has something inside.
    #[cold]
    fn wait(&self) {
        // Acquire pairs with the Release of `unclaim`.
        while self.0.load(Acquire) >= CLAIMED {
            pause();
        }
    }

    /// One more, by who knows the index only: not if the last is gone, unless `from_none`. Returns
    /// how many there were.
    pub fn try_retain(&self, from_none: bool) -> Option<u32> {
        let mut now = self.0.load(Acquire);
        loop {
            if now >= CLAIMED {
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
        let claimed = SCOPE | CLAIMED;
        let claim = self.0.compare_exchange(SCOPE, claimed, AcqRel, Relaxed);
        claim.is_ok()
    }

    /// Puts them back, beside those that were made meanwhile.
    pub fn unclaim(&self) {
        self.0.fetch_and(!CLAIMED, Release);
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
