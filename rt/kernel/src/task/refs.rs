//! The references in the state word, and the claim of them all: that of a body of which nobody else
//! knows, polled from the start and claimed at the end (`region::alone`).

use super::snapshot::*;
use super::word::Word;
use crate::sync::atomic::Ordering::*;
use crate::sync::pause;

/// A body in its poll, of which nobody else knows.
const ALONE: u64 = CLAIMED + 2 * REF;
/// The same while it is claimed: polled, and no reference.
const CLAIMED: u64 = HANDLE_GONE | FIBER | POLLING | (Phase::Running as u64) << PHASE_SHIFT;

fn is_claimed(word: u64) -> bool {
    word < REF && word & WAKE >= POLLING
}

impl Word {
    /// The same for a body that its scope polls at once: it is being polled, and runs. The
    /// reference of the queue is that of the poll.
    #[inline]
    pub fn renew_polled(&self) {
        self.0.store(Word::FRESH_REFS * REF + CLAIMED, Release);
    }

    /// Takes all references of a body that is polled, if they are those of the poll and of the list
    /// of children, and nothing else was noted: no cancel, no wake (`region::alone`). Acquire: what
    /// those who had others did comes before.
    #[inline]
    pub fn claim(&self) -> bool {
        let claim = self.0.compare_exchange(ALONE, CLAIMED, AcqRel, Relaxed);
        claim.is_ok()
    }

    /// Puts them back.
    pub fn unclaim(&self) {
        self.0.store(ALONE, Release);
    }

    /// After a claim: the record belongs to nobody.
    #[inline]
    pub fn vacate(&self) {
        self.0.store(0, Release);
    }

    /// One more reference to the record; the caller has one.
    #[inline]
    pub fn retain(&self) {
        // Relaxed: a new reference is made from one that keeps the record alive.
        let before = self.0.fetch_add(REF, Relaxed);
        assert!(before >> 63 == 0, "references overflow");
    }

    /// One more reference, from somebody who only knows the index: not if the last is gone.
    pub fn try_retain(&self) -> bool {
        let mut now = self.0.load(Acquire);
        loop {
            if is_claimed(now) {
                pause();
                now = self.0.load(Acquire);
                continue;
            }
            if now < REF {
                return false;
            }
            match self
                .0
                .compare_exchange_weak(now, now + REF, AcqRel, Acquire)
            {
                Ok(_) => return true,
                Err(seen) => now = seen,
            }
        }
    }

    /// One reference less. True for the last: the caller gives the record back.
    #[must_use]
    #[inline]
    pub fn release(&self) -> bool {
        // Release publishes this user's last accesses, Acquire gives the last one everybody's.
        let before = self.0.fetch_sub(REF, AcqRel);
        assert!(before >= REF, "a reference is dropped twice");
        before < 2 * REF
    }

    /// Two references less. True if they were the last.
    #[must_use]
    #[inline]
    pub fn release_both(&self) -> bool {
        // AcqRel as in `release`.
        let before = self.0.fetch_sub(2 * REF, AcqRel);
        assert!(before >= 2 * REF, "a reference is dropped twice");
        before < 3 * REF
    }
}
