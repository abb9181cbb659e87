//! The lab: the same kernel under a seeded scheduler and virtual time.
//!
//! | file | idea |
//! |---|---|
//! | `check` | many seeds, each twice: what `#[asr_lab::test]` calls |
//! | `config` | what a run is given |
//! | `driver` | the kernel's driver: virtual time, the pool of runnable tasks |
//! | `schedule` | which task is next: a seed, the production lanes, a recorded script |
//! | `pack` | crash packs |
//! | `record` | replay of a recorded run, shrinking of a schedule |
//! | `snapshot` | the state at a step, its bytes, what it must not contradict |
//! | `run` | one run, step by step |
//! | `explore` | every schedule of a small program |
//! | `failure` | how a run fails, and the line that repeats it |

mod check;
mod config;
mod driver;
mod explore;
mod failure;
mod pack;
mod record;
mod run;
mod schedule;
mod snapshot;

pub use asr_lab_macros::test;
pub use check::{Site, check};
pub use config::LabConfig;
pub use explore::{Exploration, Explorer, Found};
pub use failure::{Failure, LiveTask, Reason};
pub use pack::{CrashPack, attach};
pub use record::{Recording, Shrunk, shrink};
pub use run::{Lab, Run, Session, Step};
pub use schedule::{Choice, Schedule};
pub use snapshot::{Fault, Snapshot, SnapshotError};
