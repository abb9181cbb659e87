//! One worker, as the others see it: its queues, its sleep, what it does, what it counted.

use std::sync::Arc;

use asr_lock::{Mutex, rank};

use super::governor::Governing;
use super::now::{Now, ThreadFlag};
use super::park::{Parker, Wait};
use super::pinned::Pinned;
use super::ring::Ring;
use super::stats::WorkerStats;
use super::urgent::Urgent;
use crate::driver::Runnable;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// See the module. Aligned so that no two share a line of the cache.
#[repr(align(128))]
pub(super) struct Slot {
    pub(super) ring: Arc<Ring<Runnable>>,
    pub(super) urgent: Urgent<Runnable>,
    pub(super) pinned: Pinned<Runnable>,
    pub(super) parker: Parker<Box<dyn Wait>>,
    pub(super) stats: WorkerStats,
    pub(super) now: Now,
    pub(super) thread: ThreadFlag,
    /// Its dispatches when the ticker found it in a poll that outlasts the slice. While it has not
    /// changed, the worker does not come to what it queued, its newest-first slot included.
    pub(super) blocked: AtomicU64,
    /// Its governor, while no thread is this worker.
    pub(super) governing: Mutex<Option<Governing>, rank::SchedGoverning>,
}

impl Slot {
    /// A worker that sleeps in `wait`.
    pub(super) fn new(wait: Box<dyn Wait>) -> Slot {
        Slot {
            ring: Arc::new(Ring::new()),
            urgent: Urgent::new(),
            pinned: Pinned::new(),
            parker: Parker::new(wait),
            stats: WorkerStats::default(),
            now: Now::default(),
            thread: ThreadFlag::default(),
            blocked: AtomicU64::new(u64::MAX),
            governing: Mutex::new(None),
        }
    }

    /// Tasks that wait here.
    pub(super) fn queued(&self) -> usize {
        let urgent = self.urgent.cancel_len() + self.urgent.timed_len();
        urgent + self.ring.len() + self.pinned.len()
    }

    /// The worker is in a poll that outlasts the slice: a hint.
    #[inline]
    pub(super) fn is_blocked(&self) -> bool {
        let blocked = self.blocked.load(Relaxed);
        blocked != u64::MAX && blocked == self.stats.dispatches()
    }

    /// Whether there is something that others may take: a hint.
    pub(super) fn has_spare(&self) -> bool {
        self.ring.queued()
            || self.urgent.can_be_stolen()
            || (self.ring.has_newest() && self.is_blocked())
    }
}
