//! What is kept of a panic: who, where, what it said, and who else (VAL-4, VAL-10).
//!
//! A payload is one pointer. The ids of the other tasks that panicked are a set: it holds each
//! once, whatever the order of combination, so that combining stays associative and idempotent.

use core::any::Any;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::id::{RegionId, TaskId};
use crate::text::cut;

/// Why it counts as a panic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum PanicKind {
    /// Code panicked.
    Panic = 0,
    /// A cleanup went over its budget, and the region says that this is a panic.
    Escalation = 1,
    /// An obligation was leaked.
    Leak = 2,
    /// An anomaly that no handler repaired.
    Anomaly = 3,
}

/// See the module.
#[derive(Clone)]
pub struct PanicPayload(Arc<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    kind: PanicKind,
    who: Who,
    region: Option<RegionId>,
    checkpoint: Option<Box<str>>,
    location: Option<(Box<str>, u32)>,
    message: Box<str>,
    truncated: bool,
    /// The other panics, without `who`.
    others: Arc<BTreeSet<Who>>,
}

/// Whose panic it was. One without a task gets a number, so that it counts once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Task(TaskId),
    Nobody(u64),
}

impl Who {
    fn new(task: Option<TaskId>) -> Who {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        match task {
            Some(task) => Who::Task(task),
            // Relaxed: only that the numbers differ matters.
            None => Who::Nobody(NEXT.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

impl PanicPayload {
    /// The most bytes of a message.
    pub const MESSAGE_BYTES_MAX: usize = 4096;
    /// The most other tasks that are listed.
    pub const OTHERS_LISTED_MAX: usize = 7;

    /// A payload that the runtime makes itself.
    pub fn new(kind: PanicKind, message: &str) -> PanicPayload {
        let kept = cut(message, PanicPayload::MESSAGE_BYTES_MAX);
        PanicPayload(Arc::new(Inner {
            kind,
            who: Who::new(None),
            region: None,
            checkpoint: None,
            location: None,
            message: kept.into(),
            truncated: kept.len() < message.len(),
            others: Arc::default(),
        }))
    }

    /// The same payload with its place in the tree of regions and its last checkpoint message.
    #[must_use]
    pub fn at(
        mut self,
        task: Option<TaskId>,
        region: Option<RegionId>,
        last_checkpoint: Option<&str>,
    ) -> PanicPayload {
        let inner = Arc::make_mut(&mut self.0);
        if task.is_some() {
            inner.who = Who::new(task);
        }
        inner.region = region;
        inner.checkpoint =
            last_checkpoint.map(|text| cut(text, PanicPayload::MESSAGE_BYTES_MAX).into());
        self
    }

    /// What is kept of a caught panic. The caught value is dropped here; if that panics in turn,
    /// it goes no further. Call it after the unwinding, not from a destructor on the way.
    pub fn capture(
        task: Option<TaskId>,
        region: Option<RegionId>,
        last_checkpoint: Option<&str>,
        location: Option<(&str, u32)>,
        payload: Box<dyn Any + Send>,
    ) -> PanicPayload {
        let message = if let Some(text) = payload.downcast_ref::<&'static str>() {
            text
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.as_str()
        } else {
            "a value that is not text"
        };
        let mut new =
            PanicPayload::new(PanicKind::Panic, message).at(task, region, last_checkpoint);
        Arc::make_mut(&mut new.0).location = location.map(|(file, line)| (file.into(), line));
        drop_quietly(payload);
        new
    }

    /// Why it counts as a panic.
    pub fn kind(&self) -> PanicKind {
        self.0.kind
    }

    /// The task, if one panicked.
    pub fn task(&self) -> Option<TaskId> {
        match self.0.who {
            Who::Task(task) => Some(task),
            Who::Nobody(_) => None,
        }
    }

    /// The region of the task.
    pub fn region(&self) -> Option<RegionId> {
        self.0.region
    }

    /// The message of the last checkpoint it passed.
    pub fn checkpoint(&self) -> Option<&str> {
        self.0.checkpoint.as_deref()
    }

    /// File and line, if known.
    pub fn location(&self) -> Option<(&str, u32)> {
        self.0
            .location
            .as_ref()
            .map(|(file, line)| (&**file, *line))
    }

    /// What it said, at most [`PanicPayload::MESSAGE_BYTES_MAX`] bytes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Was the message longer?
    pub fn truncated(&self) -> bool {
        self.0.truncated
    }

    /// The other tasks that panicked, by id: at most [`PanicPayload::OTHERS_LISTED_MAX`].
    pub fn others(&self) -> Vec<TaskId> {
        self.other_tasks()
            .take(PanicPayload::OTHERS_LISTED_MAX)
            .collect()
    }

    /// How many panicked beyond this one and the [`others`](PanicPayload::others).
    pub fn more(&self) -> u64 {
        let listed = self
            .other_tasks()
            .take(PanicPayload::OTHERS_LISTED_MAX)
            .count();
        (self.0.others.len() - listed) as u64
    }

    fn other_tasks(&self) -> impl Iterator<Item = TaskId> {
        self.0.others.iter().filter_map(|who| match who {
            Who::Task(task) => Some(*task),
            Who::Nobody(_) => None,
        })
    }

    /// The left payload, knowing of the right one and of all that either knew of.
    pub(crate) fn join(self, right: &PanicPayload) -> PanicPayload {
        if Arc::ptr_eq(&self.0, &right.0) {
            return self;
        }
        let mut crowd = Crowd::default();
        crowd.add(&self);
        crowd.add(right);
        crowd.give_to(self)
    }

    /// The same payload, which panicked in this task if it did not know of one.
    pub(crate) fn or_task(self, task: Option<TaskId>) -> PanicPayload {
        match (self.task(), task) {
            (None, Some(task)) => {
                let mut new = self;
                Arc::make_mut(&mut new.0).who = Who::Task(task);
                new
            }
            _ => self,
        }
    }
}

/// All panics that some payloads know of.
#[derive(Default)]
pub(crate) struct Crowd(BTreeSet<Who>);

impl Crowd {
    pub(crate) fn add(&mut self, payload: &PanicPayload) {
        self.0.insert(payload.0.who);
        self.0.extend(payload.0.others.iter().copied());
    }

    pub(crate) fn give_to(mut self, mut payload: PanicPayload) -> PanicPayload {
        self.0.remove(&payload.0.who);
        if self.0 != *payload.0.others {
            Arc::make_mut(&mut payload.0).others = Arc::new(self.0);
        }
        payload
    }
}

/// Drops a value whose destructor may panic, with values whose destructors may panic.
fn drop_quietly(payload: Box<dyn Any + Send>) {
    let mut payload = payload;
    // Each round drops what the last one threw. A type that goes on for ever is leaked.
    for _ in 0..8 {
        // Unwind safety: nothing of the value is looked at afterwards.
        match catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            Ok(()) => return,
            Err(thrown) => payload = thrown,
        }
    }
    std::mem::forget(payload);
}

impl PartialEq for PanicPayload {
    fn eq(&self, other: &PanicPayload) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for PanicPayload {}

impl fmt::Display for PanicPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.kind {
            PanicKind::Panic => "panic",
            PanicKind::Escalation => "escalation",
            PanicKind::Leak => "leak",
            PanicKind::Anomaly => "anomaly",
        })?;
        if let Some(task) = self.task() {
            write!(f, " in {task}")?;
        }
        if let Some(region) = self.region() {
            write!(f, " of {region}")?;
        }
        if let Some((file, line)) = self.location() {
            write!(f, " at {file}:{line}")?;
        }
        write!(f, ": {}", self.0.message)?;
        if self.0.truncated {
            f.write_str(" [truncated]")?;
        }
        if let Some(checkpoint) = self.checkpoint() {
            write!(f, " (last checkpoint: {checkpoint})")?;
        }
        let (others, more) = (self.others(), self.more());
        if !others.is_empty() || more > 0 {
            f.write_str("; also")?;
            others.iter().try_for_each(|task| write!(f, " {task}"))?;
            if more > 0 {
                write!(f, " and {more} more")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PanicPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanicPayload")
            .field("kind", &self.0.kind)
            .field("task", &self.task())
            .field("region", &self.0.region)
            .field("checkpoint", &self.0.checkpoint)
            .field("location", &self.0.location)
            .field("message", &self.0.message)
            .field("truncated", &self.0.truncated)
            .field("others", &self.others())
            .field("more", &self.more())
            .finish()
    }
}
