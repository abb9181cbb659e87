//! The Foata normal form of a trace (TRC-10).
//!
//! Layer n holds the events whose longest chain of dependent predecessors has n links: exactly
//! what taking all minimal events, again and again, puts there. One pass computes it, because the
//! depth of an event is one more than the greatest depth among its task's last event, its causes,
//! the writers of what it touches and, if it writes, the readers.
//!
//! Inside a layer the order is by task, then by original index. No two events of a layer share a
//! task, so the index decides only among events without a task; there the content is compared
//! first, so that equal traces from different runs have equal forms.

use std::collections::BTreeMap;

use asr_base::{RegionId, TaskId};

use crate::event::Event;
use crate::kind::Kind;
use crate::resource::{Access, Object, Objects, Resource};
use crate::sub::Sub;

/// An event of a normal form: what happened, without numbers and times that the recorded order
/// decides. Causes are positions in the form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Letter {
    /// The task that did it.
    pub task: Option<TaskId>,
    /// What happened.
    pub kind: Kind,
    /// Its name as a sub-event.
    pub sub: Sub,
    /// The region it belongs to.
    pub region: Option<RegionId>,
    /// What it touched, sorted.
    pub objects: Vec<Object>,
    /// The numbers.
    pub words: [u64; 3],
    /// Positions in the form of the causes, sorted.
    pub causes: Vec<usize>,
}

/// A trace up to commutation of independent neighbours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Form {
    layers: Vec<usize>,
    letters: Vec<Letter>,
}

/// A normal form, and where its events stood in the trace it was made of.
#[derive(Clone, Debug)]
pub struct Foata {
    /// The form, comparable with other forms.
    pub form: Form,
    /// For each position of the form the index of the event.
    pub order: Vec<usize>,
}

impl Form {
    /// The events, layer by layer.
    pub fn layers(&self) -> impl Iterator<Item = &[Letter]> {
        let starts = [0].into_iter().chain(self.layers.iter().copied());
        let ends = self.layers.iter().copied();
        starts.zip(ends).map(|(from, to)| &self.letters[from..to])
    }

    /// The events in one row.
    pub fn letters(&self) -> &[Letter] {
        &self.letters
    }
}

impl Foata {
    /// The normal form of these events, which stand in an order that causes respect.
    pub fn of(events: &[Event]) -> Foata {
        let mut depths = Depths::default();
        let mut layers: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (index, event) in events.iter().enumerate() {
            layers.entry(depths.visit(event)).or_default().push(index);
        }
        let at: BTreeMap<u64, usize> = (0..).zip(events).map(|(i, e)| (e.seq, i)).collect();
        Foata::arrange(events, layers.into_values(), |index| {
            let causes = events[index].causes.iter();
            causes.filter_map(|seq| at.get(&seq).copied()).collect()
        })
    }

    /// The form with these layers of indices, given for each index those of its causes.
    pub(crate) fn arrange(
        events: &[Event],
        layers: impl Iterator<Item = Vec<usize>>,
        causes: impl Fn(usize) -> Vec<usize>,
    ) -> Foata {
        let mut position = vec![None; events.len()];
        let (mut ends, mut letters, mut order) = (Vec::new(), Vec::new(), Vec::new());
        for layer in layers {
            let mut row: Vec<(Letter, usize)> = layer
                .into_iter()
                .map(|index| {
                    let causes = causes(index).into_iter();
                    let causes = causes.filter_map(|cause| position[cause]).collect();
                    (Letter::of(&events[index], causes), index)
                })
                .collect();
            row.sort();
            for (letter, index) in row {
                position[index] = Some(letters.len());
                letters.push(letter);
                order.push(index);
            }
            ends.push(letters.len());
        }
        Foata {
            form: Form {
                layers: ends,
                letters,
            },
            order,
        }
    }

    /// The indices of the events, layer by layer.
    pub fn layers(&self) -> impl Iterator<Item = &[usize]> {
        let starts = [0].into_iter().chain(self.form.layers.iter().copied());
        let ends = self.form.layers.iter().copied();
        starts.zip(ends).map(|(from, to)| &self.order[from..to])
    }
}

impl Letter {
    fn of(event: &Event, mut causes: Vec<usize>) -> Letter {
        causes.sort_unstable();
        let mut objects: Vec<Object> = event.objects.iter().copied().collect();
        objects.sort_unstable();
        Letter {
            task: event.task,
            kind: event.kind,
            sub: event.sub,
            region: event.region,
            objects,
            words: event.words(),
            causes,
        }
    }
}

/// The greatest depths so far, by what makes events dependent.
#[derive(Default)]
struct Depths {
    tasks: BTreeMap<TaskId, u64>,
    events: BTreeMap<u64, u64>,
    readers: BTreeMap<Resource, u64>,
    writers: BTreeMap<Resource, u64>,
}

impl Depths {
    /// The depth of the next event: one more than of what it depends on.
    fn visit(&mut self, event: &Event) -> u64 {
        let task = event.task.and_then(|task| self.tasks.get(&task));
        let causes = event.causes.iter().filter_map(|seq| self.events.get(&seq));
        let below = causes
            .chain(task)
            .copied()
            .chain(self.touched(&event.objects))
            .max()
            .unwrap_or(0);
        let depth = below + 1;
        self.events.insert(event.seq, depth);
        if let Some(task) = event.task {
            self.tasks.insert(task, depth);
        }
        for object in event.objects.iter() {
            let side = match object.access {
                Access::Read => &mut self.readers,
                Access::Write => &mut self.writers,
            };
            let deepest = side.entry(object.resource).or_insert(0);
            *deepest = depth.max(*deepest);
        }
        depth
    }

    fn touched(&self, objects: &Objects) -> impl Iterator<Item = u64> {
        objects.iter().flat_map(|object| {
            let readers = self.readers.get(&object.resource);
            let readers = readers.filter(|_| object.access == Access::Write);
            let writers = self.writers.get(&object.resource);
            readers.into_iter().chain(writers).copied()
        })
    }
}
