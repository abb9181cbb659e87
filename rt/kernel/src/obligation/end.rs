//! What the ends of tasks and regions find (OBL-9, OBL-10, OBL-33).

use asr_base::{ObligationId, Outcome, PanicPayload};

use super::cause::{AbortCause, Unwinding};
use super::leak::{self, LeakReport};
use super::place::{Holder, HolderId, Place};
use super::token::{self, Taken};
use crate::event;
use crate::kernel::Kernel;
use crate::region::{Region, RegionRef};
use crate::task::Task;
use crate::task::cell::contained;
use crate::task::side::Side;

/// A task is about to be complete: what it still holds is aborted. A payload if the response to a
/// leak is Panic.
#[inline]
pub(crate) fn task_terminal(task: &Task) -> Option<PanicPayload> {
    give_up_held(task, task.side()?)
}

fn give_up_held(task: &Task, side: &Side) -> Option<PanicPayload> {
    // What a raw token leaves on a failing path is unwound; a typed one would have been dropped.
    let unwinding = task.word.load().unwinding();
    let mut leaked = None;
    loop {
        let held = {
            let mut inner = side.lock();
            let Some(rare) = inner.rare_mut() else {
                return leaked;
            };
            leaked = joined(leaked, rare.leaked.take());
            std::mem::take(&mut rare.held)
        };
        if held.is_empty() {
            return leaked;
        }
        for id in held {
            let cause = |raw: bool| match raw && unwinding {
                true => AbortCause::Unwound,
                false => AbortCause::Forgotten,
            };
            let mine = |place: &Place| {
                let holder = place.holder.task();
                holder.is_some_and(|holder| std::ptr::eq(&**holder, task))
            };
            leaked = joined(leaked, give_up(task.kernel(), id, mine, cause));
        }
    }
}

/// The task is complete: a token that was given to it at the last moment goes with it (`list`).
#[inline]
pub(crate) fn task_completed(task: &Task) {
    if task.side().is_some() {
        // The outcome stands, so a panic response can change it no more.
        drop(task_terminal(task));
    }
}

fn joined(first: Option<PanicPayload>, second: Option<PanicPayload>) -> Option<PanicPayload> {
    match (first, second) {
        (Some(first), Some(second)) => Some(leak::join(first, second)),
        (first, second) => first.or(second),
    }
}

/// Aborts a token for its holder, if it is still his.
fn give_up(
    kernel: &Kernel,
    id: ObligationId,
    mine: impl Fn(&Place) -> bool,
    cause: impl Fn(bool) -> AbortCause,
) -> Option<PanicPayload> {
    let found = token::reserved(kernel, id, |body| {
        if !body.place.as_ref().is_some_and(&mine) {
            return Ok(None);
        }
        let origin = (body.reserved_at, body.location, body.raw);
        Ok(Some((origin, token::take(kernel, id, body)?)))
    });
    let ((since, location, raw), Taken { place, abort }) = found.ok().flatten()?;
    let cause = cause(raw);
    token::settle(&place, Some(id), Some(cause), None);
    let abort = abort.map(|abort| Box::new(move || abort(cause)) as Box<dyn FnOnce()>);
    if cause.is_leak() {
        let origin = Some((kernel.now().since(since), location));
        let report = token::report(&place, Some(id), cause, origin);
        leak::found(kernel, &report, abort)
    } else {
        if let Some(abort) = abort {
            contained(abort);
        }
        None
    }
}

/// A region is about to close: what it holds is aborted, tokens without record that are left are
/// reported by kind and count (OBL-33), and its marking goes to the totals.
pub(crate) fn region_closing(region: &Region) {
    let kernel = region.kernel();
    loop {
        let held = std::mem::take(&mut region.lock().held);
        if held.is_empty() {
            break;
        }
        for id in held {
            let mine = |place: &Place| match &place.holder {
                Holder::Region(holder) => std::ptr::eq(&**holder, region),
                Holder::Task(_) => false,
            };
            give_up(kernel, id, mine, |_| AbortCause::RegionClosed);
        }
    }
    let (marking, left) = {
        let mut inner = region.lock();
        let mut marking = std::mem::take(&mut inner.marking);
        let left: Vec<_> = marking
            .kinds()
            .map(|(kind, counts)| (kind, counts.live()))
            .filter(|(_, live)| *live > 0)
            .collect();
        for (kind, live) in &left {
            marking.place(*kind).aborted += live;
        }
        inner.settled = true;
        (marking, left)
    };
    kernel.obligations().fold(&marking);
    for (kind, count) in left {
        let place = Place {
            holder: Holder::Region(RegionRef::of(region)),
            region: region.id(),
            kind,
        };
        let report = LeakReport {
            count,
            holder: HolderId::Region(region.id()),
            ..token::report(&place, None, AbortCause::Forgotten, None)
        };
        for _ in 0..count {
            event::obligation_resolved(&place, None, Some(AbortCause::Forgotten), None);
        }
        if let Some(payload) = leak::found(kernel, &report, None) {
            let mut inner = region.lock();
            inner.fold.add(u64::MAX, None, Outcome::Panicked(payload));
        }
    }
}

/// Runs `drop` so that tokens it drops count as unwound, not as leaked.
pub(crate) fn unwound(drop: impl FnOnce()) {
    let _unwinding = Unwinding::begin();
    drop();
}
