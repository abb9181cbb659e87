//! Work that blocks its thread: foreign calls, files, anything that cannot be polled.
//!
//! [`Cx::blocking`](crate::Cx::blocking) makes a [`Job`] and gives it to the driver; the
//! production drivers hand it to a [`Pool`] of threads, the lab runs it at once.
//!
//! Protocol
//! 1. A job is queued, then claimed once: by the thread that runs it, by its waiter who was
//!    cancelled and takes the work back unrun (SCH-34), or by whoever refuses it.
//! 2. A job that runs is never interrupted. Its waiter waits on, cancelled or not, until the
//!    cleanup budget ends; then the result is dropped where it arrives.
//! 3. The pool counts itself free of a job before the waiter hears of its end, so work that comes
//!    one after the other needs one thread (SCH-31).

mod job;
mod pool;

pub(crate) use job::Blocking;
pub use job::Job;
#[doc(hidden)]
pub use pool::Counts;
pub use pool::{Pool, PoolConfig, PoolStats, Running, Starter, Threads};
