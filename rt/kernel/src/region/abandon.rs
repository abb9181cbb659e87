//! A region whose future, or owner, is gone (REG-36): it is cancelled, what borrows ends at once,
//! and it closes by itself. Its parent in the tree, the nearest live region around it, waits for
//! it.
//!
//! A fiber may have finalizers of its own. They borrow nothing, and go on as a task.
//!
//! Protocol of a scope. Whoever sets `gone` in it gives the region up, and nobody polls a fiber
//! after that. A scope that is forgotten (`mem::forget`) is given up at the end of the task that
//! opened it. Another task may hold it, and poll it at that moment (`busy`): then it is `orphaned`,
//! and given up at the end of that turn. What the fibers of a forgotten scope borrow may be gone
//! long since, so their futures and outputs are neither polled nor dropped, nor their memory freed,
//! unless the scope is dropped after all.
#![allow(unsafe_code, reason = "empties the cells of fibers")]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::task::{Context, Poll};

use asr_base::{CancelKind, CancelReason, Error, Origin, Outcome};

use super::alone;
use super::children::{self, Child};
use super::close;
use super::record::{Region, RegionRef};
use crate::task::end::{self, End, Place};
use crate::task::{Phase, Task, TaskRef, Tier, cell};
use crate::{cancel, obligation};

/// What a region is left with if its future is dropped half-way (REG-36).
pub(super) struct Guard<'a, 'env> {
    pub(super) region: ManuallyDrop<RegionRef>,
    pub(super) opener: &'a TaskRef,
    /// The destructor drops what may borrow for `'env`.
    pub(super) env: PhantomData<fn(&'env ()) -> &'env ()>,
}

impl Drop for Guard<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        if alone::give_back(&self.region) {
            return;
        }
        // Then every fiber has ended, nothing was given up, and the scope is forgotten by whoever
        // closed it.
        if !self.region.word.is_ok() {
            dropped(&self.region, Origin::Task(self.opener.id()));
        }
        // SAFETY: not used after this.
        drop(unsafe { ManuallyDrop::take(&mut self.region) });
    }
}

/// The future of a region is dropped: half-way, or after its end. What its fibers borrow is there.
/// An open region gets back the reference that its future had.
#[cold]
fn dropped(region: &RegionRef, origin: Origin) {
    region.count_parent();
    let mut inner = region.lock();
    let open = !close::is_closed(region);
    if open {
        inner.scope.attached = false;
        // The future drops its own all the same.
        std::mem::forget(RegionRef::clone(region));
    }
    let scope = &mut inner.scope;
    let first = !std::mem::replace(&mut scope.gone, true);
    let left = (std::mem::take(&mut scope.ready), scope.waker.take());
    let frames = std::mem::take(&mut scope.frames);
    drop(inner);
    drop(left);
    for frame in frames {
        // SAFETY: the scope is being dropped, so what its fibers borrow is there.
        obligation::unwound(|| unsafe { frame.give_up() });
    }
    if first && open {
        give_up(region, origin, false);
    }
}

/// A region without a scope lost its owner.
pub(crate) fn unowned(region: &Region, origin: Origin) {
    give_up(region, origin, false);
}

/// A task is complete: scopes that it opened, and that are there still, were forgotten.
pub(crate) fn left_behind(task: &Task) {
    let around = task.region();
    let children = children::all(around.kernel(), &around.lock());
    for child in children {
        if let Child::Region(region) = child
            && region.is_scope_of(task.id())
        {
            forgotten(&region, Origin::Task(task.id()));
        }
    }
}

/// The opener of a scope ended before it.
pub(crate) fn forgotten(region: &RegionRef, origin: Origin) {
    region.count_parent();
    let mut inner = region.lock();
    let scope = &mut inner.scope;
    if scope.busy {
        scope.orphaned = true;
        return;
    }
    let first = !std::mem::replace(&mut scope.gone, true);
    // Its waker stays: if somebody has it still, he hears of the close.
    let left = std::mem::take(&mut scope.ready);
    drop(inner);
    drop(left);
    if first && !close::is_closed(region) {
        give_up(region, origin, true);
    }
}

/// Cancels a region that nobody waits for any more, ends its fibers, and lets it close by itself;
/// the parent in the tree is the nearest live region around it, and waits.
fn give_up(region: &Region, origin: Origin, forgotten: bool) {
    let kernel = region.kernel();
    {
        // From here on no fiber is admitted (`admit::admit` looks under this lock).
        let mut inner = region.lock();
        inner.counts = true;
        inner.scope.gone = true;
    }
    let what = match forgotten {
        false => "the future of the region was dropped",
        true => "the future of the region was forgotten",
    };
    let reason = CancelReason::new(CancelKind::RaceLost, origin, kernel.now()).with_literal(what);
    cancel::request_region(region, cancel::request(kernel, reason));
    let children = children::all(kernel, &region.lock());
    for child in children {
        if let Child::Task(task) = child
            && matches!(task.tier(), Tier::Fiber | Tier::Body)
            && task.word.load().phase() != Phase::Completed
        {
            task.word.seize();
            let cell = match (task.tier(), forgotten) {
                (Tier::Body, _) => Left::Nowhere,
                (_, false) => Left::Cell,
                (_, true) => Left::Frame,
            };
            if task.word.load().phase() == Phase::Finalizing {
                if forgotten {
                    lost(&task);
                }
                end::go_on(task);
            } else {
                end::body_ended(task, End::ScopeDropped, &mut { cell });
            }
        }
    }
    close::close(region);
}

/// A fiber that has ended, but not its finalizers, lost its output with the frame.
fn lost(task: &Task) {
    let Some(side) = task.side() else { return };
    let outcome = Outcome::Cancelled(cancel::reason(task).escalate());
    let ended = side.lock().rare_or_new().ended.replace(outcome.clone());
    drop(ended);
    Left::Frame.settle(task, &outcome);
}

/// Where the future of a fiber is whose scope is given up.
enum Left {
    /// In its cell.
    Cell,
    /// In its cell, and may borrow from a frame that is gone.
    Frame,
    /// That of the body lay in the future of the region.
    Nowhere,
}

impl Place for Left {
    fn poll(&mut self, _: &Task, _: &mut Context<'_>) -> Poll<Outcome<(), Error>> {
        unreachable!("a scope that is given up polls nobody")
    }

    fn settle(&mut self, task: &Task, outcome: &Outcome<(), Error>) {
        let Some(cell) = task.cell() else { return };
        match self {
            // SAFETY: the word was seized: we hold the poll.
            Left::Cell => unsafe { cell::settle(cell, outcome.clone()) },
            Left::Frame => {
                // SAFETY: as above; the task has the new cell from here on.
                let (fresh, frame) = unsafe { cell::beside(cell, outcome.clone()) };
                task.set_cell(fresh);
                task.region().lock().scope.frames.push(frame);
            }
            Left::Nowhere => {}
        }
    }
}
