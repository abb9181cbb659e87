//! A region whose future, or owner, is gone (REG-36): it is cancelled, what borrows ends at once,
//! and it closes by itself. Its parent in the tree, the nearest live region around it, waits for
//! it.
//!
//! A fiber may have finalizers of its own. They borrow nothing, and go on as a task.
#![allow(unsafe_code, reason = "empties the cells of fibers")]

use std::task::{Context, Poll};

use asr_base::{CancelKind, CancelReason, Error, Origin, Outcome};

use super::children::{self, Child};
use super::close;
use super::record::Region;
use crate::cancel;
use crate::task::end::{self, End, Place};
use crate::task::{Phase, Task, Tier, cell};

/// Cancels a region that nobody waits for any more, ends its fibers, and lets it close by itself;
/// the parent in the tree is the nearest live region around it, and waits.
pub(crate) fn abandon(region: &Region, origin: Origin) {
    let kernel = region.kernel();
    {
        // From here on no fiber is admitted (`open::admit` looks under this lock).
        let mut inner = region.lock();
        inner.counts = true;
        inner.scope_gone = true;
    }
    let reason = CancelReason::new(CancelKind::RaceLost, origin, kernel.now())
        .with_message("the future of the region was dropped");
    cancel::request_region(region, cancel::request(kernel, reason));
    let children = children::all(kernel, &region.lock());
    for child in children {
        if let Child::Task(task) = child
            && matches!(task.tier(), Tier::Fiber | Tier::Body)
            && task.word.load().phase() != Phase::Completed
        {
            task.word.seize();
            if task.word.load().phase() == Phase::Finalizing {
                end::go_on(task);
            } else {
                let fiber = task.tier() == Tier::Fiber;
                end::body_ended(task, End::ScopeDropped, &mut Left { fiber });
            }
        }
    }
    close::close(region);
}

/// The place of a fiber of a scope that is dropped; that of its body was dropped before.
struct Left {
    fiber: bool,
}

impl Place for Left {
    fn poll(&mut self, _: &Task, _: &mut Context<'_>) -> Poll<Outcome<(), Error>> {
        unreachable!("a scope that is dropped polls nobody")
    }

    fn settle(&mut self, task: &Task, outcome: &Outcome<(), Error>) {
        if let (true, Some(cell)) = (self.fiber, task.cell()) {
            // SAFETY: the word was seized: we hold the poll.
            unsafe { cell::settle(cell, Some(outcome.clone())) };
        }
    }
}
