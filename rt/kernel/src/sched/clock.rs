//! The monotone clock and the entropy of the production drivers.
//!
//! The system's clock is read as one number of nanoseconds and subtracted as one; seconds and
//! nanoseconds apart, as an `Instant` has them, cost a hundred instructions more at each reading,
//! which is five times what the reading itself takes.
#![allow(unsafe_code, reason = "asks the system for the time")]

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use asr_base::{TaskId, Time, task_entropy};

/// Time since it was made, and a seed of its own.
#[derive(Debug)]
pub(super) struct Clock {
    /// The system's time when it was made.
    start: u64,
    seed: u64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock {
            start: nanos(),
            seed: RandomState::new().build_hasher().finish(),
        }
    }

    #[inline]
    pub(super) fn now(&self) -> Time {
        // The system's clock does not go back; should it, time stands still.
        Time::from_nanos(nanos().saturating_sub(self.start))
    }

    pub(super) fn entropy(&self, task: TaskId, call: u64) -> u64 {
        task_entropy(self.seed, task, call)
    }
}

/// Nanoseconds since the system started.
#[inline]
fn nanos() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to room for one time. The call cannot fail for this clock, and if it
    // did, the time would be 0.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}
