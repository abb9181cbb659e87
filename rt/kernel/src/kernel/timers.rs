//! Timers of the kernel: the wheel under a lock, and what a timer does when it fires.
//!
//! Exactly one of cancel and fire gets a timer: both take it out of the wheel under the lock
//! (SCH-26). What fires runs after the lock is given back.

use std::task::Waker;

use asr_base::{Time, TimerId};

use super::Kernel;
use crate::actor;
use crate::cancel;
use crate::deadline;
use crate::region::RegionRef;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
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
    /// The deadline monitor looks.
    Monitor,
}

pub(crate) struct Timers {
    wheel: Mutex<Wheel<Target>>,
    /// The earliest deadline in nanoseconds, or an earlier one; `u64::MAX` is none.
    next: AtomicU64,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers {
            wheel: Mutex::new(Wheel::new()),
            next: AtomicU64::new(u64::MAX),
        }
    }

    /// Arms one; true if it is the earliest now.
    pub(crate) fn set(&self, at: Time, target: Target) -> (TimerId, bool) {
        let mut wheel = lock(&self.wheel);
        let before = wheel.next_deadline();
        let id = wheel.insert(at, target);
        // Relaxed, here and in `note`: a hint for workers that look again soon, and under the lock
        // before they sleep. Stored under the lock, so load and store need not be one step.
        if at.as_nanos() < self.next.load(Relaxed) {
            self.next.store(at.as_nanos(), Relaxed);
        }
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
        let mut wheel = lock(&self.wheel);
        let _dropped = std::mem::take(&mut *wheel);
        self.note(&mut wheel);
        drop(wheel);
    }

    fn note(&self, wheel: &mut Wheel<Target>) {
        let next = wheel.next_deadline().map_or(u64::MAX, Time::as_nanos);
        self.next.store(next, Relaxed);
    }

    /// The earliest deadline without the lock, or an earlier one that was cancelled since the last
    /// advance (SCH-14).
    #[inline]
    pub(crate) fn next_hint(&self) -> Option<Time> {
        let next = self.next.load(Relaxed);
        (next != u64::MAX).then(|| Time::from_nanos(next))
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
        let mut wheel = lock(&self.wheel);
        wheel.advance(now, &mut |id, at, target| due.push((id, at, target)));
        self.note(&mut wheel);
        drop(wheel);
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
                Target::Monitor => deadline::turn(kernel),
            }
        }
        fired
    }
}
