//! Timers of the kernel: the wheel under a lock, and what a timer does when it fires.
//!
//! Exactly one of cancel and fire gets a timer: both take it out of the wheel under the lock
//! (SCH-26). What fires runs after the lock is given back.

use std::task::Waker;

use asr_base::{Time, TimerId};

use super::Kernel;
use crate::actor;
use crate::cancel;
use crate::region::RegionRef;
use crate::sync::{Mutex, lock};
use crate::task::TaskRef;
use crate::task::cell::contained;
use crate::timer::Wheel;

/// What fires.
pub(crate) enum Target {
    /// Somebody sleeps.
    Wake(Waker),
    /// The deadline of a task's own budget.
    Deadline(TaskRef),
    /// The end of a task's cleanup budget.
    Cleanup(TaskRef),
    /// The deadline of a region's own budget.
    RegionDeadline(RegionRef),
}

pub(crate) struct Timers {
    wheel: Mutex<Wheel<Target>>,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers {
            wheel: Mutex::new(Wheel::new()),
        }
    }

    /// Arms one; true if it is the earliest now.
    pub(crate) fn set(&self, at: Time, target: Target) -> (TimerId, bool) {
        let mut wheel = lock(&self.wheel);
        let before = wheel.next_deadline();
        let id = wheel.insert(at, target);
        (id, before.is_none_or(|before| at < before))
    }

    /// False if it fired or was cancelled before.
    pub(crate) fn cancel(&self, id: TimerId) -> bool {
        let target = lock(&self.wheel).cancel(id);
        // Dropped after the lock: a target holds references whose end may arm or cancel timers.
        target.is_some()
    }

    /// Drops every timer, and what it holds.
    pub(crate) fn clear(&self) {
        // Dropped after the lock, as in `cancel`.
        let _dropped = std::mem::take(&mut *lock(&self.wheel));
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        lock(&self.wheel).next_deadline()
    }

    /// Every armed timer, in the order in which they fire.
    pub(crate) fn inspect(&self) -> Vec<super::TimerState> {
        let wheel = lock(&self.wheel);
        let states = wheel
            .iter()
            .map(|(id, deadline, _)| super::TimerState { id, deadline });
        states.collect()
    }

    pub(crate) fn advance(&self, kernel: &Kernel, now: Time) -> usize {
        let mut due = Vec::new();
        lock(&self.wheel).advance(now, &mut |id, at, target| due.push((id, at, target)));
        let fired = due.len();
        for (id, at, target) in due {
            let _stay = actor::enter(kernel, None);
            crate::event::timer_fired(kernel, id, at);
            match target {
                // A foreign waker may panic; the timers after it fire all the same.
                Target::Wake(waker) => {
                    contained(|| waker.wake());
                }
                Target::Deadline(task) => cancel::expired(&task),
                Target::Cleanup(task) => cancel::cleanup_ended(&task),
                Target::RegionDeadline(region) => cancel::region_expired(&region),
            }
        }
        fired
    }
}
