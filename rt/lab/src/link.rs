//! Causes of the kernel's events (TRC-3).
//!
//! An emit site knows what happened, not which earlier event made it happen; that follows from the
//! ids in the events alone, so it is derived here, once, as events go by. With program order in a
//! task these causes rebuild happens-before:
//!
//! | cause | effect | by |
//! |---|---|---|
//! | spawn | start, or the end of a task that never starts | task |
//! | wake | the next event of the woken task | task |
//! | complete | the event of the join | task |
//! | cancel request | observe, or the end of a task that never starts | task |
//! | reserve, transfer | commit, abort, transfer, leak | obligation |
//! | timer set | fire, cancel | timer |
//! | a region's state | its next state | region |
//! | finalizer registered | run | owner and index |
//! | submit, send | complete, receive | token, message |
//!
//! What a task does to another one, and what a timer does, has its cause from the kernel, which
//! knows who acts. All children precede the step of their region to `Finalizing` by the place
//! [`CHILDREN`](asr_trace::CHILDREN), which they read and that step writes.
//!
//! Memory: one entry per live task, region, timer, token and registered finalizer, and one per slot
//! of completed tasks.

use std::collections::BTreeMap;

use asr_base::{RegionId, TaskId};
use asr_trace::{Access, Draft, Kind, Object, Resource, Sub};

/// Derives causes from the events before. See the module.
#[derive(Debug, Default)]
pub struct Linker {
    spawned: BTreeMap<TaskId, u64>,
    woken: BTreeMap<TaskId, u64>,
    asked: BTreeMap<TaskId, u64>,
    /// By slot: a slot is not used again while somebody may join its task.
    completed: BTreeMap<u32, (TaskId, u64)>,
    regions: BTreeMap<RegionId, u64>,
    timers: BTreeMap<u64, u64>,
    obligations: BTreeMap<u64, u64>,
    finalizers: BTreeMap<(Resource, u64), u64>,
    submitted: BTreeMap<u64, u64>,
    sent: BTreeMap<u64, u64>,
}

impl Linker {
    /// Before the first event.
    pub fn new() -> Linker {
        Linker::default()
    }

    /// The event that gets the number `seq`, with its causes.
    #[must_use]
    pub fn link(&mut self, draft: Draft, seq: u64) -> Draft {
        let wake = draft.task.and_then(|task| self.woken.remove(&task));
        let draft = draft.cause(wake.unwrap_or(0));
        if draft.sub != Sub::None {
            return draft;
        }
        let cause = self.cause(&draft, seq);
        draft.cause(cause.unwrap_or(0))
    }

    fn cause(&mut self, draft: &Draft, seq: u64) -> Option<u64> {
        match draft.kind {
            Kind::TaskSpawn => {
                self.spawned.insert(TaskId::from_bits(draft.a)?, seq);
                None
            }
            Kind::TaskStart => self.spawned.remove(&draft.task?),
            Kind::TaskWake => self.wake(draft, seq),
            Kind::TaskComplete => {
                let task = draft.task?;
                self.completed.insert(task.index(), (task, seq));
                let asked = self.asked.remove(&task);
                // Of a task that started, both are in its program order.
                self.spawned
                    .remove(&task)
                    .map(|spawn| asked.unwrap_or(spawn))
            }
            Kind::CancelRequest => {
                if let Some(task) = target(draft) {
                    self.asked.insert(task, seq);
                }
                None
            }
            Kind::CancelObserve => self.asked.get(&draft.task?).copied(),
            Kind::RegionOpen
            | Kind::RegionClosing
            | Kind::RegionDraining
            | Kind::RegionFinalizing => self.regions.insert(draft.region?, seq),
            Kind::RegionClosed => self.regions.remove(&draft.region?),
            Kind::TimerSet => self.timers.insert(draft.a, seq),
            Kind::TimerFire | Kind::TimerCancel => self.timers.remove(&draft.a),
            Kind::ObligationReserve | Kind::ObligationTransfer if draft.a != 0 => {
                self.obligations.insert(draft.a, seq)
            }
            Kind::ObligationLeak => self.obligations.get(&draft.a).copied(),
            Kind::ObligationCommit | Kind::ObligationAbort => self.obligations.remove(&draft.a),
            Kind::FinalizerRegister => {
                let owner = draft.objects.first()?.resource;
                self.finalizers.insert((owner, draft.a), seq)
            }
            Kind::FinalizerRun => {
                let owner = draft.objects.first()?.resource;
                self.finalizers.remove(&(owner, draft.a))
            }
            Kind::IoSubmit => self.submitted.insert(draft.a, seq),
            Kind::IoComplete => self.submitted.remove(&draft.a),
            Kind::RemoteSend => self.sent.insert(draft.a, seq),
            Kind::RemoteReceive => self.sent.remove(&draft.a),
            _ => None,
        }
    }

    /// A wake, or the event of a join, which reads the task that completed.
    fn wake(&mut self, draft: &Draft, seq: u64) -> Option<u64> {
        let object = draft.objects.first()?;
        match (object.resource, object.access) {
            (Resource::Task(joined), Access::Read) => self.completion(joined),
            _ => {
                self.woken.insert(TaskId::from_bits(draft.a)?, seq);
                None
            }
        }
    }

    fn completion(&self, task: TaskId) -> Option<u64> {
        let &(id, seq) = self.completed.get(&task.index())?;
        (id == task).then_some(seq)
    }
}

fn target(draft: &Draft) -> Option<TaskId> {
    match draft.objects.first() {
        Some(Object {
            resource: Resource::Task(task),
            ..
        }) => Some(task),
        _ => None,
    }
}
