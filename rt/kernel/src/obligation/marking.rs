//! The marking: how many tokens of each kind a region has (OBL-20, OBL-21).

use crate::kernel::Config;
use crate::sync::{Mutex, lock};

/// Counts of one kind in one place. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens made.
    pub reserved: u64,
    /// Tokens resolved by their commit verb.
    pub committed: u64,
    /// Tokens resolved otherwise.
    pub aborted: u64,
}

impl Counts {
    /// Tokens that are not resolved.
    pub fn live(&self) -> u64 {
        self.reserved - self.committed - self.aborted
    }
}

/// The counts of a region, a place per kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marking {
    places: Vec<Counts>,
}

/// What all regions share: touched when a region closes, never by reserve or resolve (OBL-23).
#[derive(Debug)]
pub struct Registry {
    closed: Mutex<Marking>,
}

impl Registry {
    pub(crate) fn new(_config: &Config) -> Registry {
        Registry {
            closed: Mutex::new(Marking::default()),
        }
    }

    /// A region closed with this marking.
    pub(crate) fn fold(&self, marking: &Marking) {
        let mut closed = lock(&self.closed);
        if closed.places.len() < marking.places.len() {
            closed
                .places
                .resize(marking.places.len(), Counts::default());
        }
        for (total, counts) in closed.places.iter_mut().zip(&marking.places) {
            total.reserved += counts.reserved;
            total.committed += counts.committed;
            total.aborted += counts.aborted;
        }
    }
}
