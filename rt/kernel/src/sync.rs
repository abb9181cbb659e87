//! The one place from which the runtime takes its atomics, so that loom can replace them.

#[cfg(loom)]
pub use loom::sync::atomic;

#[cfg(not(loom))]
pub use std::sync::atomic;
