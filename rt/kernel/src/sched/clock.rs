//! The monotone clock and the entropy of the production drivers.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Instant;

use asr_base::{TaskId, Time, task_entropy};

/// Time since it was made, and a seed of its own.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    seed: u64,
}

impl Clock {
    pub(super) fn new() -> Clock {
        Clock {
            start: Instant::now(),
            seed: RandomState::new().build_hasher().finish(),
        }
    }

    #[inline]
    pub(super) fn now(&self) -> Time {
        let elapsed = self.start.elapsed().as_nanos();
        Time::from_nanos(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    pub(super) fn entropy(&self, task: TaskId, call: u64) -> u64 {
        task_entropy(self.seed, task, call)
    }
}
