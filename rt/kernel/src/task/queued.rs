//! What queues ask of a task: whether it has a deadline, and, as a check in debug builds, which
//! entries there are for it (SCH-13).
//!
//! The deadline that counts for a lane is that of the task's own budget or of its region's, both
//! set before the task is queued for the first time. So a bit says whether there is one, and who
//! queues a task without takes no lock.
//!
//! Each enqueue makes an entry, which the run that it leads to uses up. A promotion to the cancel
//! lane makes one more, at most once in the life of a task; from then on one entry may be stale. So
//! without a promotion an enqueue never finds an entry.

use crate::sync::atomic::{AtomicU8, Ordering::Relaxed};

const ENTRY: u8 = 1;
const PROMOTED: u8 = 2;
const TIMED: u8 = 4;

/// See the module. Relaxed all: the word orders enqueue and run of one task, and a promotion only
/// makes the check weaker.
#[derive(Debug, Default)]
pub(crate) struct Queued(AtomicU8);

impl Queued {
    /// The record belongs to a new task, with a deadline or without.
    pub(crate) fn renew(&self, timed: bool) {
        self.0.store(if timed { TIMED } else { 0 }, Relaxed);
    }

    /// The task has a deadline.
    #[inline]
    pub(crate) fn is_timed(&self) -> bool {
        self.0.load(Relaxed) & TIMED != 0
    }

    /// A queue gets an entry.
    #[inline]
    pub(crate) fn enters(&self) {
        if cfg!(debug_assertions) {
            let before = self.0.fetch_or(ENTRY, Relaxed);
            let before = before & (ENTRY | PROMOTED);
            assert_ne!(before, ENTRY, "SCH-13: a task is in two queues");
        }
    }

    /// Its run begins.
    #[inline]
    pub(crate) fn leaves(&self) {
        if cfg!(debug_assertions) {
            self.0.fetch_and(!ENTRY, Relaxed);
        }
    }

    /// False if the task was promoted before.
    pub(crate) fn promote(&self) -> bool {
        self.0.fetch_or(PROMOTED, Relaxed) & PROMOTED == 0
    }
}
