//! The marking of a region: how many tokens of each kind it has (OBL-20, OBL-21).
//!
//! It lies in the region, under the region's lock, so that regions share nothing (OBL-23). Counts
//! only grow; a token that moves between regions is counted where it left and where it came.

use super::kind::Kind;

/// Counts of one kind in one place. They only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens made here.
    pub reserved: u64,
    /// Tokens resolved by their commit verb.
    pub committed: u64,
    /// Tokens resolved otherwise.
    pub aborted: u64,
    /// Tokens that came from other regions.
    pub arrived: u64,
    /// Tokens that went to other regions.
    pub left: u64,
}

impl Counts {
    /// Tokens that are here and not resolved.
    pub fn live(&self) -> u64 {
        self.reserved + self.arrived - self.left - self.committed - self.aborted
    }

    pub(super) fn add(&mut self, other: &Counts) {
        self.reserved += other.reserved;
        self.committed += other.committed;
        self.aborted += other.aborted;
        self.arrived += other.arrived;
        self.left += other.left;
    }
}

/// The counts of a region, a place per kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marking {
    places: Vec<Counts>,
}

impl Marking {
    /// The counts of a kind.
    pub fn of(&self, kind: Kind) -> Counts {
        self.places.get(kind.place()).copied().unwrap_or_default()
    }

    /// The counts of all kinds together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.places.iter().for_each(|counts| total.add(counts));
        total
    }

    /// The kinds that were ever counted here.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, Counts)> {
        let numbered = (0u8..).map(Kind::from_number).zip(self.places.iter());
        numbered
            .map(|(kind, counts)| (kind, *counts))
            .filter(|(_, counts)| *counts != Counts::default())
    }

    pub(crate) fn is_untouched(&self) -> bool {
        self.places.is_empty()
    }

    pub(super) fn place(&mut self, kind: Kind) -> &mut Counts {
        let place = kind.place();
        if self.places.len() <= place {
            self.places.resize(place + 1, Counts::default());
        }
        &mut self.places[place]
    }

    pub(super) fn add(&mut self, other: &Marking) {
        for (kind, counts) in other.kinds() {
            self.place(kind).add(&counts);
        }
    }
}
