//! Happens-before, rebuilt from a recorded trace (TRC-3), as vector times (TRC-6).
//!
//! The edges are program order in a task, the causes of each event (spawn to start, send to
//! receive, …), and those from the ends of the children of a region to its step that finds none
//! left: any number of events, so they are not causes but readers of the place
//! [`CHILDREN`](crate::CHILDREN), which that step writes. Each task is one component of the
//! vectors; an event without a task is one by itself.
//!
//! Invariant: a component of the vector of e counts the events of that task that happened before
//! e, with e itself. So a → b exactly if b's vector has, in a's component, at least a's own count.

use std::collections::BTreeMap;

use asr_base::{RegionId, TaskId};

use crate::event::Event;
use crate::resource::Access;

/// The vector times of the events of a trace, by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HappensBefore {
    /// For each event its component and its count in it.
    own: Vec<(usize, u32)>,
    /// For each event its vector, sparse and sorted by component.
    vectors: Vec<Vec<(usize, u32)>>,
}

impl HappensBefore {
    /// The relation of these events, which stand in an order that extends it. A cause that is
    /// not among the earlier events was dropped and adds nothing.
    pub fn rebuild(events: &[Event]) -> HappensBefore {
        let mut at: BTreeMap<u64, usize> = BTreeMap::new();
        let mut tasks: BTreeMap<TaskId, (usize, Option<usize>)> = BTreeMap::new();
        let mut ended: BTreeMap<RegionId, Vec<(usize, u32)>> = BTreeMap::new();
        let mut components = 0;
        let mut own = Vec::with_capacity(events.len());
        let mut vectors: Vec<Vec<(usize, u32)>> = Vec::with_capacity(events.len());
        for (index, event) in events.iter().enumerate() {
            let mut vector = Vec::new();
            let mut fresh = || {
                components += 1;
                components - 1
            };
            let component = match event.task {
                None => fresh(),
                Some(task) => {
                    let (component, last) = tasks.entry(task).or_insert_with(|| (fresh(), None));
                    if let Some(last) = last.replace(index) {
                        vector.clone_from(&vectors[last]);
                    }
                    *component
                }
            };
            for cause in event.causes.iter() {
                if let Some(&cause) = at.get(&cause) {
                    vector = join(&vector, &vectors[cause]);
                }
            }
            let children = |access| event.objects.children(access);
            if let Some(ends) = children(Access::Write).and_then(|region| ended.get(&region)) {
                vector = join(&vector, ends);
            }
            let count = 1 + count_in(&vector, component);
            vector = join(&vector, &[(component, count)]);
            if let Some(region) = children(Access::Read) {
                let ends = ended.entry(region).or_default();
                *ends = join(ends, &vector);
            }
            own.push((component, count));
            vectors.push(vector);
            at.insert(event.seq, index);
        }
        HappensBefore { own, vectors }
    }

    /// Whether the event at index `a` happened before the one at `b`. No event does before itself.
    pub fn before(&self, a: usize, b: usize) -> bool {
        let (component, count) = self.own[a];
        a != b && count_in(&self.vectors[b], component) >= count
    }

    /// Whether neither happened before the other.
    pub fn concurrent(&self, a: usize, b: usize) -> bool {
        a != b && !self.before(a, b) && !self.before(b, a)
    }

    /// The vector time of an event: pairs of component and count, sorted.
    pub fn vector(&self, index: usize) -> &[(usize, u32)] {
        &self.vectors[index]
    }

    /// The indices of all that happened before the event, in order: its causal past.
    pub fn past(&self, index: usize) -> Vec<usize> {
        (0..index).filter(|&e| self.before(e, index)).collect()
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }
}

fn count_in(vector: &[(usize, u32)], component: usize) -> u32 {
    vector
        .binary_search_by_key(&component, |entry| entry.0)
        .map_or(0, |at| vector[at].1)
}

/// The larger of the two in every component.
fn join(a: &[(usize, u32)], b: &[(usize, u32)]) -> Vec<(usize, u32)> {
    let mut joined = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let entry = match (a.peek(), b.peek()) {
            (None, None) => return joined,
            (Some(x), Some(y)) if x.0 == y.0 => (x.0, x.1.max(y.1)),
            (Some(x), Some(y)) if x.0 < y.0 => **x,
            (Some(x), None) => **x,
            (_, Some(y)) => **y,
        };
        a.next_if(|x| x.0 == entry.0);
        b.next_if(|y| y.0 == entry.0);
        joined.push(entry);
    }
}
