//! Snapshots: the state of a run at a step, in canonical order (LAB-15).
//!
//! ```text
//! magic "ASRSNAP\0"  version u16  body: length u64, state hash u128, bytes  choices  SHA-256 of
//! all before
//! ```
//!
//! Invariants
//! 1. Equal states give equal bytes: every list is in the order of ids, every number little-endian.
//! 2. The state hash covers the body only; the choices lead to the state and are no part of it.
//! 3. No task is ever rebuilt from a snapshot: restoring replays the choices from the start and
//!    compares the state hash (LAB-18).
//!
//! Virtual network and disk join the body with their devices.

mod bytes;
mod validate;

use asr_base::{RegionId, TaskId, Time};
use asr_kernel::{RegionState, TaskState, TimerState};

pub use validate::Fault;

use crate::schedule::Choice;

/// The state of a run at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The seed of the run.
    pub seed: u64,
    /// The step.
    pub step: u64,
    /// Virtual time.
    pub now: Time,
    /// The generator of the schedule's stream.
    pub generator: [u64; 4],
    /// Regions that are not closed.
    pub regions: Vec<RegionState>,
    /// Tasks that are not complete.
    pub tasks: Vec<TaskState>,
    /// Armed timers, in the order in which they fire.
    pub timers: Vec<TimerState>,
    /// Runnable tasks, in the order in which places count.
    pub queue: Vec<TaskId>,
    /// Live obligations: region, kind, how many.
    pub marking: Vec<(RegionId, u8, u64)>,
    /// The choices that led here.
    pub choices: Vec<Choice>,
}

/// Why bytes are no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The checksum does not fit, or a field is out of its domain: `CORRUPT` (LAB-16).
    Corrupt(&'static str),
    /// Another version: `VERSION_UNSUPPORTED`.
    Version(u16),
}

impl SnapshotError {
    /// The status of VAL-33.
    pub fn status(&self) -> asr_base::Status {
        match self {
            SnapshotError::Corrupt(_) => asr_base::Status::CORRUPT,
            SnapshotError::Version(_) => asr_base::Status::VERSION_UNSUPPORTED,
        }
    }
}

impl std::fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SnapshotError::Corrupt(what) => write!(f, "not an intact snapshot: {what}"),
            SnapshotError::Version(found) => {
                write!(f, "snapshot of version {found}, this is {}", bytes::VERSION)
            }
        }
    }
}

impl std::error::Error for SnapshotError {}
