//! The state of each thread that runs compiled code or calls the runtime.
//!
//! Invariants
//! 1. A thread has at most one state; it lives from [`adopt()`] to the end of the thread, and its
//!    address does not change.
//! 2. Only the owning thread touches anything of it but `flag`.
//! 3. `Thread::kernel` points to the [`Local`] of the same thread while the state lives.

mod adopt;
mod altstack;
pub mod checkpoint;
pub mod fault;
pub mod hooks;
pub mod intent;
mod local;
pub mod ring;
pub mod stack;
pub mod ticks;
pub mod trace;

pub use adopt::{adopt, adopt_ptr, current};
pub use local::Local;

/// Nanoseconds since the kernel was first asked: the runtime's clock (VAL-31).
pub fn now_ns() -> u64 {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(std::time::Instant::now);
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}
