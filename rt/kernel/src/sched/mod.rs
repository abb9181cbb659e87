//! Scheduling: the lanes of one worker, and the driver of one thread.

mod lanes;
mod local;

pub use lanes::{Lanes, Limits};
pub use local::Local;
