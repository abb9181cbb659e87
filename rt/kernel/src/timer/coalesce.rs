//! Coalescing: timers that are nearly due together fire together, so that a sleeper wakes once
//! (SCH-28). Off by default.
//!
//! The group of the earliest timer, due at `d`, is all timers due from `d` to `d + window`. If it
//! has `min_group` members or more, it is held back until the last of them is due, which is within
//! the window of each; a smaller group is not held. A group is looked at again whenever a timer
//! comes or goes that is due by the end of its window, so one that shrinks is let go at once. Once
//! let go, all timers that were held for it fire, whatever comes after them.

use asr_base::{Duration, Time, nanos};

use super::{DUE, Wheel};

/// How far timers may be held back to fire together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coalesce {
    /// The longest that a timer fires late on purpose.
    pub window: Duration,
    /// The fewest timers for which others wait.
    pub min_group: usize,
}

#[derive(Default)]
pub(super) struct State {
    config: Option<Coalesce>,
    /// Timers due by then were let go.
    released: u64,
    /// The group of the earliest timer, if it was looked at since it last changed.
    group: Option<Group>,
}

#[derive(Clone, Copy)]
struct Group {
    /// When all fire.
    until: u64,
    /// The end of the window: later timers do not change the group.
    end: u64,
}

impl State {
    pub(super) fn is_off(&self) -> bool {
        self.config.is_none()
    }

    /// A timer with this deadline came or went.
    pub(super) fn touch(&mut self, deadline: u64) {
        if self.group.is_some_and(|group| deadline <= group.end) {
            self.group = None;
        }
    }
}

impl<P> Wheel<P> {
    /// Switches coalescing on or off.
    pub fn set_coalescing(&mut self, config: Option<Coalesce>) {
        self.coalescing = State {
            config,
            ..State::default()
        };
    }

    /// When the next turn has something to fire: [`Wheel::next_deadline`], or the time until which
    /// its group is held back.
    pub fn next_turn(&mut self) -> Option<Time> {
        let deadline = self.next_deadline()?;
        let Some(config) = self.coalescing.config else {
            return Some(deadline);
        };
        if deadline.as_nanos() <= self.coalescing.released {
            return Some(deadline);
        }
        let group = match self.coalescing.group {
            Some(group) => group,
            None => self.group(deadline.as_nanos(), config),
        };
        self.coalescing.group = Some(group);
        Some(Time::from_nanos(group.until))
    }

    /// Is the earliest timer due, and not held back?
    pub(super) fn released(&mut self, now: Time) -> bool {
        let Some(until) = self.next_turn().filter(|&until| until <= now) else {
            return false;
        };
        // Never less: the released may have been joined by earlier ones.
        self.coalescing.released = self.coalescing.released.max(until.as_nanos());
        true
    }

    /// The group of a timer due at `first`, the earliest.
    fn group(&self, first: u64, config: Coalesce) -> Group {
        // What is never due belongs to no group.
        let end = first.saturating_add(nanos(config.window)).min(u64::MAX - 1);
        let slots = self.occupied.iter(self.cursor);
        let near = slots.take_while(|slot| slot.first <= end);
        let (mut members, mut until) = (0, first);
        for list in std::iter::once(DUE).chain(near.map(|slot| slot.list)) {
            for timer in self.entries.members(self.lists[list]) {
                if timer.deadline <= end {
                    members += 1;
                    until = until.max(timer.deadline);
                }
            }
        }
        if members < config.min_group {
            until = first;
        }
        Group { until, end }
    }
}
