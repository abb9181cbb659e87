//! Which entries of queues there are for a task: a check in debug builds (SCH-13).
//!
//! Each enqueue makes an entry, which the run that it leads to uses up. A promotion to the cancel
//! lane makes one more, at most once in the life of a task; from then on one entry may be stale. So
//! without a promotion an enqueue never finds an entry.

use crate::sync::atomic::{AtomicU8, Ordering::Relaxed};

const ENTRY: u8 = 1;
const PROMOTED: u8 = 2;

/// See the module. Relaxed all: the word orders enqueue and run of one task, and a promotion only
/// makes the check weaker.
#[derive(Debug, Default)]
pub(crate) struct Queued(AtomicU8);

impl Queued {
    /// The record belongs to a new task.
    pub(crate) fn renew(&self) {
        self.0.store(0, Relaxed);
    }

    /// A queue gets an entry.
    #[inline]
    pub(crate) fn enters(&self) {
        if cfg!(debug_assertions) {
            let before = self.0.fetch_or(ENTRY, Relaxed);
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
