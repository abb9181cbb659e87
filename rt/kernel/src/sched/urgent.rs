//! The cancel lane and the timed lane of one worker, under one short lock.
//!
//! Any thread may put tasks in and take them out: the worker itself, and thieves while it is inside
//! a poll that does not return. Pinned tasks are kept apart and only given to the worker (SCH-16);
//! for it both are one lane, by priority and arrival, or by deadline and task (SCH-4).
//!
//! The counts beside the lock are hints, as in the injector, and for the same reason enough.
//!
//! Push and pop of the cancel lane take constant time. The timed lane is a heap, of at most 32
//! levels because task numbers have 32 bits. Neither allocates in steady state: storage is kept.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use asr_base::{TaskId, Time};

use super::buckets::{Buckets, Nodes};
use super::entry::Entry;
use super::governor::{Advice, Tie};
use crate::driver::{Lane, Runnable};
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock, rank};

/// An entry of the timed lane.
#[derive(Debug)]
struct Timed<T> {
    due: (Time, TaskId),
    /// One with the same deadline went before it.
    passed: bool,
    entry: T,
}

impl<T> PartialEq for Timed<T> {
    fn eq(&self, other: &Timed<T>) -> bool {
        self.due == other.due
    }
}

impl<T> Eq for Timed<T> {}

impl<T> PartialOrd for Timed<T> {
    fn partial_cmp(&self, other: &Timed<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Timed<T> {
    /// The earlier is the greater: the heap gives the greatest first.
    fn cmp(&self, other: &Timed<T>) -> Ordering {
        other.due.cmp(&self.due)
    }
}

struct Lanes<T> {
    /// Of it, ties and promotion count here.
    advice: Advice,
    nodes: Nodes<T>,
    cancel: [Buckets; 2],
    timed: [BinaryHeap<Timed<T>>; 2],
}

/// Which of the two parts of a lane.
const SHARED: usize = 0;
const PINNED: usize = 1;

impl<T: Entry> Lanes<T> {
    /// With the part that it was in.
    fn pop_cancel(&mut self) -> Option<(usize, T)> {
        if self.advice.promote {
            let oldest = [SHARED, PINNED].map(|part| {
                let (arrival, at) = self.cancel[part].oldest(&self.nodes)?;
                Some((arrival, at, part))
            });
            let (_, at, part) = oldest.into_iter().flatten().min()?;
            let popped = self.cancel[part].pop_from(&mut self.nodes, at, Tie::First)?;
            // One that is stale is dropped, not run: the promotion is for the next.
            self.advice.promote = popped.is_stale();
            return Some((part, popped));
        }
        // None, an empty part, is the least.
        let [shared, pinned] = [SHARED, PINNED].map(|part| self.cancel[part].due(&self.nodes));
        let part = usize::from(pinned > shared);
        let priority = |due: Option<(u32, _)>| due.map(|due| due.0);
        let tie = match self.advice.cancel_tie {
            // The second of both parts would have to be found first.
            Tie::Second if priority(shared) == priority(pinned) => Tie::First,
            tie => tie,
        };
        Some((part, self.cancel[part].pop(&mut self.nodes, tie)?))
    }

    /// The same.
    fn pop_timed(&mut self) -> Option<(usize, T)> {
        let [shared, pinned] = [SHARED, PINNED].map(|part| self.timed[part].peek());
        let part = usize::from(pinned > shared);
        let deadline = |due: Option<&Timed<T>>| due.map(|due| due.due.0);
        let both = deadline(shared) == deadline(pinned);
        let heap = &mut self.timed[part];
        let mut first = heap.pop()?;
        let second = heap.peek().map(|second| second.due.0);
        let ties = !both && second == Some(first.due.0) && !first.passed;
        if ties && self.advice.timed_tie == Tie::Second {
            let second = heap.pop()?;
            first.passed = true;
            // There was room for it just now.
            heap.push(first);
            first = second;
        }
        Some((part, first.entry))
    }
}

/// See the module.
pub struct Urgent<T: Entry> {
    lanes: Mutex<Lanes<T>, rank::SchedUrgent>,
    cancel: AtomicUsize,
    timed: AtomicUsize,
    /// Of both, those that are not pinned.
    shared: AtomicUsize,
}

impl<T: Entry> Default for Urgent<T> {
    fn default() -> Urgent<T> {
        Urgent::new()
    }
}

impl<T: Entry> Urgent<T> {
    /// Empty.
    pub fn new() -> Urgent<T> {
        Urgent {
            lanes: Mutex::new(Lanes {
                advice: Advice::default(),
                nodes: Nodes::new(),
                cancel: [Buckets::new(), Buckets::new()],
                timed: [BinaryHeap::new(), BinaryHeap::new()],
            }),
            cancel: AtomicUsize::new(0),
            timed: AtomicUsize::new(0),
            shared: AtomicUsize::new(0),
        }
    }

    /// How many wait in the cancel lane: a hint.
    #[inline]
    pub fn cancel_len(&self) -> usize {
        self.cancel.load(Relaxed)
    }

    /// How many wait in the timed lane: a hint.
    #[inline]
    pub fn timed_len(&self) -> usize {
        self.timed.load(Relaxed)
    }

    /// Whether nothing waits: a hint.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.cancel_len() == 0 && self.timed_len() == 0
    }

    /// Whether there is something for thieves: a hint.
    #[inline]
    pub fn can_be_stolen(&self) -> bool {
        self.shared.load(Relaxed) > 0
    }

    /// Into the cancel lane, with a priority of 200 to 255 (SCH-2).
    pub fn push_cancel(&self, entry: T, priority: u8) {
        let part = usize::from(entry.pin().is_some());
        let mut guard = lock(&self.lanes);
        let lanes = &mut *guard;
        lanes.cancel[part].push(&mut lanes.nodes, entry, priority);
        self.came(&self.cancel, part);
    }

    /// The same for several, under one lock.
    pub fn push_cancel_all(&self, entries: impl Iterator<Item = (T, u8)>) {
        let mut guard = lock(&self.lanes);
        let lanes = &mut *guard;
        for (entry, priority) in entries {
            let part = usize::from(entry.pin().is_some());
            lanes.cancel[part].push(&mut lanes.nodes, entry, priority);
            self.came(&self.cancel, part);
        }
    }

    /// Into the timed lane.
    pub fn push_timed(&self, entry: T, deadline: Time, task: TaskId) {
        let part = usize::from(entry.pin().is_some());
        let due = (deadline, task);
        let mut lanes = lock(&self.lanes);
        let passed = false;
        lanes.timed[part].push(Timed { due, passed, entry });
        self.came(&self.timed, part);
    }

    /// Takes from the cancel lane: the highest priority, then who came first.
    pub fn pop_cancel(&self) -> Option<T> {
        if self.cancel_len() == 0 {
            return None;
        }
        let mut lanes = lock(&self.lanes);
        let (part, popped) = lanes.pop_cancel()?;
        self.went(&self.cancel, part);
        Some(popped)
    }

    /// Takes from the timed lane: the earliest deadline, then the least task.
    pub fn pop_timed(&self) -> Option<T> {
        if self.timed_len() == 0 {
            return None;
        }
        let mut lanes = lock(&self.lanes);
        let (part, popped) = lanes.pop_timed()?;
        self.went(&self.timed, part);
        Some(popped)
    }

    /// Ties and promotion from here on (SCH-38).
    pub fn advise(&self, advice: Advice) {
        lock(&self.lanes).advice = advice;
    }

    /// For a thief: the most urgent task that is not pinned, and its lane.
    pub fn steal(&self) -> Option<(Lane, T)> {
        if !self.can_be_stolen() {
            return None;
        }
        let mut guard = lock(&self.lanes);
        let lanes = &mut *guard;
        if let Some(stolen) = lanes.cancel[SHARED].pop(&mut lanes.nodes, Tie::First) {
            self.went(&self.cancel, SHARED);
            return Some((Lane::Cancel, stolen));
        }
        let stolen = lanes.timed[SHARED].pop()?;
        self.went(&self.timed, SHARED);
        Some((Lane::Timed, stolen.entry))
    }

    /// Counts an entry of a lane. Under the lock, here and in `went`, so load and store need not be
    /// one step.
    fn came(&self, lane: &AtomicUsize, part: usize) {
        lane.store(lane.load(Relaxed) + 1, Relaxed);
        let shared = usize::from(part == SHARED);
        self.shared
            .store(self.shared.load(Relaxed) + shared, Relaxed);
    }

    /// Counts one off.
    fn went(&self, lane: &AtomicUsize, part: usize) {
        lane.store(lane.load(Relaxed) - 1, Relaxed);
        let shared = usize::from(part == SHARED);
        self.shared
            .store(self.shared.load(Relaxed) - shared, Relaxed);
    }
}

impl Urgent<Runnable> {
    /// Takes a task in that belongs to one of the two lanes.
    ///
    /// # Errors
    /// The task, if it is ready only.
    pub fn push(&self, task: Runnable) -> Result<(), Runnable> {
        match task.lane() {
            Lane::Cancel => {
                let priority = task.priority();
                self.push_cancel(task, priority);
            }
            Lane::Timed => {
                let (deadline, id) = (task.deadline(), task.id());
                self.push_timed(task, deadline, id);
            }
            Lane::Ready => return Err(task),
        }
        Ok(())
    }

    /// Takes tasks in that were cancelled.
    pub(super) fn push_cancelled(&self, tasks: &mut Vec<Runnable>) {
        let entries = tasks.drain(..).map(|task| {
            let priority = task.priority();
            (task, priority)
        });
        self.push_cancel_all(entries);
    }
}

impl<T: Entry> std::fmt::Debug for Urgent<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Urgent")
            .field("cancel", &self.cancel_len())
            .field("timed", &self.timed_len())
            .finish()
    }
}
