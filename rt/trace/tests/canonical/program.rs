//! Random programs of tasks that spawn, join, wake, send, reserve, cancel and close regions.
//!
//! The program keeps vector clocks while it runs, as its tasks would: a clock travels with each
//! spawn, message, wake, request and so on. The events carry cause edges only.

use std::collections::BTreeMap;

use asr_base::{RegionId, Rng, TaskId, Time};
use asr_trace::{Draft, Event, Kind, Object, Objects, Resource};

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
    completed: Vec<(TaskId, Mark)>,
    messages: Vec<Mark>,
    wakes: Vec<(TaskId, Mark)>,
    cancels: Vec<(TaskId, Mark)>,
    reserved: Vec<(u64, Mark)>,
    closing: Vec<(u64, Mark)>,
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

    /// An id for a region or an obligation.
    fn id(&self) -> u64 {
        RegionId::new(self.events.len() as u32, 1).to_bits()
    }

    /// One event of the task, after its own last one and what the mark tells. `about` is the id
    /// of what it is about, where its kind has one.
    fn emit(&mut self, kind: Kind, task: TaskId, cause: Option<&Mark>, about: u64) -> Mark {
        let seq = self.events.len() as u64 + 1;
        let clock = self.clocks.entry(task).or_default();
        if let Some((_, vector)) = cause {
            join(clock, vector);
        }
        *clock.entry(task).or_insert(0) += 1;
        let vector = clock.clone();
        let draft = Draft::new(kind, Time::from_nanos(seq)).task(task);
        let mut draft = draft.region(RegionId::new(0, 1)).words(about, 0, 0);
        match kind {
            Kind::CancelRequest => {
                let target = TaskId::from_bits(about).unwrap();
                draft = draft.object(Object::write(Resource::Task(target)));
            }
            Kind::RegionClosing | Kind::RegionClosed => {
                draft = draft.region(RegionId::from_bits(about));
            }
            _ => {}
        }
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
                let mark = self.emit(Kind::TaskSpawn, task, None, child.to_bits());
                self.spawned.push((child, mark));
            }
            1 | 2 => {
                if let Some((child, mark)) = take(&mut self.spawned, rng) {
                    self.emit(Kind::TaskStart, child, Some(&mark), 0);
                    self.running.push(child);
                }
            }
            3 if self.running.len() > 2 => {
                let mark = self.emit(Kind::TaskComplete, task, None, 0);
                self.running.retain(|&t| t != task);
                self.wakes.retain(|(t, _)| *t != task);
                self.cancels.retain(|(t, _)| *t != task);
                self.completed.push((task, mark));
            }
            4 => {
                // A join: the joiner reads the task that completed.
                if let Some((joined, mark)) = take(&mut self.completed, rng) {
                    self.emit(Kind::TaskWake, task, Some(&mark), task.to_bits());
                    let event = self.events.last_mut().unwrap();
                    event.objects = Objects::one(Object::read(Resource::Task(joined)));
                    self.wakes.retain(|(t, _)| *t != task);
                }
            }
            5 => {
                // Of wakes before one poll the last counts.
                let mark = self.emit(Kind::TaskWake, task, None, other.to_bits());
                self.wakes.retain(|(t, _)| *t != other);
                self.wakes.push((other, mark));
            }
            6 => {
                if let Some((woken, mark)) = take(&mut self.wakes, rng) {
                    self.emit(Kind::TaskPoll, woken, Some(&mark), 0);
                }
            }
            7 => {
                let mark = self.emit(Kind::Checkpoint, task, None, 0);
                self.messages.push(mark);
            }
            8 => {
                if let Some(mark) = take(&mut self.messages, rng) {
                    self.emit(Kind::Checkpoint, task, Some(&mark), 0);
                }
            }
            9 => match rng.below(2) {
                0 => {
                    let id = self.id();
                    let mark = self.emit(Kind::ObligationReserve, task, None, id);
                    self.reserved.push((id, mark));
                }
                _ => {
                    if let Some((id, mark)) = take(&mut self.reserved, rng) {
                        self.emit(Kind::ObligationCommit, task, Some(&mark), id);
                    }
                }
            },
            10 => match rng.below(2) {
                0 => {
                    let mark = self.emit(Kind::CancelRequest, task, None, other.to_bits());
                    self.cancels.retain(|(t, _)| *t != other);
                    self.cancels.push((other, mark));
                }
                _ => {
                    if let Some((target, mark)) = take(&mut self.cancels, rng) {
                        self.emit(Kind::CancelObserve, target, Some(&mark), 0);
                    }
                }
            },
            11 => match rng.below(2) {
                0 => {
                    let id = self.id();
                    let mark = self.emit(Kind::RegionClosing, task, None, id);
                    self.closing.push((id, mark));
                }
                _ => {
                    if let Some((id, mark)) = take(&mut self.closing, rng) {
                        self.emit(Kind::RegionClosed, task, Some(&mark), id);
                    }
                }
            },
            _ => {
                self.emit(Kind::User, task, None, 0);
            }
        }
    }
}

fn take<T>(from: &mut Vec<T>, rng: &mut Rng) -> Option<T> {
    let n = from.len() as u64;
    (n > 0).then(|| from.swap_remove(rng.below(n) as usize))
}
