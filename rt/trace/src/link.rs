//! Cause edges that follow from the ids in a whole trace, for events that came without them.
//!
//! Spawn to start, wake to poll, completion to the wake of a joiner, request to observation,
//! reserve to resolution, closing to closed: each joins two events of one id, so the edge can be
//! found in the trace itself (TRC-3). What no id tells, a message to its receipt, must come from
//! the emit site. A link that is found takes a free place among the causes; Lamport times are
//! given anew along all edges, because the old ones did not know these.
//!
//! Memory is linear in live tasks, regions and obligations.

use std::collections::BTreeMap;

use asr_base::{RegionId, TaskId};

use crate::clock::ClockMode;
use crate::event::{Causes, Event};
use crate::kind::Kind;
use crate::log::Log;
use crate::resource::{Access, Resource};

impl Log {
    /// Adds the causes that ids tell.
    pub fn link(&mut self) {
        let mut links = Links::default();
        for event in &mut self.events {
            if event.is_semantic() {
                links.visit(event);
            }
        }
        if self.clock == ClockMode::Lamport {
            lamport(&mut self.events);
        }
    }
}

/// The last events that later ones of the same id follow from.
#[derive(Default)]
struct Links {
    spawned: BTreeMap<TaskId, u64>,
    woken: BTreeMap<TaskId, u64>,
    completed: BTreeMap<TaskId, u64>,
    cancelled: BTreeMap<TaskId, u64>,
    reserved: BTreeMap<u64, u64>,
    closing: BTreeMap<RegionId, u64>,
}

impl Links {
    fn visit(&mut self, event: &mut Event) {
        let seq = event.seq;
        let target = event
            .objects
            .iter()
            .find_map(|object| match object.resource {
                Resource::Task(task) => Some((task, object.access)),
                _ => None,
            });
        match event.kind {
            Kind::TaskSpawn => insert(&mut self.spawned, TaskId::from_bits(event.a), seq),
            Kind::TaskStart => add(event, remove(&mut self.spawned, event.task)),
            Kind::TaskPoll => add(event, remove(&mut self.woken, event.task)),
            Kind::TaskWake => {
                insert(&mut self.woken, TaskId::from_bits(event.a), seq);
                // A joiner wakes itself by reading the task that it joined.
                let joined = target.filter(|(_, access)| *access == Access::Read);
                let completed = joined.and_then(|(task, _)| self.completed.get(&task));
                add(event, completed.copied());
            }
            Kind::TaskComplete => {
                insert(&mut self.completed, event.task, seq);
                remove(&mut self.woken, event.task);
                remove(&mut self.cancelled, event.task);
            }
            Kind::CancelRequest => insert(&mut self.cancelled, target.map(|(task, _)| task), seq),
            Kind::CancelObserve => add(event, remove(&mut self.cancelled, event.task)),
            Kind::ObligationReserve => insert(&mut self.reserved, token(event), seq),
            Kind::ObligationTransfer => {
                let reserved = token(event).and_then(|id| self.reserved.get(&id));
                add(event, reserved.copied());
            }
            Kind::ObligationCommit | Kind::ObligationAbort => {
                add(event, remove(&mut self.reserved, token(event)));
            }
            Kind::RegionClosing => insert(&mut self.closing, event.region, seq),
            Kind::RegionClosed => add(event, remove(&mut self.closing, event.region)),
            _ => {}
        }
    }
}

fn token(event: &Event) -> Option<u64> {
    (event.a != 0).then_some(event.a)
}

fn insert<K: Ord>(links: &mut BTreeMap<K, u64>, key: Option<K>, seq: u64) {
    if let Some(key) = key {
        links.insert(key, seq);
    }
}

fn remove<K: Ord>(links: &mut BTreeMap<K, u64>, key: Option<K>) -> Option<u64> {
    links.remove(&key?)
}

/// One cause more, if there is room for it.
fn add(event: &mut Event, cause: Option<u64>) {
    let Some(cause) = cause else {
        return;
    };
    let causes: Vec<u64> = event.causes.iter().collect();
    event.causes = match causes[..] {
        [] => Causes::one(cause),
        [first] => Causes::two(first, cause),
        _ => event.causes,
    };
}

/// Each event one later than the latest of what it follows from.
fn lamport(events: &mut [Event]) {
    let mut tasks: BTreeMap<TaskId, u64> = BTreeMap::new();
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    for event in events {
        let own = event.task.and_then(|task| tasks.get(&task));
        let causes = event.causes.iter().filter_map(|seq| times.get(&seq));
        event.logical = 1 + causes.chain(own).copied().max().unwrap_or(0);
        times.insert(event.seq, event.logical);
        if let Some(task) = event.task {
            tasks.insert(task, event.logical);
        }
    }
}
