//! One event of a trace (TRC-2): fixed size, `Copy`, nothing on the heap.
//!
//! Sequence numbers start at 1, so that 0 means "no event" both as the answer of a closed gate
//! and as a cause.

use asr_base::{RegionId, TaskId, Time};

use crate::kind::{Field, Kind};
use crate::resource::{Object, Objects};
use crate::sub::Sub;

/// Sequence numbers of up to two events that caused this one; 0 stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Causes([u64; 2]);

impl Causes {
    /// No cause.
    pub const NONE: Causes = Causes([0, 0]);

    /// One cause.
    pub fn one(seq: u64) -> Causes {
        Causes([seq, 0])
    }

    /// Two causes. A zero is no cause, and the same cause twice is one.
    pub fn two(first: u64, second: u64) -> Causes {
        match (first, second) {
            (0, only) => Causes([only, 0]),
            (only, other) if only == other => Causes([only, 0]),
            _ => Causes([first, second]),
        }
    }

    /// The causes.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        self.0.into_iter().filter(|&seq| seq != 0)
    }

    /// Whether this event is a cause.
    pub fn contains(&self, seq: u64) -> bool {
        seq != 0 && self.0.contains(&seq)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0 == [0, 0]
    }
}

/// An event as it stands in a trace. What the numbers mean is in [`Event::fields`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Its number in the trace, from 1, growing.
    pub seq: u64,
    /// What happened.
    pub kind: Kind,
    /// Its name as a sub-event, else `Sub::None`.
    pub sub: Sub,
    /// Logical time.
    pub logical: u64,
    /// Virtual or monotonic time.
    pub time: Time,
    /// The task that did it, if a task did.
    pub task: Option<TaskId>,
    /// The region it belongs to.
    pub region: Option<RegionId>,
    /// What it touched.
    pub objects: Objects,
    /// What caused it, besides the previous event of its task.
    pub causes: Causes,
    /// First number.
    pub a: u64,
    /// Second number.
    pub b: u64,
    /// Third number.
    pub c: u64,
}

impl Event {
    /// What `a`, `b` and `c` hold.
    pub fn fields(&self) -> [Field; 3] {
        match self.sub {
            Sub::None => self.kind.fields(),
            sub => sub.fields(),
        }
    }

    /// The three numbers.
    pub fn words(&self) -> [u64; 3] {
        [self.a, self.b, self.c]
    }

    /// Whether it is an event of the closed set, not a sub-event.
    pub fn is_semantic(&self) -> bool {
        self.sub == Sub::None
    }
}

/// An event before a sink gives it a number and a logical time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Draft {
    /// What happened.
    pub kind: Kind,
    /// Its name as a sub-event, else `Sub::None`.
    pub sub: Sub,
    /// Virtual or monotonic time.
    pub time: Time,
    /// The task that did it, if a task did.
    pub task: Option<TaskId>,
    /// The region it belongs to.
    pub region: Option<RegionId>,
    /// What it touched.
    pub objects: Objects,
    /// What caused it.
    pub causes: Causes,
    /// First number.
    pub a: u64,
    /// Second number.
    pub b: u64,
    /// Third number.
    pub c: u64,
}

impl Draft {
    /// A semantic event at this time, everything else empty.
    pub fn new(kind: Kind, time: Time) -> Draft {
        Draft {
            kind,
            sub: Sub::None,
            time,
            task: None,
            region: None,
            objects: Objects::NONE,
            causes: Causes::NONE,
            a: 0,
            b: 0,
            c: 0,
        }
    }

    /// A sub-event of its parent kind; `Sub::None` makes no event, so there is none.
    pub fn sub(sub: Sub, time: Time) -> Option<Draft> {
        let kind = sub.parent()?;
        Some(Draft {
            sub,
            ..Draft::new(kind, time)
        })
    }

    /// With the task that did it.
    #[must_use]
    pub fn task(mut self, task: impl Into<Option<TaskId>>) -> Draft {
        self.task = task.into();
        self
    }

    /// With the region it belongs to.
    #[must_use]
    pub fn region(mut self, region: impl Into<Option<RegionId>>) -> Draft {
        self.region = region.into();
        self
    }

    /// With one object more; a third one is left out.
    #[must_use]
    pub fn object(mut self, object: Object) -> Draft {
        let room = self.objects.push(object);
        debug_assert!(room, "an event touches at most two objects");
        self
    }

    /// With these objects.
    #[must_use]
    pub fn objects(mut self, objects: Objects) -> Draft {
        self.objects = objects;
        self
    }

    /// With one cause more; 0 is none, and a third one takes the place of the second.
    #[must_use]
    pub fn cause(mut self, seq: u64) -> Draft {
        let first = self.causes.iter().next().unwrap_or(0);
        if seq != 0 {
            self.causes = Causes::two(first, seq);
        }
        self
    }

    /// With these numbers.
    #[must_use]
    pub fn words(mut self, a: u64, b: u64, c: u64) -> Draft {
        (self.a, self.b, self.c) = (a, b, c);
        self
    }

    /// The event with this number and logical time.
    pub fn event(self, seq: u64, logical: u64) -> Event {
        Event {
            seq,
            kind: self.kind,
            sub: self.sub,
            logical,
            time: self.time,
            task: self.task,
            region: self.region,
            objects: self.objects,
            causes: self.causes,
            a: self.a,
            b: self.b,
            c: self.c,
        }
    }
}
