//! Timers: a hierarchical wheel, exact to the nanosecond, without a clock and without a thread.
//!
//! Whoever owns the wheel says what time it is; timers come out in order of (deadline, sequence of
//! registration), none before its deadline (VAL-32, LAB-3). The wheel is as exact as the times it
//! is given; `turns` says to a driver when it has to look, which is once in a tick (SCH-27).
//!
//! Invariants
//! 1. The cursor never moves back. A timer whose deadline is at or before the cursor lies in `DUE`;
//!    one that is never due lies in `NEVER`; any other lies in the slot of its deadline's first
//!    digit that differs from the cursor's (`levels`).
//! 2. So the cursor lies in no occupied slot, and timers of equal deadline always share a list.
//! 3. In a slot, timers of equal deadline are in order of sequence: members are appended only, and
//!    a slot that is emptied is read from its head.
//! 4. If `due_in_order`, `DUE` is in order of (deadline, sequence). It is when slots are emptied in
//!    time; who arms timers in the past, or lets the time jump, has it sorted at the next pop.
//!
//! Protocol of a pop at `now`
//! 1. If `DUE` has members, its first is taken if its deadline has come; else nothing is due.
//! 2. Otherwise the earliest slot that begins by `now` is emptied: the cursor goes to the end of
//!    the slot or to `now`, whichever is earlier, and each member to its place by 1: mostly `DUE`,
//!    which is then put in order. A timer moves once a level at most, so ten times in its life.
//! 3. If no slot begins by `now`, the cursor goes to `now`, which by 2 moves nothing.
//!
//! Levels reach over all of [`Time`]; what is beyond them is never due, and its overflow set is
//! `NEVER`. Wheels of few levels keep a set of the far and look through it each time the range
//! moves on; here the far lie in slots like the near, and moving in range is step 2.
//!
//! Why not the order of a sorted map: arming and cancelling, which is what most timers see, take a
//! constant number of steps here, and ids need no second map. Order is made for those that fire.

use std::fmt;

use asr_base::{Time, TimerId};

use entries::{Entries, List, NIL};
use levels::{LEVELS, Occupied, SLOTS, Slot};

pub use coalesce::Coalesce;
pub use turns::{Precision, Turns};

mod coalesce;
mod entries;
mod levels;
mod turns;

/// The list of timers at or before the cursor.
const DUE: usize = LEVELS * SLOTS;
/// The list of timers that are never due.
const NEVER: usize = DUE + 1;

/// Timers that are looked through for the earliest of them, at most, where a bound will do.
const FEW: usize = 32;

/// Sorting room for more timers than these is given back.
const SCRATCH_KEPT: usize = 1 << 14;

/// Armed timers, each with what it is for.
///
/// ```
/// use asr_base::Time;
/// use asr_kernel::timer::Wheel;
///
/// let mut wheel = Wheel::new();
/// let late = wheel.insert(Time::from_nanos(30), "late");
/// wheel.insert(Time::from_nanos(20), "early");
/// assert_eq!(wheel.next_deadline(), Some(Time::from_nanos(20)));
/// assert_eq!(wheel.pop(Time::from_nanos(25)).map(|fired| fired.2), Some("early"));
/// assert_eq!(wheel.cancel(late), Some("late"));
/// assert_eq!(wheel.cancel(late), None);
/// ```
pub struct Wheel<P> {
    entries: Entries<P>,
    lists: Box<[List; NEVER + 1]>,
    occupied: Occupied,
    cursor: u64,
    sequence: u64,
    due_in_order: bool,
    earliest: Earliest,
    coalescing: coalesce::State,
    /// For putting `DUE` in order.
    scratch: Vec<(u64, u64, u32)>,
}

/// The earliest deadline, as far as it was looked for since it last changed.
#[derive(Clone, Copy)]
enum Earliest {
    Known(Option<u64>),
    Unknown,
}

impl<P> Default for Wheel<P> {
    fn default() -> Wheel<P> {
        Wheel::new()
    }
}

impl<P> fmt::Debug for Wheel<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("len", &self.len())
            .field("cursor", &Time::from_nanos(self.cursor))
            .finish_non_exhaustive()
    }
}

impl<P> Wheel<P> {
    /// What a timer takes, its payload included.
    pub const BYTES_PER_TIMER: usize = size_of::<entries::Entry<P>>();

    /// No timer.
    pub fn new() -> Wheel<P> {
        Wheel::with_first_generation(1)
    }

    /// No timer; generations begin at this one, at least 1 and less than `u32::MAX`. For tests of
    /// retirement (VAL-29).
    pub fn with_first_generation(first: u32) -> Wheel<P> {
        Wheel {
            entries: Entries::new(first.clamp(1, u32::MAX - 1)),
            lists: Box::new([List::EMPTY; NEVER + 1]),
            occupied: Occupied::default(),
            cursor: 0,
            sequence: 0,
            due_in_order: true,
            earliest: Earliest::Known(None),
            coalescing: coalesce::State::default(),
            scratch: Vec::new(),
        }
    }

    /// Arms one. A deadline in the past fires with the next turn, [`Time::MAX`] never.
    pub fn insert(&mut self, deadline: Time, payload: P) -> TimerId {
        let deadline = deadline.as_nanos();
        let sequence = self.next_sequence();
        let index = self.entries.take_vacant(deadline, sequence, payload);
        self.arm(index, deadline);
        TimerId::new(index, self.entries.at(index).generation)
    }

    /// Disarms one; `None`, and nothing changes, if it fired or was disarmed before.
    pub fn cancel(&mut self, id: TimerId) -> Option<P> {
        self.entries.find(id.index(), id.generation())?;
        self.unlink(id.index());
        self.entries.release(id.index())
    }

    /// Gives an armed timer another deadline, as if registered now; false, and nothing changes, if
    /// it fired or was disarmed before.
    pub fn reset(&mut self, id: TimerId, deadline: Time) -> bool {
        if self.deadline(id).is_none() {
            return false;
        }
        self.unlink(id.index());
        let (deadline, sequence) = (deadline.as_nanos(), self.next_sequence());
        self.entries.rearm(id.index(), deadline, sequence);
        self.arm(id.index(), deadline);
        true
    }

    /// The deadline of an armed timer.
    pub fn deadline(&self, id: TimerId) -> Option<Time> {
        let entry = self.entries.find(id.index(), id.generation())?;
        Some(Time::from_nanos(entry.deadline))
    }

    /// The earliest deadline; `None` if no timer is ever due.
    ///
    /// Constant, but for the first call after the earliest timer went: that looks through the
    /// timers that share its slot.
    pub fn next_deadline(&mut self) -> Option<Time> {
        if let Earliest::Unknown = self.earliest {
            let list = match self.occupied.first(self.cursor) {
                _ if !self.lists[DUE].is_empty() => DUE,
                Some(slot) => slot.list,
                None => NEVER,
            };
            let deadlines = self.entries.members(self.lists[list]).map(|t| t.deadline);
            self.earliest = Earliest::Known(match list {
                NEVER => None,
                _ => deadlines.min(),
            });
        }
        match self.earliest {
            Earliest::Known(deadline) => deadline.map(Time::from_nanos),
            Earliest::Unknown => None,
        }
    }

    /// When to look again: the earliest deadline, or a time before it if finding that would mean to
    /// look through many timers. Constant; who advances then and asks again comes nearer each time,
    /// and is there after as many turns as there are levels.
    pub fn next_turn_bound(&mut self) -> Option<Time> {
        if let Earliest::Known(_) = self.earliest {
            return self.next_deadline();
        }
        let (list, bound) = match self.occupied.first(self.cursor) {
            _ if !self.lists[DUE].is_empty() => (DUE, self.cursor),
            Some(slot) => (slot.list, slot.first),
            None => return self.next_deadline(),
        };
        if self.entries.members(self.lists[list]).nth(FEW).is_none() {
            return self.next_deadline();
        }
        let in_order = list == DUE && self.due_in_order;
        let first = self.entries.at(self.lists[list].head).deadline;
        Some(Time::from_nanos(if in_order { first } else { bound }))
    }

    /// Takes out every timer that is due, in order; the number of them.
    pub fn advance(&mut self, now: Time, fire: &mut impl FnMut(TimerId, Time, P)) -> usize {
        let mut fired = 0;
        while let Some((id, deadline, payload)) = self.pop(now) {
            fire(id, deadline, payload);
            fired += 1;
        }
        fired
    }

    /// Takes out the first timer that is due.
    pub fn pop(&mut self, now: Time) -> Option<(TimerId, Time, P)> {
        let index = self.first_due(now)?;
        let entry = self.entries.at(index);
        let deadline = Time::from_nanos(entry.deadline);
        let id = TimerId::new(index, entry.generation);
        self.unlink(index);
        Some((id, deadline, self.entries.release(index)?))
    }

    /// Deadline and sequence of the timer that is taken out next.
    fn due(&mut self, now: Time) -> Option<(u64, u64)> {
        let index = self.first_due(now)?;
        let entry = self.entries.at(index);
        Some((entry.deadline, entry.sequence))
    }

    /// The head of `DUE`, if it is due.
    fn first_due(&mut self, now: Time) -> Option<u32> {
        if !self.coalescing.is_off() && !self.released(now) {
            return None;
        }
        let now = now.as_nanos();
        while self.lists[DUE].is_empty() {
            match self.occupied.first(self.cursor) {
                Some(slot) if slot.first <= now => self.empty(slot, now),
                _ => {
                    self.cursor = self.cursor.max(now);
                    return None;
                }
            }
        }
        if !self.due_in_order {
            self.sort_due();
        }
        let index = self.lists[DUE].head;
        (self.entries.at(index).deadline <= now).then_some(index)
    }

    /// Armed timers, those that are never due included.
    pub fn len(&self) -> usize {
        self.entries.live()
    }

    /// Is none armed?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Places for timers: as many as were ever armed at once, and those whose generations are used
    /// up.
    pub fn slots(&self) -> usize {
        self.entries.slots()
    }

    /// All timers in order of (deadline, sequence). Inserted in this order into an empty wheel
    /// they fire in the same order.
    pub fn iter(&self) -> impl Iterator<Item = (TimerId, Time, &P)> {
        let mut all: Vec<_> = self.entries.iter().collect();
        all.sort_unstable_by_key(|(_, entry, _)| (entry.deadline, entry.sequence));
        all.into_iter().map(|(index, entry, payload)| {
            let id = TimerId::new(index, entry.generation);
            (id, Time::from_nanos(entry.deadline), payload)
        })
    }

    fn next_sequence(&mut self) -> u64 {
        // One a nanosecond would last for 584 years.
        self.sequence += 1;
        self.sequence
    }

    /// Links a timer that was just registered.
    fn arm(&mut self, index: u32, deadline: u64) {
        self.link(index, deadline);
        if let Earliest::Known(earliest) = &mut self.earliest
            && deadline != u64::MAX
            && earliest.is_none_or(|earliest| deadline < earliest)
        {
            *earliest = Some(deadline);
        }
        self.coalescing.touch(deadline);
    }

    /// By invariant 1. Later in sequence than its equals in the list (invariant 3).
    fn link(&mut self, index: u32, deadline: u64) {
        let place = match deadline {
            u64::MAX => NEVER,
            _ if deadline <= self.cursor => DUE,
            _ => levels::place(self.cursor, deadline),
        };
        let list = &mut self.lists[place];
        if place < DUE {
            if list.is_empty() {
                self.occupied.set(place);
            }
        } else if place == DUE && !list.is_empty() {
            if deadline < self.entries.at(list.head).deadline {
                self.entries.push_front(list, place, index);
                return;
            }
            self.due_in_order &= deadline >= self.entries.at(list.tail).deadline;
        }
        self.entries.push_back(list, place, index);
    }

    fn unlink(&mut self, index: u32) {
        let entry = self.entries.at(index);
        let (place, deadline) = (usize::from(entry.list), entry.deadline);
        let list = &mut self.lists[place];
        self.entries.unlink(list, index);
        if list.is_empty() {
            match place {
                DUE => self.due_in_order = true,
                NEVER => {}
                _ => self.occupied.clear(place),
            }
        }
        if let Earliest::Known(Some(earliest)) = self.earliest
            && earliest == deadline
        {
            self.earliest = Earliest::Unknown;
        }
        self.coalescing.touch(deadline);
    }

    /// Step 2 of a pop.
    fn empty(&mut self, slot: Slot, now: u64) {
        self.cursor = slot.last.min(now);
        let mut at = std::mem::replace(&mut self.lists[slot.list], List::EMPTY).head;
        self.occupied.clear(slot.list);
        while at != NIL {
            let entry = self.entries.at(at);
            let (index, deadline) = (at, entry.deadline);
            at = entry.next;
            self.link(index, deadline);
        }
    }

    /// Invariant 4.
    fn sort_due(&mut self) {
        let mut order = std::mem::take(&mut self.scratch);
        let list = &mut self.lists[DUE];
        let mut at = list.head;
        while at != NIL {
            let entry = self.entries.at(at);
            order.push((entry.deadline, entry.sequence, at));
            at = entry.next;
        }
        order.sort_unstable();
        *list = List::EMPTY;
        for &(_, _, index) in &order {
            self.entries.push_back(list, DUE, index);
        }
        self.due_in_order = true;
        order.clear();
        order.shrink_to(SCRATCH_KEPT);
        self.scratch = order;
    }
}
