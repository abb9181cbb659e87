//! The state machine of a task (TSK-5), with the outcomes that a state allows (TSK-6).
//!
//! `Created → Running → CancelRequested → Cancelling → Finalizing → Completed`. A task that is
//! cancelled before its first poll never starts: the request leaves it `Doomed`, where nothing
//! but its completion as Cancelled, or a stronger request, may follow.
//!
//! A task enters `Finalizing` when its first own finalizer runs: a finalizer event whose first
//! object is the task. Sub-events move nothing; of them only `cancel.late` is looked at, which may
//! come to a completed task alone (TSK-8).

use std::collections::BTreeMap;

use asr_base::{Severity, TaskId};

use crate::event::Event;
use crate::kind::Kind;
use crate::resource::Resource;
use crate::sub::Sub;
use crate::violation::{Fault, Violation};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Created,
    Doomed,
    Running,
    CancelRequested,
    Cancelling,
    /// The flag tells whether the task came through `Cancelling`, which binds its outcome.
    Finalizing(bool),
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Created => "created",
            State::Doomed => "cancelled before its start",
            State::Running => "running",
            State::CancelRequested => "cancel requested",
            State::Cancelling => "cancelling",
            State::Finalizing(_) => "finalizing",
        }
    }

    /// Whether the task may end with this severity.
    fn allows(self, severity: u64) -> bool {
        let cancelled = severity == Severity::Cancelled as u64;
        let panicked = severity == Severity::Panicked as u64;
        match self {
            State::Created => false,
            State::Doomed => cancelled,
            State::Cancelling | State::Finalizing(true) => cancelled || panicked,
            _ => severity <= Severity::Panicked as u64,
        }
    }
}

#[derive(Clone, Copy)]
struct Task {
    state: State,
    masks: u64,
}

/// The states of the tasks that are not completed.
#[derive(Default)]
pub struct TaskOracle {
    tasks: BTreeMap<TaskId, Task>,
}

impl TaskOracle {
    /// Takes one event in.
    pub fn step(&mut self, event: &Event) -> Result<(), Violation> {
        match self.edge(event) {
            Ok(()) => Ok(()),
            Err((rule, fault)) => Err(Violation::new(rule, event, fault)),
        }
    }

    /// Tasks that are not completed.
    pub fn live(&self) -> impl Iterator<Item = TaskId> {
        self.tasks.keys().copied()
    }

    fn edge(&mut self, event: &Event) -> Result<(), (&'static str, Fault)> {
        let Some(id) = subject(event)? else {
            return Ok(());
        };
        let edge = |from| {
            let event = event.kind.name();
            Err(("TSK-5", Fault::Edge { from, event }))
        };
        if event.kind == Kind::TaskSpawn {
            let (state, masks) = (State::Created, 0);
            return match self.tasks.insert(id, Task { state, masks }) {
                None => Ok(()),
                Some(task) => edge(task.state.name()),
            };
        }
        let Some(task) = self.tasks.get_mut(&id) else {
            // A late request is the one thing that may come to a completed task (TSK-8).
            return match event.kind {
                Kind::CancelLate => Ok(()),
                _ => edge("none or completed"),
            };
        };
        let before = task.state;
        task.state = match (event.kind, before) {
            (Kind::TaskStart, State::Created) => State::Running,
            (Kind::TaskPoll | Kind::Checkpoint, State::Created | State::Doomed) => {
                return edge(before.name());
            }
            (Kind::TaskPoll | Kind::Checkpoint, state) => state,
            (Kind::CancelRequest, State::Created) => State::Doomed,
            (Kind::CancelRequest, State::Running) => State::CancelRequested,
            (Kind::CancelRequest, state) => state,
            (Kind::CancelObserve, State::CancelRequested) if task.masks == 0 => State::Cancelling,
            (Kind::CancelObserve, State::CancelRequested) => {
                return Err(("TSK-5", Fault::Masked(task.masks)));
            }
            (Kind::FinalizerRun, State::Running | State::CancelRequested | State::Cancelling) => {
                State::Finalizing(before == State::Cancelling)
            }
            (Kind::FinalizerRun, State::Finalizing(bound)) => State::Finalizing(bound),
            (Kind::MaskBegin | Kind::MaskEnd, State::Created | State::Doomed) => {
                return edge(before.name());
            }
            (Kind::MaskBegin, state) => {
                task.masks += 1;
                state
            }
            (Kind::MaskEnd, state) => {
                let fewer = task.masks.checked_sub(1);
                task.masks = fewer.ok_or(("TSK-5", Fault::Unmasked))?;
                state
            }
            (Kind::TaskComplete, State::Created) => return edge(before.name()),
            (Kind::TaskComplete, state) if state.allows(event.a) => {
                self.tasks.remove(&id);
                return Ok(());
            }
            (Kind::TaskComplete, state) => {
                let (from, severity) = (state.name(), event.a);
                let rule = if severity > 3 { "TSK-5" } else { "TSK-6" };
                return Err((rule, Fault::Outcome { from, severity }));
            }
            (_, state) => return edge(state.name()),
        };
        Ok(())
    }
}

/// The task whose state the event may change, if there is one.
fn subject(event: &Event) -> Result<Option<TaskId>, (&'static str, Fault)> {
    if !matches!(event.sub, Sub::None | Sub::CancelLate) {
        return Ok(None);
    }
    let target = event
        .objects
        .first()
        .and_then(|object| match object.resource {
            Resource::Task(task) => Some(task),
            _ => None,
        });
    let missing = ("TSK-5", Fault::Incomplete("task"));
    match event.kind {
        Kind::TaskSpawn => TaskId::from_bits(event.a).map(Some).ok_or(missing),
        Kind::TaskStart
        | Kind::TaskPoll
        | Kind::TaskComplete
        | Kind::CancelObserve
        | Kind::MaskBegin
        | Kind::MaskEnd => event.task.map(Some).ok_or(missing),
        // Of a task or of a region; a checkpoint of no task is one of the host.
        Kind::CancelRequest | Kind::CancelLate | Kind::FinalizerRun => Ok(target),
        Kind::Checkpoint => Ok(event.task),
        _ => Ok(None),
    }
}
