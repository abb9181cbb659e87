//! A finished trace.

use crate::clock::ClockMode;
use crate::event::Event;

/// How many events a recorder dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dropped {
    /// Semantic events; always 0 in the lab.
    pub semantic: u64,
    /// Sub-events.
    pub notes: u64,
}

impl Dropped {
    /// Both together.
    pub fn total(self) -> u64 {
        self.semantic.saturating_add(self.notes)
    }

    /// Counts these in as well.
    pub fn add(&mut self, more: Dropped) {
        self.semantic = self.semantic.saturating_add(more.semantic);
        self.notes = self.notes.saturating_add(more.notes);
    }
}

/// The events of a run in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// The events.
    pub events: Vec<Event>,
    /// How to read their logical times.
    pub clock: ClockMode,
    /// What is missing.
    pub dropped: Dropped,
}

impl Log {
    /// The events, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Event> {
        self.events.iter()
    }
}

impl<'a> IntoIterator for &'a Log {
    type Item = &'a Event;
    type IntoIter = std::slice::Iter<'a, Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}
