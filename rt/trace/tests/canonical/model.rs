//! A small machine: tasks with a register each work on cells, locks, channels, an obligation
//! place, the timer queue and a name. Each step is one event, with what the step touched.

use std::collections::{BTreeMap, VecDeque};

use asr_base::{RegionId, Rng, TaskId, Time};
use asr_trace::{Draft, Event, Kind, Object, Objects, Resource};

/// One step of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// The register becomes the cell.
    Read(u64),
    /// The cell becomes the register plus this.
    Write(u64, u64),
    /// The cell grows by this, in one step.
    Add(u64, u64),
    /// The cell becomes the second number if it is the first; the register tells.
    Swap(u64, u64, u64),
    Lock(u64),
    Unlock(u64),
    /// The register goes into the channel, if there is room; the register tells.
    TrySend(u64),
    /// The register comes out of the channel, if there is something.
    TryReceive(u64),
    /// As above, but only possible if it succeeds.
    Send(u64),
    Receive(u64),
    /// A token more in the place.
    Reserve,
    /// The register becomes the number of tokens.
    Tokens,
    /// A timer at this time.
    Arm(u64),
    /// The register becomes the time of the first timer.
    Head,
    /// The name now means the register.
    Publish(u64),
    /// The register becomes what the name means.
    Lookup(u64),
    /// The user sees the register plus this.
    Print(u64),
}

/// A channel: messages with the number of the event that sent them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Channel {
    queue: VecDeque<(u64, u64)>,
    /// Events that freed a slot which no send has used since; 0 for a slot never used.
    free: VecDeque<u64>,
}

/// The state of the machine. Equal states go on equally.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Machine {
    registers: BTreeMap<TaskId, u64>,
    pub(crate) cells: BTreeMap<u64, u64>,
    locks: BTreeMap<u64, TaskId>,
    channels: BTreeMap<u64, Channel>,
    tokens: u64,
    timers: Vec<u64>,
    names: BTreeMap<u64, u64>,
    capacity: usize,
}

pub(crate) fn task(n: u32) -> TaskId {
    TaskId::new(n, 1)
}

pub(crate) fn region() -> RegionId {
    RegionId::new(0, 1)
}

impl Machine {
    pub(crate) fn new(capacity: usize) -> Machine {
        Machine {
            registers: BTreeMap::new(),
            cells: BTreeMap::new(),
            locks: BTreeMap::new(),
            channels: BTreeMap::new(),
            tokens: 0,
            timers: Vec::new(),
            names: BTreeMap::new(),
            capacity,
        }
    }

    fn channel(&mut self, channel: u64) -> &mut Channel {
        let free = std::iter::repeat_n(0, self.capacity).collect();
        self.channels.entry(channel).or_insert_with(|| Channel {
            queue: VecDeque::new(),
            free,
        })
    }

    /// Whether the task can do this now.
    pub(crate) fn enabled(&mut self, task: TaskId, op: Op) -> bool {
        match op {
            Op::Lock(lock) => !self.locks.contains_key(&lock),
            Op::Unlock(lock) => self.locks.get(&lock) == Some(&task),
            Op::Send(channel) => !self.channel(channel).free.is_empty(),
            Op::Receive(channel) => !self.channel(channel).queue.is_empty(),
            _ => true,
        }
    }

    /// Does it, as event `seq`.
    pub(crate) fn step(&mut self, seq: u64, task: TaskId, op: Op) -> Event {
        let register = self.registers.get(&task).copied().unwrap_or(0);
        let (mut value, mut causes) = (register, 0);
        let mut kind = Kind::Checkpoint;
        let objects = match op {
            Op::Read(cell) => {
                value = self.cells.get(&cell).copied().unwrap_or(0);
                Objects::one(Object::read(Resource::Cell(cell)))
            }
            Op::Write(cell, more) => {
                self.cells.insert(cell, register + more);
                Objects::one(Object::write(Resource::Cell(cell)))
            }
            Op::Add(cell, more) => {
                *self.cells.entry(cell).or_insert(0) += more;
                Objects::one(Object::write(Resource::Cell(cell)))
            }
            Op::Swap(cell, from, to) => {
                let at = self.cells.entry(cell).or_insert(0);
                let swapped = *at == from;
                if swapped {
                    *at = to;
                }
                value = u64::from(swapped);
                Objects::one(Object::compare_and_swap(Resource::Cell(cell), swapped))
            }
            Op::Lock(lock) => {
                self.locks.insert(lock, task);
                Objects::one(Object::write(Resource::Lock(lock)))
            }
            Op::Unlock(lock) => {
                self.locks.remove(&lock);
                Objects::one(Object::write(Resource::Lock(lock)))
            }
            Op::Send(channel) | Op::TrySend(channel) => {
                let channels = self.channel(channel);
                let slot = channels.free.pop_front();
                if let Some(freed) = slot {
                    causes = freed;
                    channels.queue.push_back((register, seq));
                }
                value = u64::from(slot.is_some());
                Objects::send(channel, slot.is_some())
            }
            Op::Receive(channel) | Op::TryReceive(channel) => {
                let channels = self.channel(channel);
                let message = channels.queue.pop_front();
                if let Some((message, sent)) = message {
                    channels.free.push_back(seq);
                    (value, causes) = (message, sent);
                }
                Objects::receive(channel, message.is_some())
            }
            Op::Reserve => {
                self.tokens += 1;
                Objects::one(Object::write(Resource::Place(region(), 0)))
            }
            Op::Tokens => {
                value = self.tokens;
                Objects::one(Object::read(Resource::Place(region(), 0)))
            }
            Op::Arm(at) => {
                self.timers.push(at);
                Objects::one(Object::write(Resource::TimerHead))
            }
            Op::Head => {
                value = self.timers.iter().min().copied().unwrap_or(99);
                Objects::one(Object::read(Resource::TimerHead))
            }
            Op::Publish(name) => {
                self.names.insert(name, register);
                Objects::one(Object::write(Resource::Name(name)))
            }
            Op::Lookup(name) => {
                value = self.names.get(&name).copied().unwrap_or(0);
                Objects::one(Object::read(Resource::Name(name)))
            }
            Op::Print(more) => {
                kind = Kind::User;
                value = register + more;
                Objects::NONE
            }
        };
        if kind != Kind::User {
            self.registers.insert(task, value);
        }
        Draft::new(kind, Time::ZERO)
            .task(task)
            .objects(objects)
            .cause(causes)
            .words(value, 0, 0)
            .event(seq, seq)
    }
}

/// A random step over few resources, so that conflicts are common.
pub(crate) fn random_op(rng: &mut Rng) -> Op {
    let n = rng.below(2);
    match rng.below(18) {
        0 | 1 => Op::Read(n),
        2 => Op::Write(n, rng.below(3)),
        3 => Op::Add(n, 1),
        4 => Op::Swap(n, rng.below(3), rng.below(3)),
        5 | 6 => Op::Lock(n),
        7 | 8 => Op::Unlock(n),
        9 | 10 => Op::TrySend(n),
        11 | 12 => Op::TryReceive(n),
        13 => Op::Reserve,
        14 => Op::Tokens,
        15 => Op::Arm(rng.below(5)),
        16 => Op::Head,
        _ if n == 0 => Op::Publish(rng.below(2)),
        _ => Op::Lookup(rng.below(2)),
    }
}

/// A random run: the steps, each with its event and the state before it.
pub(crate) struct Run {
    pub(crate) steps: Vec<(TaskId, Op)>,
    pub(crate) events: Vec<Event>,
    pub(crate) before: Vec<Machine>,
}

pub(crate) fn random_run(rng: &mut Rng, tasks: u64, length: usize) -> Run {
    let mut machine = Machine::new(1 + rng.below(3) as usize);
    let mut run = Run {
        steps: Vec::new(),
        events: Vec::new(),
        before: Vec::new(),
    };
    while run.steps.len() < length {
        let (task, op) = (task(rng.below(tasks) as u32), random_op(rng));
        if machine.enabled(task, op) {
            run.steps.push((task, op));
            run.before.push(machine.clone());
            let seq = run.steps.len() as u64;
            run.events.push(machine.step(seq, task, op));
        }
    }
    run
}
