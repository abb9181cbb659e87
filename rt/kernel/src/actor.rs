//! Who acts on this thread, so that an event names the task that did it (TRC-2), and an event of
//! another task that it brings about names its cause (TRC-3).
//!
//! Kept only while events are written. A poll in a poll (a fiber in its scope) puts its own name on
//! top and takes it off again; the outer poll's last event is not a cause of the inner poll, which
//! has one of its own, its wake.
//!
//! The name counts for the kernel that polls: a kernel that is driven from inside a task of another
//! one has nothing to do with that task.

use std::cell::Cell;
use std::ptr;

use asr_base::TaskId;
use asr_trace::{Draft, Kind};

use crate::kernel::Kernel;
use crate::task::Task;

#[derive(Clone, Copy)]
struct Actor {
    kernel: *const Kernel,
    task: Option<TaskId>,
    /// Its last event in this stay; 0 is none.
    last: u64,
}

thread_local! {
    static ACTOR: Cell<Actor> = const {
        Cell::new(Actor { kernel: ptr::null(), task: None, last: 0 })
    };
}

/// Puts the actor before it back.
pub(crate) struct Stay(Actor);

impl Drop for Stay {
    fn drop(&mut self) {
        ACTOR.set(self.0);
    }
}

/// From here on `task` acts, or a timer if `None`; nothing is kept while no events are written.
#[inline]
pub(crate) fn enter(kernel: &Kernel, task: Option<&Task>) -> Option<Stay> {
    kernel.trace().on().then(|| swap(kernel, task))
}

#[cold]
fn swap(kernel: &Kernel, task: Option<&Task>) -> Stay {
    let task = task.map(Task::id);
    Stay(ACTOR.replace(Actor {
        kernel,
        task,
        last: 0,
    }))
}

/// The event with the actor's name where it has none, else with the actor's last event as a cause.
/// A token that a region holds names no task.
pub(crate) fn sign(kernel: &Kernel, draft: Draft) -> Draft {
    let actor = ACTOR.get();
    if !ptr::eq(actor.kernel, kernel) {
        return draft;
    }
    let named = draft.task.is_some() || draft.kind == Kind::ObligationReserve;
    if !named && actor.task.is_some() {
        return draft.task(actor.task);
    }
    if draft.task.is_some() && draft.task == actor.task {
        return draft;
    }
    draft.cause(actor.last)
}

/// The event got this number.
pub(crate) fn wrote(kernel: &Kernel, seq: u64) {
    let actor = ACTOR.get();
    if seq != 0 && ptr::eq(actor.kernel, kernel) {
        ACTOR.set(Actor { last: seq, ..actor });
    }
}
