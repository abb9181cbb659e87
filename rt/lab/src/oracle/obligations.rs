//! The marking is zero at each close (OBL-20), a task ends with none (TSK-9), each token is
//! resolved once (OBL-2), and tokens are conserved (OBL-21).

use asr_trace::{Event, Kind, Marking, ObligationOracle};

use super::{Broken, Oracle};

/// The marking, and the state of each token.
#[derive(Default)]
pub struct ObligationLeak {
    marking: Marking,
    states: ObligationOracle,
}

impl Oracle for ObligationLeak {
    fn name(&self) -> &'static str {
        "obligation leak"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        self.marking.step(event)?;
        self.states.step(event)?;
        if event.kind == Kind::RegionClosed && !self.marking.balanced() {
            return Err(Broken::new("OBL-21", "the totals do not fit the places"));
        }
        Ok(())
    }
}
