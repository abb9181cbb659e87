//! What a snapshot must not contradict (LAB-17).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use asr_base::{RegionId, TaskId, TimerId};
use asr_kernel::region::State;
use asr_kernel::task::{Phase, Tier};

use super::Snapshot;

/// One contradiction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A task, region, queue entry or place names a region that is not there.
    NoRegion(RegionId),
    /// The queue names a task that is not there.
    NoTask(TaskId),
    /// An id stands twice.
    Twice(u64),
    /// There is no root, or there are several.
    Roots(usize),
    /// A region is its own ancestor.
    Cycle(RegionId),
    /// A closed region is listed, or one counts other children than it has.
    NotQuiescent(RegionId),
    /// A timer is due before now, or timers are out of order.
    Late(TimerId),
    /// A place holds tokens although its region has none to hold them: a marking below zero.
    Marking(RegionId, u8),
    /// A complete task is listed as alive.
    Complete(TaskId),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoRegion(id) => write!(f, "region {id} is named and not there"),
            Fault::NoTask(id) => write!(f, "task {id} is queued and not there"),
            Fault::Twice(bits) => write!(f, "id {bits:#x} stands twice"),
            Fault::Roots(count) => write!(f, "{count} regions without a parent"),
            Fault::Cycle(id) => write!(f, "region {id} is below itself"),
            Fault::NotQuiescent(id) => write!(f, "region {id} does not count its children"),
            Fault::Late(id) => write!(f, "timer {id} is due in the past or out of order"),
            Fault::Marking(id, kind) => write!(f, "place ({id}, kind {kind}) is not plausible"),
            Fault::Complete(id) => write!(f, "task {id} is complete and listed"),
        }
    }
}

impl Snapshot {
    /// Every contradiction; none in a snapshot that a run took.
    pub fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let regions: BTreeMap<_, _> = self.regions.iter().map(|each| (each.id, each)).collect();
        let tasks: BTreeSet<_> = self.tasks.iter().map(|task| task.id).collect();
        let mut seen = BTreeSet::new();
        let named = self.regions.iter().map(|region| (0, region.id.to_bits()));
        for id in named.chain(self.tasks.iter().map(|task| (1, task.id.to_bits()))) {
            if !seen.insert(id) {
                faults.push(Fault::Twice(id.1));
            }
        }
        let roots = self
            .regions
            .iter()
            .filter(|region| region.parent.is_none())
            .count();
        if roots != 1 && !self.regions.is_empty() {
            faults.push(Fault::Roots(roots));
        }
        let mut children: BTreeMap<RegionId, u64> = BTreeMap::new();
        for task in &self.tasks {
            if !regions.contains_key(&task.region) {
                faults.push(Fault::NoRegion(task.region));
            }
            if task.phase == Phase::Completed {
                faults.push(Fault::Complete(task.id));
            }
            if task.tier != Tier::Finalizer {
                *children.entry(task.region).or_default() += 1;
            }
        }
        for region in &self.regions {
            if let Some(parent) = region.parent {
                *children.entry(parent).or_default() += 1;
                if !regions.contains_key(&parent) {
                    faults.push(Fault::NoRegion(parent));
                }
            }
            let mut at = region.parent;
            let mut steps = 0;
            while let Some(above) = at.and_then(|id| regions.get(&id)) {
                steps += 1;
                if steps > self.regions.len() {
                    faults.push(Fault::Cycle(region.id));
                    break;
                }
                at = above.parent;
            }
        }
        for region in &self.regions {
            let counted = children.get(&region.id).copied().unwrap_or(0);
            if region.state == State::Closed || region.live != counted {
                faults.push(Fault::NotQuiescent(region.id));
            }
        }
        let mut latest = self.now;
        for timer in &self.timers {
            if timer.deadline < latest {
                faults.push(Fault::Late(timer.id));
            }
            latest = latest.max(timer.deadline);
        }
        let missing = self.queue.iter().filter(|task| !tasks.contains(task));
        faults.extend(missing.map(|&task| Fault::NoTask(task)));
        for &(region, kind, live) in &self.marking {
            if !regions.contains_key(&region) {
                faults.push(Fault::NoRegion(region));
            }
            // A count that was decremented below zero reads as a huge one.
            if live == 0 || live > u64::from(u32::MAX) {
                faults.push(Fault::Marking(region, kind));
            }
        }
        faults
    }
}
