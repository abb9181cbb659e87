//! The cancel protocol: tasks change state by the table of TSK-5 and end as their state allows
//! (TSK-6); requests only strengthen (CAN-2); an observed cancel stays (CAN-6): it is observed
//! once, only an observed one is swallowed, and the task ends Cancelled or Panicked.
//!
//! A mask covers the future under it while that is polled, and only within its bound; another
//! branch of the same task may observe a cancel meanwhile. So its begin and end, which are events,
//! say nothing about an observation in between, and the states are folded without them.

use std::collections::{BTreeMap, BTreeSet};

use asr_base::TaskId;
use asr_trace::{Event, Kind, Resource, Sub, TaskOracle};

use super::{Broken, Oracle};

/// The states of the tasks, and what they were asked.
#[derive(Default)]
pub struct Cancel {
    states: TaskOracle,
    /// The strongest kind asked of each task or region so far.
    asked: BTreeMap<Resource, u64>,
    observed: BTreeSet<TaskId>,
}

impl Oracle for Cancel {
    fn name(&self) -> &'static str {
        "cancel protocol"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        if !matches!(event.kind, Kind::MaskBegin | Kind::MaskEnd) {
            self.states.step(event)?;
        }
        match (event.kind, event.sub) {
            (Kind::CancelRequest, Sub::None) => self.requested(event),
            (Kind::CancelObserve, Sub::None) => {
                self.observed.extend(event.task);
                Ok(())
            }
            (Kind::TaskComplete, Sub::None) => {
                if let Some(task) = event.task {
                    self.observed.remove(&task);
                    self.asked.remove(&Resource::Task(task));
                }
                Ok(())
            }
            (Kind::RegionClosed, Sub::None) => {
                let region = event.region.map(Resource::Region);
                region.and_then(|region| self.asked.remove(&region));
                Ok(())
            }
            (_, Sub::CancelSwallowed) => {
                let seen = event.task.is_some_and(|task| self.observed.contains(&task));
                let what = "a cancel is swallowed that was never observed";
                seen.then_some(()).ok_or_else(|| Broken::new("CAN-6", what))
            }
            _ => Ok(()),
        }
    }
}

impl Cancel {
    fn requested(&mut self, event: &Event) -> Result<(), Broken> {
        let Some(target) = event.objects.first() else {
            return Err(Broken::new("CAN-2", "a request of nobody"));
        };
        let strongest = self.asked.entry(target.resource).or_default();
        if event.a < *strongest {
            let (asked, now) = (*strongest, event.a);
            let what = format!("a request of rank {asked} was weakened to {now}");
            return Err(Broken::new("CAN-2", what));
        }
        *strongest = event.a;
        Ok(())
    }
}
