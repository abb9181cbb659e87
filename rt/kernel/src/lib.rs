//! The kernel: thread state and checkpoint, the registry of code, signals in compiled code.
//!
//! Regions, tasks, cancellation and the scheduler come here too; what exists now is what
//! synchronous compiled code needs. The kernel knows nothing of healing or of values: what it does
//! for them goes through the fixed table [`Hooks`] that the runtime installs.

pub mod code;
pub mod sync;
pub mod thread;

pub use thread::hooks::Hooks;
