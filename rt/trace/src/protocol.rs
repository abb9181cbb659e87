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

    /// Takes one event in.
    pub fn step(&mut self, event: &Event) -> Result<(), Violation> {
        self.tasks.step(event)?;
        self.regions.step(event)?;
        self.obligations.step(event)
    }

    /// Checks a whole trace.
    pub fn check<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<(), Violation> {
        let mut protocol = Protocol::new();
        events
            .into_iter()
            .try_for_each(|event| protocol.step(event))
    }
}
