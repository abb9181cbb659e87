//! The three lanes of one worker, and the choice among them.
//!
//! Invariants
//! 1. A task is held at most once, in the slot of its index; lanes hold tickets. A ticket whose
//!    number is not that of the slot is stale and skipped, so a task that is moved to the cancel
//!    lane leaves nothing behind that runs it twice (SCH-13).
//! 2. The lane that is due is that of `choice`, as for the workers.
//! 3. The order depends on nothing but the sequence of calls.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use asr_base::{TaskId, Time};

use super::choice::{Choice, Limits, Source, Waiting};
use super::governor::{Advice, Drain, Lengths, Tie};
use crate::driver::{Lane, Runnable};

/// A task, and where its ticket is.
#[derive(Debug)]
struct Held {
    task: Runnable,
    place: Place,
    /// One that ties with it went before it.
    passed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Cancel(Reverse<u8>, u64),
    Timed(Time),
    Ready(u64),
}

/// See the module.
#[derive(Debug, Default)]
pub struct Lanes {
    held: Vec<Option<Held>>,
    cancel: BTreeMap<(Reverse<u8>, u64), TaskId>,
    timed: BTreeSet<(Time, TaskId)>,
    ready: VecDeque<(u64, TaskId)>,
    /// Ready entries that are not stale.
    ready_live: usize,
    len: usize,
    next: u64,
    choice: Choice,
    advice: Advice,
}

impl Lanes {
    /// Empty lanes.
    pub fn new(limits: Limits) -> Lanes {
        Lanes {
            choice: Choice::new(limits),
            ..Lanes::default()
        }
    }

    /// How many tasks are held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Takes a task in, in the lane that it belongs to.
    pub fn push(&mut self, task: Runnable) {
        let at = task.id().index() as usize;
        if self.held.len() <= at {
            self.held.resize_with(at + 1, || None);
        }
        let place = self.enter(&task);
        let before = self.held[at].replace(Held {
            task,
            place,
            passed: false,
        });
        assert!(before.is_none(), "a task is in at most one queue");
        self.len += 1;
    }

    /// The task of this name belongs into the cancel lane now, if it is held.
    pub fn promote(&mut self, id: TaskId) {
        let Some(slot) = self.held.get_mut(id.index() as usize) else {
            return;
        };
        let found =
            slot.take_if(|held| held.task.id() == id && !matches!(held.place, Place::Cancel(..)));
        if let Some(held) = found {
            self.leave(id, held.place);
            let place = self.enter(&held.task);
            self.held[id.index() as usize] = Some(Held {
                place,
                passed: false,
                ..held
            });
        }
    }

    fn enter(&mut self, task: &Runnable) -> Place {
        let ticket = self.next;
        self.next += 1;
        match task.lane() {
            Lane::Cancel => {
                let priority = Reverse(task.priority());
                self.cancel.insert((priority, ticket), task.id());
                Place::Cancel(priority, ticket)
            }
            Lane::Timed => {
                let deadline = task.deadline();
                self.timed.insert((deadline, task.id()));
                Place::Timed(deadline)
            }
            Lane::Ready => {
                self.ready.push_back((ticket, task.id()));
                self.ready_live += 1;
                Place::Ready(ticket)
            }
        }
    }

    /// Takes a ticket out of its lane; in the ready lane it stays, stale.
    fn leave(&mut self, id: TaskId, place: Place) {
        match place {
            Place::Cancel(priority, ticket) => {
                self.cancel.remove(&(priority, ticket));
            }
            Place::Timed(deadline) => {
                self.timed.remove(&(deadline, id));
            }
            Place::Ready(_) => self.ready_live -= 1,
        }
    }

    fn waiting(&self) -> Waiting {
        Waiting {
            cancel: !self.cancel.is_empty(),
            timed: !self.timed.is_empty(),
            ring: self.ready_live,
            ..Waiting::default()
        }
    }

    /// The lane that is due now (invariant 2).
    pub fn choose(&self) -> Option<Lane> {
        self.choice.choose(&self.waiting()).map(Source::lane)
    }

    /// A drain is suggested, or no more (SCH-6).
    pub fn set_drain(&mut self, drain: bool) {
        self.choice.set_drain(drain);
    }

    /// Advice of a governor from here on (SCH-38). There is one queue of ready tasks, so none to
    /// prefer.
    pub fn advise(&mut self, advice: Advice) {
        self.advice = advice;
        self.choice.set_drain(advice.drain != Drain::Off);
    }

    /// How many tasks are where.
    pub fn lengths(&self) -> Lengths {
        Lengths {
            cancel: self.cancel.len(),
            timed: self.timed.len(),
            ready: self.ready_live,
            ..Lengths::default()
        }
    }

    /// What was chosen before.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// The next task.
    pub fn pop(&mut self) -> Option<Runnable> {
        let waiting = self.waiting();
        let source = self.choice.choose(&waiting)?;
        self.choice.dispatched(source, &waiting);
        let lane = source.lane();
        match lane {
            Lane::Cancel => {
                let key = self.due_cancel()?;
                let id = self.cancel.remove(&key)?;
                Some(self.take(id))
            }
            Lane::Timed => {
                let key = self.due_timed()?;
                self.timed.remove(&key);
                Some(self.take(key.1))
            }
            Lane::Ready => loop {
                let (ticket, id) = self.ready.pop_front()?;
                let held = self.held[id.index() as usize].as_ref();
                if held.is_some_and(|held| held.place == Place::Ready(ticket)) {
                    self.ready_live -= 1;
                    return Some(self.take(id));
                }
            },
        }
    }

    /// The ticket of the cancel lane that is next.
    fn due_cancel(&mut self) -> Option<(Reverse<u8>, u64)> {
        let first = *self.cancel.first_key_value()?.0;
        if std::mem::take(&mut self.advice.promote) {
            // The first of each priority, which are few.
            let mut at = Some(first);
            let mut oldest = first;
            while let Some(found) = at {
                if found.1 < oldest.1 {
                    oldest = found;
                }
                let next = (found.0, u64::MAX);
                at = self.cancel.range(next..).next().map(|(key, _)| *key);
            }
            return Some(oldest);
        }
        if self.advice.cancel_tie == Tie::Second {
            let second = self.cancel.iter().nth(1).map(|(key, _)| *key);
            if let Some(second) = second.filter(|second| second.0 == first.0) {
                let id = self.cancel[&first];
                if self.pass_over(id) {
                    return Some(second);
                }
            }
        }
        Some(first)
    }

    /// The one of the timed lane.
    fn due_timed(&mut self) -> Option<(Time, TaskId)> {
        let first = *self.timed.first()?;
        if self.advice.timed_tie == Tie::Second {
            let second = self.timed.iter().nth(1).copied();
            if let Some(second) = second.filter(|second| second.0 == first.0)
                && self.pass_over(first.1)
            {
                return Some(second);
            }
        }
        Some(first)
    }

    /// True once for each task that is held.
    fn pass_over(&mut self, id: TaskId) -> bool {
        let held = self.held[id.index() as usize].as_mut();
        held.is_some_and(|held| !std::mem::replace(&mut held.passed, true))
    }

    /// Takes a task out by its name, whatever its place: a schedule chose it.
    pub fn remove(&mut self, id: TaskId) -> Option<Runnable> {
        let place = self.held.get(id.index() as usize)?.as_ref()?.place;
        self.leave(id, place);
        Some(self.take(id))
    }

    /// Every task that is held, in order of index.
    pub fn ids(&self) -> impl Iterator<Item = TaskId> {
        self.held.iter().flatten().map(|held| held.task.id())
    }

    fn take(&mut self, id: TaskId) -> Runnable {
        self.len -= 1;
        let held = self.held[id.index() as usize].take();
        held.expect("a live ticket has its task").task
    }
}
