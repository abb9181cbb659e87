//! A finished trace, and its file (TRC-22, TRC-26).
//!
//! A file is, numbers in little-endian order:
//!
//! | part    | bytes                                                                          |
//! |---------|--------------------------------------------------------------------------------|
//! | start   | magic `ASRTRACE`, major `u16`, minor `u16`, length of the header `u16`         |
//! | header  | clock mode `u8`, schema hash `u128`                                            |
//! | event   | length `u16`, below 0xFFFF, then the event: see `log/code.rs`                  |
//! | trailer | 0xFFFF, length `u16`, count of events, dropped events and dropped notes `u64`, |
//! |         | checksum `u128` over everything before it                                      |
//!
//! A later minor version may append fields to the header, to events and to the trailer, and add
//! sub-events; a reader passes over them. Anything else is a new major version.

mod code;
mod read;
mod schema;
mod write;

pub use read::{Read, ReadError};
pub use schema::{schema_hash, schema_text};

use crate::clock::ClockMode;
use crate::event::Event;

/// The first bytes of a file.
pub const MAGIC: [u8; 8] = *b"ASRTRACE";
/// The major version written, and the only one read.
pub const MAJOR: u16 = 1;
/// The minor version written.
pub const MINOR: u16 = 0;

/// The length of the header: clock mode and schema hash.
const HEADER: usize = 17;
/// What stands in the place of an event's length before the trailer.
const TRAILER_MARK: u16 = u16::MAX;
/// The length of the trailer: three numbers and the checksum.
const TRAILER: usize = 40;

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

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        write::write(self)
    }

    /// What a file holds, up to its last whole event. Never panics, whatever the bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Read, ReadError> {
        read::read(bytes)
    }

    /// A hash of everything in the log: equal logs, byte for byte, and no others.
    pub fn hash(&self) -> u128 {
        crate::hash::hash(&self.to_bytes())
    }
}

impl<'a> IntoIterator for &'a Log {
    type Item = &'a Event;
    type IntoIter = std::slice::Iter<'a, Event>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}
