//! The lab: the same kernel under a seeded scheduler and virtual time.
//!
//! # A first look
//!
//! A test of concurrent code is an async function that runs under many seeds, each twice, in
//! virtual time. A failure prints a crash pack and the command that repeats it.
//!
//! ```
//! use std::time::Duration;
//!
//! use asr_base::{Failure, Time};
//! use asr_kernel::Cx;
//!
//! #[asr_lab::test(seeds = 100)]
//! async fn a_year_passes(cx: Cx) -> Result<(), Failure> {
//!     let sleeper = cx.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(31_536_000)).await?))?;
//!     sleeper.join(&cx).await?.into_result()?;
//!     assert_eq!(cx.now(), Time::from_nanos(31_536_000_000_000_000));
//!     Ok(())
//! }
//! ```
//!
//! [`Lab`] runs one program by hand, step by step if need be; [`Explorer`] runs every schedule of a
//! small one.
//!
//! | file | idea |
//! |---|---|
//! | `chaos` | faults by chance, and at a chosen cancel point |
//! | `check` | many seeds, each twice: what `#[asr_lab::test]` calls |
//! | `config` | what a run is given |
//! | `driver` | the kernel's driver: virtual time, the pool of runnable tasks |
//! | `schedule` | which task is next: a seed, the production lanes, a recorded script |
//! | `pack` | crash packs |
//! | `record` | replay of a recorded run, shrinking of a schedule |
//! | `snapshot` | the state at a step, its bytes, what it must not contradict |
//! | `run` | one run, step by step |
//! | `session` | a run of a main task, from its start or from a snapshot |
//! | `explore` | every schedule of a small program |
//! | `link` | causes of events |
//! | `tape` | the sink of a run |
//! | `oracle` | rules as folds over events |
//! | `futurelock` | holders of obligations that are not polled |
//! | `waits` | who waits for whom |
//! | `failure` | how a run fails, and the line that repeats it |

mod chaos;
mod check;
mod config;
mod driver;
mod explore;
mod failure;
mod futurelock;
mod link;
pub mod oracle;
mod pack;
mod record;
mod run;
mod schedule;
mod session;
mod snapshot;
mod tape;
mod waits;

pub use asr_lab_macros::test;
pub use chaos::{CancelPoint, Chaos, Counts, Rate, for_each_cancel_point};
pub use check::{Site, check};
pub use config::LabConfig;
pub use explore::{Exploration, Explorer, Found};
pub use failure::{Evidence, Failure, LiveTask, Reason};
pub use link::Linker;
pub use pack::{CrashPack, attach};
pub use record::{Recording, Shrunk, shrink};
pub use run::{Lab, Run, Step};
pub use schedule::{Choice, Schedule};
pub use session::Session;
pub use snapshot::{Fault, Snapshot, SnapshotError};
pub use waits::{Edge, Graph, Node};

/// Builds with the lab check the order of locks (SCH-35); models of loom have locks of their own.
const _: () = assert!(asr_lock::CHECKED || cfg!(loom));
