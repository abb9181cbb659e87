//! Obligations: linear tokens that are resolved exactly once.

mod leak;
mod marking;

pub use leak::{Escalate, LeakResponse};
pub use marking::{Counts, Marking, Registry};

use asr_base::PanicPayload;

use crate::region::Region;
use crate::task::Task;

/// A task is about to be complete: what it still holds is resolved. A payload if the response to a
/// leak is Panic.
pub(crate) fn task_terminal(task: &Task) -> Option<PanicPayload> {
    let _ = task;
    None
}

/// A region is about to close: what it holds is resolved by the implicit verb, its marking goes to
/// the totals.
pub(crate) fn region_closing(region: &Region) {
    let marking = std::mem::take(&mut region.lock().marking);
    region.kernel().obligations().fold(&marking);
}

/// Runs `drop` so that tokens it drops count as unwound, not as leaked.
pub(crate) fn unwound(task: &Task, drop: impl FnOnce()) {
    let _ = task;
    drop();
}
