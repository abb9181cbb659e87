//! The Lamport clock of a recorder: no allocation, no lock, bounded memory.
//!
//! An event must be later than the previous event of its task and than its causes, and the step of
//! a region that finds no child left later than the ends of its children. To keep one time per
//! task, event and region would take unbounded memory, so they are kept by slot: a slot
//! holds the largest time of all that fell into it. A collision only makes a time larger than
//! it had to be, which Lamport's condition allows. Times depend on the order of emission alone.

use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

use asr_base::{RegionId, TaskId};

use crate::event::Draft;
use crate::resource::Access;

const TASK_SLOTS: usize = 1024;
const EVENT_SLOTS: usize = 4096;
const REGION_SLOTS: usize = 512;

/// Gives events their Lamport times.
pub struct LamportClock {
    tasks: Box<[AtomicU64]>,
    events: Box<[AtomicU64]>,
    /// Of the ends of their children.
    regions: Box<[AtomicU64]>,
}

impl Default for LamportClock {
    fn default() -> LamportClock {
        let zeros = |n: usize| (0..n).map(|_| AtomicU64::new(0)).collect();
        LamportClock {
            tasks: zeros(TASK_SLOTS),
            events: zeros(EVENT_SLOTS),
            regions: zeros(REGION_SLOTS),
        }
    }
}

impl LamportClock {
    /// A clock at zero.
    pub fn new() -> LamportClock {
        LamportClock::default()
    }

    /// The time of the event that gets the number `seq`.
    ///
    /// Whoever names an event as a cause learned its number after `tick` had returned, through
    /// some synchronization of its own; acquire and release here make no further promise than
    /// that slots read after it hold at least the cause's time.
    pub fn tick(&self, seq: u64, draft: &Draft) -> u64 {
        let ended = |access| draft.objects.children(access).map(|of| self.region(of));
        let before = draft
            .causes
            .iter()
            .map(|cause| self.event(cause).load(Acquire))
            .chain(draft.task.map(|task| self.task(task).load(Acquire)))
            .chain(ended(Access::Write).map(|ends| ends.load(Acquire)))
            .max()
            .unwrap_or(0);
        let now = before.saturating_add(1);
        self.event(seq).fetch_max(now, AcqRel);
        if let Some(task) = draft.task {
            self.task(task).fetch_max(now, AcqRel);
        }
        if let Some(ends) = ended(Access::Read) {
            ends.fetch_max(now, AcqRel);
        }
        now
    }

    fn event(&self, seq: u64) -> &AtomicU64 {
        &self.events[(seq % EVENT_SLOTS as u64) as usize]
    }

    fn region(&self, region: RegionId) -> &AtomicU64 {
        &self.regions[region.index() as usize % REGION_SLOTS]
    }

    fn task(&self, task: TaskId) -> &AtomicU64 {
        &self.tasks[task.index() as usize % TASK_SLOTS]
    }
}
