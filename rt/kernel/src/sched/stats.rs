//! Counters of one worker (SCH-11). The worker alone writes them, each in a load and a store;
//! anybody reads them at any time.

use crate::driver::Lane;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A count that one thread writes.
#[derive(Debug, Default)]
pub struct Own(AtomicU64);

impl Own {
    /// Relaxed, and no read-modify-write: one writer, and a count orders nothing.
    #[inline]
    pub(super) fn add(&self, n: u64) {
        self.set(self.get() + n);
    }

    #[inline]
    pub(super) fn set(&self, n: u64) {
        self.0.store(n, Relaxed);
    }

    /// The count so far.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// See the fields.
#[derive(Debug, Default)]
pub struct WorkerStats {
    /// Tasks run from the cancel lane.
    pub cancel: Own,
    /// Tasks run from the timed lane.
    pub timed: Own,
    /// Ready tasks run.
    pub ready: Own,
    /// Times that other work was run although work was waiting in a preferred lane.
    pub fairness_yields: Own,
    /// Most dispatches from the cancel lane in a row that kept others waiting: at most L, or 2 L
    /// while a drain is suggested.
    pub max_cancel_streak: Own,
    /// Times that it took work from another worker.
    pub steals: Own,
    /// Tasks that it got that way.
    pub stolen: Own,
    /// Pinned tasks that it met while stealing, and gave to their worker.
    pub pinned_met: Own,
    /// Times that it searched before it slept.
    pub searches: Own,
    /// Times that it went to sleep, or was about to when it saw work after all.
    pub parks: Own,
    /// Times that a poll of its outlasted the slice and was asked to yield. Written by the ticker.
    pub yields_asked: Own,
    /// Times that it woke up and neither work nor a timer was there.
    pub spurious_wakes: Own,
}

impl WorkerStats {
    /// Tasks run.
    pub fn dispatches(&self) -> u64 {
        self.cancel.get() + self.timed.get() + self.ready.get()
    }

    #[inline]
    pub(super) fn dispatched(&self, lane: Lane) {
        match lane {
            Lane::Cancel => self.cancel.add(1),
            Lane::Timed => self.timed.add(1),
            Lane::Ready => self.ready.add(1),
        }
    }
}
