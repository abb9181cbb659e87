//! No live task of a closed region (TSK-4).

use std::collections::BTreeMap;

use asr_base::{RegionId, TaskId};
use asr_trace::{Event, Kind};

use super::{Broken, Oracle};

/// The live tasks of each region.
#[derive(Debug, Default)]
pub struct TaskLeak {
    homes: BTreeMap<TaskId, RegionId>,
    counts: BTreeMap<RegionId, u64>,
}

impl Oracle for TaskLeak {
    fn name(&self) -> &'static str {
        "task leak"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        if !event.is_semantic() {
            return Ok(());
        }
        match (event.kind, event.region) {
            (Kind::TaskSpawn, Some(region)) => {
                if let Some(task) = TaskId::from_bits(event.a) {
                    self.homes.insert(task, region);
                    *self.counts.entry(region).or_default() += 1;
                }
            }
            (Kind::TaskComplete, _) => {
                let home = event.task.and_then(|task| self.homes.remove(&task));
                if let Some(count) = home.and_then(|home| self.counts.get_mut(&home)) {
                    *count -= 1;
                }
            }
            (Kind::RegionClosed, Some(region)) => {
                let live = self.counts.remove(&region).unwrap_or(0);
                if live > 0 {
                    let of = |(_, home): &(&TaskId, &RegionId)| **home == region;
                    let first = self.homes.iter().find(of).map(|(task, _)| task.to_string());
                    let first = first.unwrap_or_default();
                    let what = format!("{region} closed over {live} live tasks, first {first}");
                    return Err(Broken::new("TSK-4", what));
                }
            }
            _ => {}
        }
        Ok(())
    }
}
