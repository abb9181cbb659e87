//! The runtime: what programs start, and what compiled code and C call.
//!
//! # A first program
//!
//! ```no_run
//! use asr_rt::{Cx, Duration, Failure, RegionConfig};
//!
//! #[asr_rt::main]
//! async fn main(cx: Cx) -> Result<(), Failure> {
//!     let names = ["Ada", "Grace", "Barbara"];
//!     // Nothing of a region runs any more once it returns; so its fibers may borrow.
//!     let greeted = cx.region(RegionConfig::new(), async |scope, _| {
//!         for name in &names {
//!             drop(scope.fiber(async move |cx| {
//!                 cx.sleep(Duration::from_millis(10)).await?;
//!                 println!("hello, {name}");
//!                 Ok(())
//!             })?);
//!         }
//!         Ok(names.len())
//!     });
//!     println!("{} greetings", greeted.await.into_result()?);
//!     Ok(())
//! }
//! ```
//!
//! [`Builder`] starts a runtime with other values, from code or from a file; [`from_tokio`] is for
//! who knows tokio. Tests of such programs run in the lab, the crate `asr-lab`, where time and
//! order follow from a seed.
//!
//! # The parts
//!
//! | part        | what                                                                  |
//! |-------------|-----------------------------------------------------------------------|
//! | [`Builder`] | a runtime for tasks, [`Tasks`]: its values, their file, start          |
//! | [`main`](macro@main) | a main function that is a task                                |
//! | [`Runtime`] | what compiled code and C need: start and stop                         |
//! | `rows`      | the implementations of the tables `core`, `tasks`, `sync`             |
//! | `exports`   | their symbols, `asr_i_<row>` for compiled code and `asr_<row>` for C  |
//! | `frames`    | what compiled code calls about frames, new tasks and op slots         |
//! | [`embed`]   | asynchronous functions of compiled code, run from Rust and C          |
//! | `c_api`     | the three functions of `asr_runtime.h`, and start and stop for C      |
//!
//! The floors below are crates of their own: [`base`], [`kernel`], [`sync`], [`heal`].

pub use asr_base as base;
pub use asr_heal as heal;
pub use asr_kernel as kernel;
#[cfg(feature = "lock-metrics")]
pub use asr_lock::{LockMetrics, metrics as lock_metrics};
pub use asr_sync as sync;

mod builder;
pub mod c_api;
pub mod embed;
mod entry;
mod exports;
pub mod frames;
mod rows;
mod runtime;
mod taint;
mod tasks;

pub use asr_base::{
    Budget, CancelKind, CancelReason, Duration, Error, Failure, Interrupted, Outcome, Status, Time,
};
pub use asr_kernel::{
    Cx, Escalation, JoinHandle, OpenRegion, Policy, RegionConfig, RegionHandle, Scope, Spawn,
};
pub use asr_rt_macros::main;
pub use asr_sync::combine;
pub use builder::{Builder, Layout};
#[doc(hidden)]
pub use entry::run_main;
pub use exports::symbols;
pub use runtime::{Config, Runtime, StartError};
pub use tasks::Tasks;

#[doc = include_str!("../docs/from-tokio.md")]
pub mod from_tokio {}
