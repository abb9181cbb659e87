//! A kernel in miniature: tasks, regions, channels, locks and time of one thread, as data.
//!
//! It knows who is ready, what everybody waits for and what a row answers, and nothing of how a
//! task runs: [`Small::next_task`] says which one is to run, the rows are asked with that one as
//! the current task, [`Small::ended`] takes its end. So any engine can be put on top of it; the
//! evaluator's is [`SyncHost`](super::SyncHost).
//!
//! Invariants
//! 1. It is deterministic: ready tasks run in the order in which they became ready, time passes
//!    only when none is, random numbers come from a fixed seed.
//! 2. Waiting is asking again: a task that waits is woken when something of what it waits for
//!    changed, and finds out with [`Small::poll`]. First come, first served: only the first in line
//!    of an object gets something.
//! 3. A cancel is an answer to whoever is not masked, and stays: each further cancel point of the
//!    task answers the same.
//! 4. An id is of one kind and never used again.

mod region;
mod row;
mod sync;
mod task;
mod wait;

use std::collections::{BTreeSet, VecDeque};

use asr_abi::{Ret, status};

use sync::Object;
use task::SmallTask;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Small {
    tasks: Vec<SmallTask>,
    regions: Vec<region::Region>,
    objects: Vec<Object>,
    permits: Vec<sync::Permit>,
    ready: VecDeque<usize>,
    /// Who sleeps, by the time at which it is over.
    timers: BTreeSet<(u64, usize)>,
    current: Option<usize>,
    now: u64,
    random: u64,
    leaks: usize,
}

/// An answer: `Err` carries any status but OK.
type Answer = Result<u64, u32>;

/// What an id stands for; its kind is in the upper byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Task = 1,
    Region,
    Object,
    Permit,
}

const KIND_SHIFT: u32 = 56;

fn id(kind: Kind, index: usize) -> u64 {
    (kind as u64) << KIND_SHIFT | (index as u64 + 1)
}

fn index(kind: Kind, id: u64, len: usize) -> Result<usize, u32> {
    if id >> KIND_SHIFT != kind as u64 {
        return Err(if id == 0 {
            status::BAD_ARGUMENT
        } else {
            status::WRONG_TYPE
        });
    }
    let index = (id & ((1 << KIND_SHIFT) - 1)).wrapping_sub(1);
    let known = usize::try_from(index).ok().filter(|n| *n < len);
    known.ok_or(status::WRONG_TYPE)
}

fn ret(answer: Answer) -> Ret {
    match answer {
        Ok(value) => Ret {
            value,
            status: status::OK.into(),
        },
        Err(status) => Ret {
            value: 0,
            status: status.into(),
        },
    }
}

impl Small {
    /// With nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The task that is to run now, which is the current one from now on. Time passes if all sleep.
    /// `None`: nobody can run any more.
    pub fn next_task(&mut self) -> Option<u64> {
        if self.ready.is_empty()
            && let Some(&(at, _)) = self.timers.first()
        {
            self.now = self.now.max(at);
            while let Some(&(at, task)) = self.timers.first().filter(|(at, _)| *at <= self.now) {
                self.timers.remove(&(at, task));
                self.wake(task);
            }
        }
        self.current = self.ready.pop_front();
        let task = self.current?;
        self.tasks[task].is_ready = false;
        Some(id(Kind::Task, task))
    }

    /// The current task, if there is one.
    pub fn current(&self) -> Option<u64> {
        self.current.map(|task| id(Kind::Task, task))
    }

    /// The time in ns.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Tasks that have not ended.
    pub fn live_tasks(&self) -> impl Iterator<Item = u64> + '_ {
        let live = self.tasks.iter().enumerate();
        let live = live.filter(|(_, task)| task.done.is_none());
        live.map(|(n, _)| id(Kind::Task, n))
    }

    /// Obligations that tasks held at their ends.
    pub fn leaks(&self) -> usize {
        self.leaks
    }

    /// Regions that were opened by a task and not closed.
    pub fn open_regions(&self) -> usize {
        let open = self.regions.iter().skip(1);
        open.filter(|region| !region.is_closed).count()
    }

    fn wake(&mut self, task: usize) {
        let record = &mut self.tasks[task];
        if record.done.is_none() && !record.is_ready {
            record.is_ready = true;
            self.ready.push_back(task);
        }
    }
}
