//! The kernel: regions that close to quiescence, tasks, cancellation as a protocol, obligations,
//! timers; the thread state and checkpoint of compiled code, its registry, signals in it.
//!
//! The kernel asks the world through [`Driver`] only, so production and lab run the same code. It
//! knows nothing of healing or of values: what it does for them goes through the fixed table
//! [`Hooks`] that the runtime installs.

mod actor;
pub mod cancel;
pub mod code;
pub mod cx;
mod driver;
mod event;
mod kernel;
pub mod obligation;
pub mod region;
pub mod sched;
mod slab;
pub mod sync;
pub mod task;
pub mod thread;
pub mod timer;

pub use cx::Cx;
pub use driver::{Driver, Lane, Runnable, cancel_priority};
pub use kernel::{Config, Kernel, RegionState, Stats, TaskState, TimerState};
pub use region::{Escalation, OpenRegion, Policy, RegionConfig, RegionHandle, Scope, Spawn};
pub use task::JoinHandle;
pub use thread::hooks::Hooks;
