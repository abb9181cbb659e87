//! `Open → Closing → Draining → Finalizing → Closed`, and no other edge (REG-2).

use std::collections::BTreeMap;

use asr_base::RegionId;

use crate::event::Event;
use crate::kind::Kind;
use crate::violation::{Fault, Violation};

/// The states of the regions that are not closed, each by the kind of its last event.
#[derive(Default)]
pub struct RegionOracle {
    states: BTreeMap<RegionId, Kind>,
}

impl RegionOracle {
    /// The root is open already.
    pub fn rooted(root: RegionId) -> RegionOracle {
        RegionOracle {
            states: BTreeMap::from([(root, Kind::RegionOpen)]),
        }
    }

    /// Takes one event in.
    pub fn step(&mut self, event: &Event) -> Result<(), Violation> {
        let before = match event.kind {
            _ if !event.is_semantic() => return Ok(()),
            Kind::RegionOpen => None,
            Kind::RegionClosing => Some(Kind::RegionOpen),
            Kind::RegionDraining => Some(Kind::RegionClosing),
            Kind::RegionFinalizing => Some(Kind::RegionDraining),
            Kind::RegionClosed => Some(Kind::RegionFinalizing),
            _ => return Ok(()),
        };
        let wrong = |fault| Err(Violation::new("REG-2", event, fault));
        let Some(region) = event.region else {
            return wrong(Fault::Incomplete("region"));
        };
        let state = self.states.get(&region).copied();
        if state != before {
            return wrong(Fault::Edge {
                from: state.map_or("none", Kind::name),
                event: event.kind.name(),
            });
        }
        if event.kind == Kind::RegionClosed {
            self.states.remove(&region);
        } else {
            self.states.insert(region, event.kind);
        }
        Ok(())
    }

    /// Regions that are not closed.
    pub fn open(&self) -> impl Iterator<Item = RegionId> {
        self.states.keys().copied()
    }
}
