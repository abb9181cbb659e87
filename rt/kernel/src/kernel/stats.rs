//! Counters of the kernel. They only grow; read at any time.

use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A counter.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Default for Counter {
    fn default() -> Counter {
        Counter(AtomicU64::new(0))
    }
}

impl Counter {
    /// Relaxed: a count orders nothing.
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// The same; returns the count after it.
    pub(crate) fn grow(&self, n: u64) -> u64 {
        self.0.fetch_add(n, Relaxed) + n
    }

    /// The count so far.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// See the fields.
#[derive(Debug, Default)]
pub struct Stats {
    /// Ids used after their slot went to somebody else (VAL-28).
    pub stale_handles: Counter,
    /// Tokens that were dropped or forgotten without a verb (OBL-10).
    pub leaks: Counter,
    /// Of them, those whose repair ran to its end (OBL-11).
    pub leaks_repaired: Counter,
    /// Messages that were queued when their receiver closed (OBL-8).
    pub undelivered: Counter,
    /// Cancel requests that changed nothing (CAN-1).
    pub repeated_cancels: Counter,
    /// Places of the program where a poll lasted too long (SCH-45).
    pub long_polls: Counter,
    /// Futures dropped because their cleanup budget ended (CAN-23).
    pub escalations: Counter,
    /// Runs outside of the cancel lane of tasks with a priority above 199, which counts as 199
    /// there (SCH-3).
    pub priority_clamped: Counter,
    /// Governors that panicked, and were asked no more (SCH-38).
    pub governor_panics: Counter,
    /// Waiters that others went ahead of, because their tasks did not poll them (OBL-19).
    pub futurelocks: Counter,
    /// Times that a queue of runnable tasks went over its limit (SCH-30).
    pub queue_warnings: Counter,
}
