//! The kernel: regions that close to quiescence, tasks, cancellation as a protocol, obligations,
//! timers; the thread state and checkpoint of compiled code, its registry, signals in it.
//!
//! # A first look
//!
//! A region returns when nothing of it runs any more; its fibers borrow from around it.
//!
//! ```
//! use std::time::Duration;
//!
//! use asr_base::Outcome;
//! use asr_kernel::sched::Local;
//! use asr_kernel::{Config, RegionConfig};
//!
//! let outcome = Local::new(Config::default()).run(async |cx| {
//!     let words = ["leak", "hang", "lose work"];
//!     let counted = cx
//!         .region(RegionConfig::new(), async |scope, cx| {
//!             let mut fibers = Vec::new();
//!             for word in &words {
//!                 fibers.push(scope.fiber(async move |cx| {
//!                     cx.sleep(Duration::from_millis(1)).await?;
//!                     Ok(word.len())
//!                 })?);
//!             }
//!             let mut sum = 0;
//!             for fiber in fibers {
//!                 sum += fiber.join(&cx).await?.into_result()?;
//!             }
//!             Ok(sum)
//!         })
//!         .await;
//!     counted.into_result()
//! });
//! assert!(matches!(outcome, Outcome::Ok(17)));
//! ```
//!
//! `?` takes three things on: an [`Error`](asr_base::Error) of one's own, a refused spawn, and
//! [`Interrupted`](asr_base::Interrupted), which a cancel point returns once a cancel is pending.
//! An [`Outcome`](asr_base::Outcome) says which of Ok, Err, Cancelled and Panicked it was; none of
//! them turns into another unnoticed.
//!
//! The kernel asks the world through [`Driver`] only, so production and lab run the same code. It
//! knows nothing of healing or of values: what it does for them goes through the fixed table
//! [`Hooks`] that the runtime installs.

mod actor;
pub mod blocking;
pub mod cancel;
pub mod code;
pub mod compiled;
pub mod cx;
pub mod deadline;
mod driver;
mod event;
pub mod futurelock;
pub mod inject;
mod kernel;
pub mod obligation;
pub mod region;
pub mod sched;
pub mod simulation;
mod slab;
pub mod sync;
pub mod task;
pub mod thread;
pub mod timer;
pub mod topology;

pub use cx::Cx;
pub use driver::{Driver, Lane, Runnable, cancel_priority};
pub use kernel::{Config, Kernel, Occupied, RegionState, Stats, Stuck, TaskState, TimerState};
pub use region::{Escalation, OpenRegion, Policy, RegionConfig, RegionHandle, Scope, Spawn};
#[cfg(not(loom))]
pub use sched::{Workers, WorkersConfig};
pub use task::JoinHandle;
pub use thread::hooks::Hooks;
