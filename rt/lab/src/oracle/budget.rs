//! Budgets are only tightened (VAL-17): a child's deadline is no later than that of the region
//! around it, and the polls a task has left only fall. A cancel puts a cleanup budget in place of
//! the task's own (CAN-29), so a task that was asked is not looked at any more.

use std::collections::BTreeMap;

use asr_base::{RegionId, TaskId};
use asr_trace::{Event, Kind, Resource};

use super::{Broken, Oracle};

/// The deadlines of the regions, and the polls that tasks have left.
#[derive(Debug, Default)]
pub struct BudgetOracle {
    deadlines: BTreeMap<RegionId, u64>,
    polls: BTreeMap<TaskId, u64>,
}

/// Tier of the task that runs the finalizers of a region: no child, with a budget of its own.
const FINALIZER: u64 = asr_kernel::task::Tier::Finalizer as u64;

/// A quota that is not counted.
const UNLIMITED: u64 = u32::MAX as u64;

impl Oracle for BudgetOracle {
    fn name(&self) -> &'static str {
        "budget"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        if !event.is_semantic() {
            return Ok(());
        }
        match event.kind {
            Kind::RegionOpen => {
                let parent = RegionId::from_bits(event.a);
                if let Some(region) = event.region {
                    self.deadlines.insert(region, event.c);
                }
                return self.within(parent, event.c);
            }
            Kind::RegionClosed => {
                event
                    .region
                    .and_then(|region| self.deadlines.remove(&region));
            }
            Kind::TaskSpawn if event.b != FINALIZER => {
                if let Some(task) = TaskId::from_bits(event.a) {
                    self.polls.insert(task, UNLIMITED);
                }
                return self.within(event.region, event.c);
            }
            Kind::TaskPoll => return self.polled(event),
            Kind::TaskComplete => {
                event.task.and_then(|task| self.polls.remove(&task));
            }
            Kind::CancelRequest => {
                if let Some(Resource::Task(task)) = event.objects.first().map(|o| o.resource) {
                    self.polls.remove(&task);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl BudgetOracle {
    fn within(&self, around: Option<RegionId>, deadline: u64) -> Result<(), Broken> {
        let limit = around.and_then(|region| self.deadlines.get(&region));
        match limit {
            Some(&limit) if deadline > limit => {
                let what = format!("deadline {deadline} ns inside a region that ends at {limit}");
                Err(Broken::new("VAL-17", what))
            }
            _ => Ok(()),
        }
    }

    fn polled(&mut self, event: &Event) -> Result<(), Broken> {
        let left = event.task.and_then(|task| self.polls.get_mut(&task));
        let Some(left) = left else { return Ok(()) };
        let falls = event.a < *left || (event.a == UNLIMITED && *left == UNLIMITED);
        if !falls {
            let what = format!("{} polls left after {}", event.a, *left);
            return Err(Broken::new("VAL-17", what));
        }
        *left = event.a;
        Ok(())
    }
}
