//! A body of which nobody else knows, in the state word: polled from the start, and claimed with
//! all its references at the end (`region::alone`).

use super::snapshot::*;
use super::word::Word;
use crate::sync::atomic::Ordering::*;

/// A body in its poll, of which nobody else knows.
const ALONE: u64 = CLAIMED + 2 * REF;
/// The same while it is claimed: polled, and no reference.
const CLAIMED: u64 = HANDLE_GONE | FIBER | POLLING | (Phase::Running as u64) << PHASE_SHIFT;

pub(super) fn is_claimed(word: u64) -> bool {
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
}
