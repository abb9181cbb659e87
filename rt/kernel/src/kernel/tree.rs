//! The tree of ownership, walked from the root (REG-1): an oracle for the lab and for tests.
//!
//! What is checked: every live task and every region that is not closed is reached exactly once;
//! each child names the region that lists it; each region counts as many children as it lists; and
//! the parent of a live record is alive. Between two steps of the lab nothing is half-way, so the
//! walk is exact there. Beside running workers it may see a step half-done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use asr_base::{RegionId, TaskId};

use super::Kernel;
use crate::region::{Child, RegionRef, State, children};
use crate::task::{Phase, TaskRef, Tier};

/// What the walk has reached.
#[derive(Default)]
struct Walk {
    tasks: BTreeSet<TaskId>,
    regions: BTreeMap<RegionId, State>,
    queue: VecDeque<RegionRef>,
}

impl Kernel {
    /// Walks the tree. See the module `kernel::tree`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check_tree(&self) -> Result<(), String> {
        let mut walk = Walk::default();
        let root = RegionRef::of(self.root().region());
        if root.state() != State::Closed {
            walk.regions.insert(root.id(), root.state());
            walk.queue.push_back(root);
        }
        while let Some(region) = walk.queue.pop_front() {
            walk.visit(&region)?;
        }
        for region in self.regions() {
            if !walk.regions.contains_key(&region.id()) {
                return Err(format!("{region:?} is not reached from the root"));
            }
        }
        for task in self.tasks() {
            walk.look_for(&task)?;
        }
        Ok(())
    }
}

impl Walk {
    fn visit(&mut self, region: &RegionRef) -> Result<(), String> {
        let (found, live) = {
            let inner = region.lock();
            let found = children::all(region.kernel(), &inner);
            (found, region.word.live())
        };
        if found.len() as u64 != live {
            return Err(format!("{region:?} lists {} children", found.len()));
        }
        for child in found {
            match child {
                Child::Task(task) => self.task(region, &task)?,
                Child::Region(child) => self.region(region, child)?,
            }
        }
        Ok(())
    }

    fn task(&mut self, region: &RegionRef, task: &TaskRef) -> Result<(), String> {
        if !std::ptr::eq(task.region(), &**region) {
            return Err(format!("{task:?} of {:?} is in {region:?}", task.region()));
        }
        if task.phase() == Phase::Completed {
            return Err(format!("{task:?} is complete and still in {region:?}"));
        }
        if !matches!(
            region.state(),
            State::Open | State::Closing | State::Draining
        ) {
            return Err(format!("{task:?} lives in {region:?}"));
        }
        if !self.tasks.insert(task.id()) {
            return Err(format!("{task:?} is reached twice"));
        }
        Ok(())
    }

    fn region(&mut self, parent: &RegionRef, child: RegionRef) -> Result<(), String> {
        if !child
            .parent()
            .is_some_and(|own| std::ptr::eq(own, &**parent))
        {
            return Err(format!(
                "{child:?} of {:?} is in {parent:?}",
                child.parent()
            ));
        }
        if child.state() == State::Closed {
            return Err(format!("{child:?} is closed and still in {parent:?}"));
        }
        if self.regions.insert(child.id(), child.state()).is_some() {
            return Err(format!("{child:?} is reached twice"));
        }
        self.queue.push_back(child);
        Ok(())
    }

    /// A live task was reached, or runs the finalizers of a region that was.
    fn look_for(&self, task: &TaskRef) -> Result<(), String> {
        let reached = if task.tier() == Tier::Finalizer {
            self.regions.get(&task.region_id()) == Some(&State::Finalizing)
        } else {
            self.tasks.contains(&task.id())
        };
        if reached {
            return Ok(());
        }
        Err(format!(
            "{task:?} of {:?} is not reached from the root",
            task.region()
        ))
    }
}
