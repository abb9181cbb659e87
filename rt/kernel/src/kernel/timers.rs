//! Timers of the kernel: the wheels under a lock, and what a timer does when it fires.
//!
//! Exactly one of cancel and fire gets a timer: both take it out of the wheel under the lock
//! (SCH-26). What fires runs after the lock is given back.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;

use asr_base::{Duration, Error, Status, Time, TimerId};

use super::Kernel;
use crate::actor;
use crate::cancel;
use crate::deadline;
use crate::futurelock;
use crate::region::RegionRef;
use crate::sync::atomic::{AtomicU64, Ordering::Relaxed};
use crate::sync::{Mutex, lock, rank};
use crate::task::cell::contained;
use crate::task::{TaskRef, waker};
use crate::timer::{Precision, Turns};

/// What fires.
pub(crate) enum Target {
    /// A task sleeps.
    Wake(TaskRef),
    /// Somebody else does. Boxed: a timer is as large as its largest target.
    Foreign(Box<Waker>),
    /// The deadline of a task's own budget.
    Deadline(TaskRef),
    /// The end of some cleanup budget.
    Cleanups,
    /// The deadline of a region's own budget.
    RegionDeadline(RegionRef),
    /// The deadline monitor looks.
    Monitor,
    /// Holders are looked at that others wait for.
    Futurelocks,
}

const _: () = assert!(size_of::<Option<Target>>() == 16);

impl Target {
    /// Whoever this wakes.
    #[inline]
    pub(crate) fn waking(waker: &Waker) -> Target {
        match waker::task_ref(waker) {
            Some(task) => Target::Wake(task),
            None => Target::Foreign(Box::new(waker.clone())),
        }
    }
}

pub(crate) struct Timers {
    wheel: Mutex<Turns<Target>, rank::Timers>,
    tick: Duration,
    /// When a driver has to look, in nanoseconds: the turn of the earliest or a time before it;
    /// `u64::MAX` is never. Arming lowers it, and only an advance raises it: a cancel leaves it, so
    /// it costs one turn that finds nothing, instead of a search for the next.
    turn: AtomicU64,
}

impl Timers {
    pub(crate) fn new(tick: Duration) -> Timers {
        Timers {
            wheel: Mutex::new(Turns::new(tick)),
            tick,
            turn: AtomicU64::new(u64::MAX),
        }
    }

    /// Arms one; when a driver has to look, if that is earlier than it was told.
    fn set(&self, at: Time, precision: Precision, target: Target) -> (TimerId, Option<Time>) {
        let mut wheel = lock(&self.wheel);
        let (id, turn) = wheel.insert(at, precision, target);
        // Relaxed, here and in `note`: a hint for workers that look again soon, and under the lock
        // before they sleep. Stored under the lock, so load and store need not be one step.
        let sooner = turn.as_nanos() < self.turn.load(Relaxed);
        if sooner {
            self.turn.store(turn.as_nanos(), Relaxed);
        }
        (id, sooner.then_some(turn))
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
        let _dropped = std::mem::replace(&mut *wheel, Turns::new(self.tick));
        self.note(&mut wheel);
        drop(wheel);
    }

    fn note(&self, wheel: &mut Turns<Target>) {
        let turn = wheel.next_turn().map_or(u64::MAX, Time::as_nanos);
        self.turn.store(turn, Relaxed);
    }

    /// When a driver has to look, without the lock (SCH-14).
    #[inline]
    pub(crate) fn turn_hint(&self) -> Option<Time> {
        let turn = self.turn.load(Relaxed);
        (turn != u64::MAX).then(|| Time::from_nanos(turn))
    }

    /// The same, after every arming that has begun: for who sleeps until then.
    pub(crate) fn next_turn(&self) -> Option<Time> {
        let _armed = lock(&self.wheel);
        self.turn_hint()
    }

    pub(crate) fn next_deadline(&self) -> Option<Time> {
        lock(&self.wheel).next_deadline()
    }

    /// Every armed timer, in the order in which they fire.
    pub(crate) fn inspect(&self) -> Vec<super::TimerState> {
        let wheel = lock(&self.wheel);
        let states = wheel
            .iter()
            .map(|(id, deadline)| super::TimerState { id, deadline });
        states.collect()
    }

    pub(crate) fn advance(&self, kernel: &Kernel, now: Time) -> usize {
        let mut due = Vec::new();
        let mut wheel = lock(&self.wheel);
        wheel.advance(now, &mut |id, at, target| due.push((id, at, target)));
        self.note(&mut wheel);
        drop(wheel);
        let fired = due.len();
        // They are out of the wheel, so each has to act, whatever the one before did: a foreign
        // waker or the sink of the events may panic. The first panic goes on at the end.
        let mut panicked = None;
        let mut step = |run: &mut dyn FnMut()| {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
                panicked.get_or_insert(panic);
            }
        };
        for (id, at, target) in due {
            let _stay = actor::enter(kernel, None);
            step(&mut || crate::event::timer_fired(kernel, id, at));
            let mut target = Some(target);
            step(&mut || act(kernel, target.take(), id, now));
        }
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
        fired
    }
}

impl Kernel {
    /// The earliest armed timer. Looks for it if it changed; a driver that only has to know when to
    /// look asks [`next_turn`](Kernel::next_turn).
    pub fn next_deadline(&self) -> Option<Time> {
        self.timers.next_deadline()
    }

    /// When a driver that sleeps has to call [`advance`](Kernel::advance): at the end of the tick
    /// of the earliest deadline, at that of a precise timer, or before where that is not known.
    /// Constant. Counts each timer that was armed before the call; one that is armed later tells
    /// the driver if it comes sooner.
    pub fn next_turn(&self) -> Option<Time> {
        self.timers.next_turn()
    }

    /// The same without a lock: it may lag behind.
    #[inline]
    pub(crate) fn turn_hint(&self) -> Option<Time> {
        self.timers.turn_hint()
    }

    /// Fires every timer that is due at `now`, in order of deadline and registration (VAL-32).
    /// Returns how many.
    pub fn advance(&self, now: Time) -> usize {
        self.timers.advance(self, now)
    }

    /// Arms a timer that may be a tick late.
    ///
    /// # Errors
    /// `SHUTDOWN` after the root is closed.
    pub(crate) fn timer_set(&self, at: Time, target: Target) -> Result<TimerId, Error> {
        self.timer_set_as(at, Precision::Tick, target)
    }

    /// Arms a timer.
    ///
    /// # Errors
    /// As for [`timer_set`](Kernel::timer_set).
    pub(crate) fn timer_set_as(
        &self,
        at: Time,
        precision: Precision,
        target: Target,
    ) -> Result<TimerId, Error> {
        if self.is_closed() {
            return Err(Error::new(Status::SHUTDOWN, "the runtime has ended"));
        }
        let watched = matches!(target, Target::Deadline(_) | Target::RegionDeadline(_));
        if watched && let Some(watch) = &self.watch {
            watch.arm(self);
        }
        let (id, sooner) = self.timers.set(at, precision, target);
        crate::event::timer_set(self, id, at);
        if let Some(turn) = sooner {
            self.driver.timer_armed(turn);
        }
        Ok(id)
    }

    /// Disarms a timer; nothing happens if it fired.
    pub(crate) fn timer_cancel(&self, id: TimerId) {
        if self.timers.cancel(id) {
            crate::event::timer_cancelled(self, id);
        }
    }
}

/// What a timer is for.
fn act(kernel: &Kernel, target: Option<Target>, id: TimerId, now: Time) {
    match target {
        Some(Target::Wake(task)) => waker::wake_counted(task),
        Some(Target::Foreign(waker)) => {
            contained(|| waker.wake());
        }
        Some(Target::Deadline(task)) => cancel::expired(&task),
        Some(Target::Cleanups) => cancel::cleanups_end(kernel, id, now),
        Some(Target::RegionDeadline(region)) => cancel::region_expired(&region),
        Some(Target::Monitor) => deadline::turn(kernel),
        Some(Target::Futurelocks) => futurelock::turn(kernel),
        None => {}
    }
}
