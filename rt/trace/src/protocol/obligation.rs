//! `Reserved → Committed` or `Reserved → Aborted`, both terminal (OBL-2). Tokens without an id
//! have no state of their own; the marking counts them.

use std::collections::BTreeSet;

use crate::event::Event;
use crate::kind::Kind;
use crate::violation::{Fault, Violation};

/// The ids of the obligations that are reserved.
#[derive(Default)]
pub struct ObligationOracle {
    reserved: BTreeSet<u64>,
}

impl ObligationOracle {
    /// Takes one event in.
    pub fn step(&mut self, event: &Event) -> Result<(), Violation> {
        let id = event.a;
        if !event.is_semantic() || id == 0 {
            return Ok(());
        }
        let (allowed, from) = match event.kind {
            Kind::ObligationReserve => (self.reserved.insert(id), "reserved"),
            Kind::ObligationCommit | Kind::ObligationAbort => {
                (self.reserved.remove(&id), "none or resolved")
            }
            Kind::ObligationTransfer => (self.reserved.contains(&id), "none or resolved"),
            _ => return Ok(()),
        };
        if allowed {
            return Ok(());
        }
        let event_name = event.kind.name();
        let fault = Fault::Edge {
            from,
            event: event_name,
        };
        Err(Violation::new("OBL-2", event, fault))
    }

    /// How many are reserved.
    pub fn live(&self) -> usize {
        self.reserved.len()
    }
}
