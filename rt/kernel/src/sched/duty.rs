//! Who sleeps until the earliest timer (SCH-24, SCH-25).
//!
//! A worker that is about to sleep takes the duty, unless a sleeper has it that wakes in time; the
//! one that had it before just sleeps on. Whoever has it looks at the timers under the lock of the
//! duty; whoever arms one has put it in before, and then asks here. So either the sleeper has seen
//! the timer, or who armed it sees the sleeper. A worker that arms a timer needs not ask: it is
//! awake, looks at the timers every few dispatches, and takes the duty before it sleeps.
//!
//! Where nobody has the duty somebody is awake: it is given back by who wakes up.

use asr_base::Time;

use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock, rank};

const NOBODY: usize = usize::MAX;

/// See the module.
#[derive(Debug)]
pub struct Duty {
    /// Who, and until when it sleeps.
    holder: Mutex<Option<(usize, Time)>, rank::SchedDuty>,
    /// Who, for the choice of whom to wake.
    hint: AtomicUsize,
}

impl Default for Duty {
    fn default() -> Duty {
        Duty {
            holder: Mutex::new(None),
            hint: AtomicUsize::new(NOBODY),
        }
    }
}

impl Duty {
    /// The worker is about to sleep. The time of the earliest timer, `next`, if it has the duty
    /// until then; `Time::MAX` if there is no timer.
    pub fn take(&self, worker: usize, next: impl FnOnce() -> Option<Time>) -> Option<Time> {
        let mut holder = lock(&self.holder);
        let next = next().unwrap_or(Time::MAX);
        if holder.is_some_and(|(_, until)| until <= next) {
            return None;
        }
        *holder = Some((worker, next));
        self.hint.store(worker, Relaxed);
        Some(next)
    }

    /// The worker is awake.
    pub fn give_back(&self, worker: usize) {
        let mut holder = lock(&self.holder);
        if holder.is_some_and(|(found, _)| found == worker) {
            *holder = None;
            self.hint.store(NOBODY, Relaxed);
        }
    }

    /// A timer was armed: the worker that sleeps too long for it.
    pub fn sleeps_past(&self, deadline: Time) -> Option<usize> {
        let holder = *lock(&self.holder);
        let (worker, _) = holder.filter(|(_, until)| deadline < *until)?;
        Some(worker)
    }

    /// Whether somebody who sleeps wakes by then.
    pub fn covers(&self, deadline: Time) -> bool {
        lock(&self.holder).is_some_and(|(_, until)| until <= deadline)
    }

    /// Whether the worker has it: a hint.
    pub fn is_held_by(&self, worker: usize) -> bool {
        self.hint.load(Relaxed) == worker
    }
}
