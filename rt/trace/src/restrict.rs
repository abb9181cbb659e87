//! The order of a whole trace, seen on some of its events.
//!
//! Two chosen events are ordered if a chain of dependent events joins them, be the links of the
//! chain chosen or not. How many hidden events there are does not show. Memory grows with the
//! square of the number of chosen events.

use std::collections::BTreeMap;

use asr_base::TaskId;

use crate::event::Event;
use crate::foata::{Foata, Form};
use crate::resource::{Access, Resource};

/// The normal form of the chosen events under the order of all. The causes of a letter are all
/// chosen events before it, because what it touches no longer tells them.
pub fn restricted(events: &[Event], choose: impl Fn(&Event) -> bool) -> Form {
    let mut pasts = Pasts::default();
    let mut before: BTreeMap<usize, Past> = BTreeMap::new();
    let mut depths: Vec<u64> = Vec::new();
    let mut chosen: Vec<usize> = Vec::new();
    let mut layers: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let mut past = pasts.of(event);
        if choose(event) {
            let depth = 1 + past.iter().map(|i| depths[i]).max().unwrap_or(0);
            before.insert(index, past.clone());
            past.insert(chosen.len());
            chosen.push(index);
            depths.push(depth);
            layers.entry(depth).or_default().push(index);
        }
        pasts.record(event, &past);
    }
    let causes = |index: usize| before[&index].iter().map(|i| chosen[i]).collect();
    Foata::arrange(events, layers.into_values(), causes).form
}

/// A set of chosen events, by their number among the chosen: one bit each.
#[derive(Clone, Debug, Default)]
struct Past(Vec<u64>);

impl Past {
    fn insert(&mut self, i: usize) {
        if self.0.len() <= i / 64 {
            self.0.resize(i / 64 + 1, 0);
        }
        self.0[i / 64] |= 1 << (i % 64);
    }

    fn join(&mut self, other: &Past) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine |= theirs;
        }
    }

    fn iter(&self) -> impl Iterator<Item = usize> {
        let bit = |word: u64| (0..64).filter(move |b| word >> b & 1 == 1);
        (0..)
            .zip(&self.0)
            .flat_map(move |(w, &word)| bit(word).map(move |b| w * 64 + b))
    }
}

/// The chosen pasts of what has been, by what makes events dependent.
#[derive(Default)]
struct Pasts {
    tasks: BTreeMap<TaskId, Past>,
    events: BTreeMap<u64, Past>,
    readers: BTreeMap<Resource, Past>,
    writers: BTreeMap<Resource, Past>,
}

impl Pasts {
    fn of(&self, event: &Event) -> Past {
        let mut past = Past::default();
        let mut join = |found: Option<&Past>| {
            if let Some(found) = found {
                past.join(found);
            }
        };
        join(event.task.and_then(|task| self.tasks.get(&task)));
        for cause in event.causes.iter() {
            join(self.events.get(&cause));
        }
        for object in event.objects.iter() {
            join(self.writers.get(&object.resource));
            if object.access == Access::Write {
                join(self.readers.get(&object.resource));
            }
        }
        past
    }

    fn record(&mut self, event: &Event, past: &Past) {
        if let Some(task) = event.task {
            self.tasks.insert(task, past.clone());
        }
        self.events.insert(event.seq, past.clone());
        for object in event.objects.iter() {
            let side = match object.access {
                Access::Read => &mut self.readers,
                Access::Write => &mut self.writers,
            };
            side.entry(object.resource).or_default().join(past);
        }
    }
}
