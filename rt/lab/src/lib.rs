//! The lab: the same kernel under a seeded scheduler and virtual time.
//!
//! | file | idea |
//! |---|---|
//! | `config` | what a run is given |
//! | `driver` | the kernel's driver: virtual time, the pool of runnable tasks |
//! | `schedule` | which task is next: a seed, the production lanes, a recorded script |
//! | `run` | one run, step by step |
//! | `failure` | how a run fails, and the line that repeats it |

mod config;
mod driver;
mod failure;
mod run;
mod schedule;

pub use config::LabConfig;
pub use failure::{Failure, LiveTask, Reason};
pub use run::{Lab, Run, Step};
pub use schedule::{Choice, Schedule};
