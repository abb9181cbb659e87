//! A closed region has no open region below it and no operation in flight (REG-8), and got there
//! through its states in order (REG-2). Its tasks, tokens and finalizers have oracles of their own.

use std::collections::BTreeMap;

use asr_base::RegionId;
use asr_trace::{Event, Kind, RegionOracle};

use super::{Broken, Oracle};

/// The regions, and what they wait for.
#[derive(Default)]
pub struct Quiescence {
    states: RegionOracle,
    parents: BTreeMap<RegionId, RegionId>,
    /// Open regions below each.
    below: BTreeMap<RegionId, u64>,
    /// The region of each operation in flight.
    flying: BTreeMap<u64, RegionId>,
}

impl Oracle for Quiescence {
    fn name(&self) -> &'static str {
        "quiescence"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        self.states.step(event)?;
        if !event.is_semantic() {
            return Ok(());
        }
        match (event.kind, event.region) {
            (Kind::RegionOpen, Some(region)) => {
                if let Some(parent) = RegionId::from_bits(event.a) {
                    self.parents.insert(region, parent);
                    *self.below.entry(parent).or_default() += 1;
                }
            }
            (Kind::RegionClosed, Some(region)) => self.closed(region)?,
            (Kind::IoSubmit, Some(region)) => {
                self.flying.insert(event.a, region);
            }
            (Kind::IoComplete, _) => {
                self.flying.remove(&event.a);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Quiescence {
    fn closed(&mut self, region: RegionId) -> Result<(), Broken> {
        if let Some(parent) = self.parents.remove(&region)
            && let Some(below) = self.below.get_mut(&parent)
        {
            *below -= 1;
        }
        let below = self.below.remove(&region).unwrap_or(0);
        let flying = self.flying.values().filter(|home| **home == region).count();
        if below == 0 && flying == 0 {
            return Ok(());
        }
        let what = format!("{region} closed over {below} regions and {flying} operations");
        Err(Broken::new("REG-8", what))
    }
}
