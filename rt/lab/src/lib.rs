//! The lab: the same kernel under a seeded scheduler and virtual time.
//!
//! | file | idea |
//! |---|---|
//! | `check` | many seeds, each twice: what `#[asr_lab::test]` calls |
//! | `config` | what a run is given |
//! | `driver` | the kernel's driver: virtual time, the pool of runnable tasks |
//! | `schedule` | which task is next: a seed, the production lanes, a recorded script |
//! | `run` | one run, step by step |
//! | `explore` | every schedule of a small program |
//! | `failure` | how a run fails, and the line that repeats it |

mod check;
mod config;
mod driver;
mod explore;
mod failure;
mod run;
mod schedule;

pub use asr_lab_macros::test;
pub use check::{Site, check};
pub use config::LabConfig;
pub use explore::{Exploration, Explorer, Found};
pub use failure::{Failure, LiveTask, Reason};
pub use run::{Lab, Run, Step};
pub use schedule::{Choice, Schedule};
