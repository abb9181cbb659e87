//! Timers for a driver that sleeps: those of one tick fire in one turn, precise ones on time
//! (SCH-27).
//!
//! A driver that woke up for each deadline would wake up for each timer, and to wake is most of
//! what a timer costs. So the turn for a timer is the end of the tick in which its deadline lies:
//! it fires less than a tick late, together with the others of that tick. Precise timers are in a
//! wheel of their own, whose turn is their deadline. Whatever the turn is for, everything fires
//! that is due then.
//!
//! Invariants
//! 1. Registrations of both wheels are numbered in one sequence, and what is due in both comes out
//!    in order of (deadline, sequence) as from one (VAL-32).
//! 2. The id of a precise timer has the highest bit of the index set, that of another has not.

use asr_base::{Duration, Time, TimerId, nanos};

use super::Wheel;

/// How late a timer may fire, the time of the turn apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    /// Less than a tick.
    Tick,
    /// Not at all: the driver wakes up for it alone.
    Precise,
}

/// Invariant 2.
const PRECISE: u32 = 1 << 31;

impl Precision {
    /// That of a timer.
    pub fn of(timer: TimerId) -> Precision {
        if timer.index() & PRECISE == 0 {
            Precision::Tick
        } else {
            Precision::Precise
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Turns<P> {
    ticking: Wheel<P>,
    precise: Wheel<P>,
    tick: u64,
}

impl<P> Turns<P> {
    /// No timer. With a tick of 0 every timer is precise.
    pub fn new(tick: Duration) -> Turns<P> {
        Turns {
            ticking: Wheel::new(),
            precise: Wheel::new(),
            tick: nanos(tick),
        }
    }

    /// The turn for a deadline: never for one that is never due.
    fn turn(&self, deadline: Time, precision: Precision) -> Time {
        match precision {
            Precision::Precise => deadline,
            Precision::Tick => {
                let end = deadline.as_nanos().checked_next_multiple_of(self.tick);
                end.map_or(deadline, Time::from_nanos)
            }
        }
    }

    /// Arms one; with it comes the turn that it needs.
    pub fn insert(&mut self, at: Time, precision: Precision, payload: P) -> (TimerId, Time) {
        let turn = self.turn(at, precision);
        let (wheel, other) = match precision {
            Precision::Tick => (&mut self.ticking, &self.precise),
            Precision::Precise => (&mut self.precise, &self.ticking),
        };
        wheel.sequence = wheel.sequence.max(other.sequence);
        let id = wheel.insert(at, payload);
        assert!(id.index() < PRECISE, "2^31 timers at once");
        (mark(id, precision), turn)
    }

    /// Disarms one; `None` if it fired or was disarmed before.
    pub fn cancel(&mut self, id: TimerId) -> Option<P> {
        match Precision::of(id) {
            Precision::Tick => self.ticking.cancel(id),
            Precision::Precise => {
                let index = id.index() & !PRECISE;
                self.precise.cancel(TimerId::new(index, id.generation()))
            }
        }
    }

    /// The earliest deadline.
    pub fn next_deadline(&mut self) -> Option<Time> {
        let precise = self.precise.next_deadline();
        self.ticking
            .next_deadline()
            .into_iter()
            .chain(precise)
            .min()
    }

    /// When to look again: at the turn of the earliest timer, or before it where that is not known.
    /// Constant (see [`Wheel::next_turn_bound`]).
    pub fn next_turn(&mut self) -> Option<Time> {
        let precise = self.precise.next_turn_bound();
        let ticking = self.ticking.next_turn_bound();
        // Not later than that of the timer, because the bound is not.
        let ticking = ticking.map(|bound| self.turn(bound, Precision::Tick));
        ticking.into_iter().chain(precise).min()
    }

    /// Takes out every timer that is due, in order; the number of them.
    pub fn advance(&mut self, now: Time, fire: &mut impl FnMut(TimerId, Time, P)) -> usize {
        let mut fired = 0;
        while let Some(precise) = self.precise.due(now) {
            let ticking = self.ticking.due(now);
            let (wheel, precision) = if ticking.is_some_and(|ticking| ticking < precise) {
                (&mut self.ticking, Precision::Tick)
            } else {
                (&mut self.precise, Precision::Precise)
            };
            let Some((id, deadline, payload)) = wheel.pop(now) else {
                break; // It was due.
            };
            fire(mark(id, precision), deadline, payload);
            fired += 1;
        }
        fired + self.ticking.advance(now, fire)
    }

    /// Armed timers.
    pub fn len(&self) -> usize {
        self.ticking.len() + self.precise.len()
    }

    /// Is none armed?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All timers, in the order in which they fire.
    pub fn iter(&self) -> impl Iterator<Item = (TimerId, Time)> {
        let of = |wheel: &Wheel<P>, precision| {
            let all = wheel.entries.iter().map(move |(index, entry, _)| {
                let id = mark(TimerId::new(index, entry.generation), precision);
                (entry.deadline, entry.sequence, id)
            });
            all.collect::<Vec<_>>()
        };
        let mut all = of(&self.ticking, Precision::Tick);
        all.append(&mut of(&self.precise, Precision::Precise));
        all.sort_unstable();
        let times = all.into_iter();
        times.map(|(deadline, _, id)| (id, Time::from_nanos(deadline)))
    }
}

/// Invariant 2.
fn mark(id: TimerId, precision: Precision) -> TimerId {
    match precision {
        Precision::Tick => id,
        Precision::Precise => TimerId::new(id.index() | PRECISE, id.generation()),
    }
}
