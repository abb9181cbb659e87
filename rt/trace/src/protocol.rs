//! State machines of the runtime as oracles over events: pure, one pass, memory linear in what is
//! live. Each reports the first event that takes an edge which its table does not have.
//!
//! They assume a whole trace: every task, region and obligation begins with its own event.

mod obligation;
mod region;
mod task;

pub use obligation::ObligationOracle;
pub use region::RegionOracle;
pub use task::TaskOracle;

use asr_base::RegionId;

use crate::event::Event;
use crate::violation::Violation;

/// All state machines at once.
#[derive(Default)]
pub struct Protocol {
    tasks: TaskOracle,
    regions: RegionOracle,
    obligations: ObligationOracle,
}

impl Protocol {
    /// Before the first event.
    pub fn new() -> Protocol {
        Protocol::default()
    }

    /// Before the first event of a runtime that opened its root before it was traced.
    pub fn rooted(root: RegionId) -> Protocol {
        Protocol {
            regions: RegionOracle::rooted(root),
            ..Protocol::default()
        }
    }

    /// Takes one event in.
    pub fn step(&mut self, event: &Event) -> Result<(), Violation> {
        self.tasks.step(event)?;
        self.regions.step(event)?;
        self.obligations.step(event)
    }

    /// Checks a whole trace.
    pub fn check<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<(), Violation> {
        Protocol::new().all(events)
    }

    /// Takes all of these in.
    pub fn all<'a>(mut self, events: impl IntoIterator<Item = &'a Event>) -> Result<(), Violation> {
        events.into_iter().try_for_each(|event| self.step(event))
    }
}
