//! What the kernel holds, as plain data in canonical order: for snapshots, oracles and people.
//!
//! The kernel stands still while it is asked, or the answer is a blend of moments: only the lab's
//! answers are exact.

use asr_base::{ObligationId, RegionId, TaskId, Time, TimerId};

use super::Kernel;
use crate::region::{Escalation, Policy, State};
use crate::task::{Phase, Tier};

/// A region that is not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionState {
    /// Its name.
    pub id: RegionId,
    /// Who owns it; none for the root.
    pub parent: Option<RegionId>,
    /// Spawn index in the parent.
    pub position: u32,
    /// Where it is.
    pub state: State,
    /// Children that live.
    pub live: u64,
    /// What a child's bad end does.
    pub policy: Policy,
    /// What the end of a cleanup budget does.
    pub escalation: Escalation,
    /// Deadline of its effective budget.
    pub deadline: Time,
    /// Rank of its pending cancel.
    pub cancel: Option<u8>,
    /// Finalizers that wait.
    pub finalizers: u32,
}

/// A task that is not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskState {
    /// Its name.
    pub id: TaskId,
    /// Who owns it.
    pub region: RegionId,
    /// Spawn index there.
    pub position: u32,
    /// What kind of child it is.
    pub tier: Tier,
    /// How far it is.
    pub phase: Phase,
    /// In a queue.
    pub queued: bool,
    /// Polls that its budget allows.
    pub polls_left: u32,
    /// Rank of its pending cancel.
    pub cancel: Option<u8>,
    /// Records of obligations that it holds.
    pub held: Vec<ObligationId>,
}

/// A timer that is armed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerState {
    /// Its name.
    pub id: TimerId,
    /// When it fires.
    pub deadline: Time,
}

impl Kernel {
    /// The most tasks that had a record at a time, so far.
    pub(crate) fn most_tasks(&self) -> u32 {
        self.tasks.used()
    }

    /// Living children of the root region.
    pub(crate) fn root_children(&self) -> u64 {
        self.root().region().word.live()
    }

    /// Every region that is not closed, in order of index.
    pub fn inspect_regions(&self) -> Vec<RegionState> {
        let regions = self.regions();
        let inspect = |region: &crate::region::RegionRef| {
            let inner = region.lock();
            RegionState {
                id: region.id(),
                parent: region.parent().map(|parent| parent.id()),
                position: region.position(),
                state: region.state(),
                live: region.word.live(),
                policy: inner.policy,
                escalation: region.escalation(),
                deadline: inner.budget.deadline,
                cancel: inner
                    .cancel
                    .as_ref()
                    .map(|pending| pending.reason.kind().rank()),
                finalizers: inner.finalizers.len() as u32,
            }
        };
        regions.iter().map(inspect).collect()
    }

    /// Every task that is not complete, in order of index.
    pub fn inspect_tasks(&self) -> Vec<TaskState> {
        let tasks = self.tasks();
        let inspect = |task: &crate::task::TaskRef| {
            let word = task.word.load();
            let (cancel, held) = task.side().map_or((None, Vec::new()), |side| {
                let inner = side.lock();
                let cancel = inner.cancel.as_ref();
                let rank = cancel.map(|pending| pending.reason.kind().rank());
                let held = inner.rare().map(|rare| rare.held.clone());
                (rank, held.unwrap_or_default())
            });
            TaskState {
                id: task.id(),
                region: task.region().id(),
                position: task.position(),
                tier: task.tier(),
                phase: word.phase(),
                queued: word.is_notified(),
                polls_left: task.polls_left.load(std::sync::atomic::Ordering::Relaxed),
                cancel,
                held,
            }
        };
        tasks.iter().map(inspect).collect()
    }

    /// Obligations that are not resolved: region, number of the kind, how many.
    pub fn inspect_marking(&self) -> Vec<(RegionId, u8, u64)> {
        let mut places = Vec::new();
        for region in self.regions() {
            for (kind, counts) in region.lock().marking.kinds() {
                if counts.live() > 0 {
                    places.push((region.id(), kind.number(), counts.live()));
                }
            }
        }
        places
    }

    /// Every armed timer, in the order in which they fire.
    pub fn inspect_timers(&self) -> Vec<TimerState> {
        self.timers.inspect()
    }
}
