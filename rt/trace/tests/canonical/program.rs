//! Random programs of tasks that spawn, join, wake, send, reserve, cancel and close regions.
//!
//! The program keeps vector clocks while it runs, as its tasks would: a clock travels with each
//! spawn, message, wake, request and so on. The events carry cause edges only.

use std::collections::BTreeMap;

use asr_base::{RegionId, Rng, TaskId, Time};
use asr_trace::{Draft, Event, Kind};

pub(crate) type Vector = BTreeMap<TaskId, u64>;

fn join(into: &mut Vector, from: &Vector) {
    for (&task, &count) in from {
        let own = into.entry(task).or_insert(0);
        *own = count.max(*own);
    }
}

pub(crate) fn below(a: &Vector, b: &Vector) -> bool {
    a != b
        && a.iter()
            .all(|(task, count)| b.get(task).copied().unwrap_or(0) >= *count)
}

/// Something that one task left for another: the event and its vector.
type Mark = (u64, Vector);

#[derive(Default)]
pub(crate) struct Program {
    pub(crate) events: Vec<Event>,
    pub(crate) vectors: Vec<Vector>,
    clocks: BTreeMap<TaskId, Vector>,
    spawned: Vec<(TaskId, Mark)>,
    running: Vec<TaskId>,
    completed: Vec<Mark>,
    messages: Vec<Mark>,
    wakes: Vec<(TaskId, Mark)>,
    cancels: Vec<(TaskId, Mark)>,
    reserved: Vec<Mark>,
    closing: Vec<Mark>,
    tasks: u32,
}

impl Program {
    /// A run of so many events.
    pub(crate) fn run(rng: &mut Rng, length: usize) -> Program {
        let mut program = Program::default();
        let root = program.fresh();
        program.running.push(root);
        while program.events.len() < length {
            let n = rng.below(program.running.len() as u64) as usize;
            let task = program.running[n];
            program.action(task, rng);
        }
        program
    }

    fn fresh(&mut self) -> TaskId {
        self.tasks += 1;
        TaskId::new(self.tasks, 1)
    }

    /// One event of the task, after its own last one and what the mark tells.
    fn emit(&mut self, kind: Kind, task: TaskId, cause: Option<&Mark>) -> Mark {
        let seq = self.events.len() as u64 + 1;
        let clock = self.clocks.entry(task).or_default();
        if let Some((_, vector)) = cause {
            join(clock, vector);
        }
        *clock.entry(task).or_insert(0) += 1;
        let vector = clock.clone();
        let draft = Draft::new(kind, Time::from_nanos(seq)).task(task);
        let draft = draft.region(RegionId::new(0, 1));
        let draft = draft.cause(cause.map_or(0, |(seq, _)| *seq));
        self.events.push(draft.event(seq, 0));
        self.vectors.push(vector.clone());
        (seq, vector)
    }

    fn action(&mut self, task: TaskId, rng: &mut Rng) {
        let other = self.running[rng.below(self.running.len() as u64) as usize];
        match rng.below(13) {
            0 => {
                let child = self.fresh();
                let mark = self.emit(Kind::TaskSpawn, task, None);
                self.spawned.push((child, mark));
            }
            1 | 2 => {
                if let Some((child, mark)) = take(&mut self.spawned, rng) {
                    self.emit(Kind::TaskStart, child, Some(&mark));
                    self.running.push(child);
                }
            }
            3 if self.running.len() > 2 => {
                let mark = self.emit(Kind::TaskComplete, task, None);
                self.running.retain(|&t| t != task);
                self.wakes.retain(|(t, _)| *t != task);
                self.cancels.retain(|(t, _)| *t != task);
                self.completed.push(mark);
            }
            4 => {
                // A join: the poll that finds the task complete.
                if let Some(mark) = take(&mut self.completed, rng) {
                    self.emit(Kind::TaskPoll, task, Some(&mark));
                }
            }
            5 => {
                let mark = self.emit(Kind::TaskWake, task, None);
                self.wakes.push((other, mark));
            }
            6 => {
                if let Some((woken, mark)) = take(&mut self.wakes, rng) {
                    self.emit(Kind::TaskPoll, woken, Some(&mark));
                }
            }
            7 => {
                let mark = self.emit(Kind::Checkpoint, task, None);
                self.messages.push(mark);
            }
            8 => {
                if let Some(mark) = take(&mut self.messages, rng) {
                    self.emit(Kind::Checkpoint, task, Some(&mark));
                }
            }
            9 => match rng.below(2) {
                0 => {
                    let mark = self.emit(Kind::ObligationReserve, task, None);
                    self.reserved.push(mark);
                }
                _ => {
                    if let Some(mark) = take(&mut self.reserved, rng) {
                        self.emit(Kind::ObligationCommit, task, Some(&mark));
                    }
                }
            },
            10 => match rng.below(2) {
                0 => {
                    let mark = self.emit(Kind::CancelRequest, task, None);
                    self.cancels.push((other, mark));
                }
                _ => {
                    if let Some((target, mark)) = take(&mut self.cancels, rng) {
                        self.emit(Kind::CancelObserve, target, Some(&mark));
                    }
                }
            },
            11 => match rng.below(2) {
                0 => {
                    let mark = self.emit(Kind::RegionClosing, task, None);
                    self.closing.push(mark);
                }
                _ => {
                    if let Some(mark) = take(&mut self.closing, rng) {
                        self.emit(Kind::RegionClosed, task, Some(&mark));
                    }
                }
            },
            _ => {
                self.emit(Kind::User, task, None);
            }
        }
    }
}

fn take<T>(from: &mut Vec<T>, rng: &mut Rng) -> Option<T> {
    let n = from.len() as u64;
    (n > 0).then(|| from.swap_remove(rng.below(n) as usize))
}
