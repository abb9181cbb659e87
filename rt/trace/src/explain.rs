//! Why a task was cancelled, from a trace alone (CAN-28).
//!
//! A request names the request that it follows from among its causes: that of the region around its
//! target, or the one before it on the same target, if that gave the reason. So the way up is a
//! walk over causes, and ends at the request that follows from none.

use asr_base::{CancelKind, TaskId, Time};

use crate::event::Event;
use crate::kind::Kind;
use crate::log::Log;
use crate::resource::Resource;

/// One request on the way to the original one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelStep {
    /// The number of its event.
    pub seq: u64,
    /// When it came.
    pub time: Time,
    /// The task or region that was asked.
    pub target: Resource,
    /// Why.
    pub kind: CancelKind,
    /// The id of the task, region or node it comes from.
    pub origin: u64,
}

/// The requests behind the cancel of a task, its own first, the original one last; none if it was
/// never asked.
pub fn explain(log: &Log, task: TaskId) -> Vec<CancelStep> {
    let own = log
        .iter()
        .rev()
        .filter_map(step)
        .find(|(step, _)| step.target == Resource::Task(task));
    let mut steps: Vec<CancelStep> = Vec::new();
    let mut next = own;
    while let Some((step, event)) = next {
        // The same target again: an earlier request that gave the reason.
        if steps.last().is_none_or(|last| last.target != step.target) {
            steps.push(step);
        }
        // Causes are earlier, so this ends.
        let before = |&seq: &u64| seq < event.seq;
        next = event
            .causes
            .iter()
            .filter(before)
            .find_map(|seq| event_at(log, seq).and_then(self::step));
    }
    steps
}

fn event_at(log: &Log, seq: u64) -> Option<&Event> {
    let at = log.events.binary_search_by_key(&seq, |event| event.seq);
    at.ok().map(|at| &log.events[at])
}

fn step(event: &Event) -> Option<(CancelStep, &Event)> {
    if !event.is_semantic() || event.kind != Kind::CancelRequest {
        return None;
    }
    let kind = u8::try_from(event.a).ok().and_then(CancelKind::from_rank)?;
    let step = CancelStep {
        seq: event.seq,
        time: event.time,
        target: event.objects.first()?.resource,
        kind,
        origin: event.b,
    };
    Some((step, event))
}
