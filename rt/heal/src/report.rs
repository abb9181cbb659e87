//! Reporting an anomaly (HEAL-1, HEAL-3, HEAL-16 to HEAL-18).
#![allow(unsafe_code, reason = "works on raw objects")]

use asr_abi::{ObjectHeader, RepairContext, Thread, repair_path};

use crate::handlers::{self, Func};
use crate::ledger::COUNTERS;
use crate::word::{Marking, mark};
use crate::{inflight, local, null, queue, repair, supervisor};

/// What became of a report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The object was repaired before the report returned.
    Repaired,
    /// A job is in the queue.
    Queued,
    /// It joined a report in hand.
    Coalesced,
    /// The type has no handler: the object is in quarantine, `NO_HANDLER`.
    NoHandler,
    /// Counted only: null data without a handler of type 0, or the runtime has stopped.
    Unhandled,
}

/// Reports an anomaly of an object, or of none. Neither blocks, nor allocates, nor unwinds; in a
/// signal handler (see [`crate::signal_enter`]) no handler runs.
///
/// # Safety
/// `th` is null or the state of the calling thread; `object` is null or points to a header that is
/// alive (not yet retired).
pub unsafe fn report(th: *const Thread, code: u32, object: *mut ObjectHeader) -> Outcome {
    fetch(object);
    COUNTERS.reported.up();
    if supervisor::has_stopped() {
        COUNTERS.after_shutdown.up();
        COUNTERS.unhandled.up();
        return Outcome::Unhandled;
    }
    // SAFETY: null or alive, says the caller.
    let th = unsafe { th.as_ref() };
    let context = context(th, code);
    if object.is_null() {
        return null::report(code, context, th.map_or(0, |th| th.task_id.get()));
    }
    let in_flight = inflight::enter(object);
    // SAFETY: alive, says the caller; retirement waits for `in_flight`.
    let (marking, type_id) = unsafe { (mark(&(*object).repair), (*object).type_id) };
    match marking {
        Marking::Owned => {}
        Marking::Coalesced | Marking::Dead => {
            local::note_self_report(object);
            COUNTERS.coalesced.up();
            return Outcome::Coalesced;
        }
    }
    // The state protects the object from here: it is not Healthy, and only its owner moves it.
    drop(in_flight);
    let Some(handler) = handlers::find(type_id) else {
        // SAFETY: marked by this thread just now.
        return unsafe { repair::quarantine(object) };
    };
    let here = match &handler.func {
        Func::Language { home, .. } => home.is_here(),
        _ => true,
    };
    if here && handler.is_fast() && !local::in_signal() && local::may_nest() {
        // SAFETY: marked by this thread just now.
        return unsafe { repair::inline(&handler, object, context) };
    }
    // SAFETY: marked by this thread just now.
    unsafe {
        match &handler.func {
            Func::Language { home, .. } => home.enqueue(object, &context),
            _ => queue::enqueue(object, Some(context), 0, true),
        }
    }
    Outcome::Queued
}

/// Asks for the object's header, to be written: the way to memory, when the object was not used
/// for long, then passes beside what comes before its first use.
fn fetch(object: *mut ObjectHeader) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint; it takes any address, and faults at none.
    unsafe {
        use core::arch::x86_64::{_MM_HINT_ET0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_ET0>(object.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = object;
}

/// The repair context of a report by a thread.
fn context(th: Option<&Thread>, code: u32) -> RepairContext {
    let mut context = unknown();
    context.code = code;
    if let Some(th) = th {
        context.site = th.site.get();
        context.intent = th.intent.get();
        context.expiry = th.expiry.get();
        context.taint = th.taint.get();
        context.logical = th.logical.get();
    }
    context
}

/// The repair context of a report of which nothing is known any more.
pub(crate) fn unknown() -> RepairContext {
    RepairContext {
        size: size_of::<RepairContext>() as u32,
        code: 0,
        site: 0,
        intent: 0,
        expiry: asr_abi::thread::NO_EXPIRY,
        taint: 0,
        attempt: 0,
        path: repair_path::INLINE,
        result: asr_abi::repair_result::REPAIRED,
        budget_ns: 0,
        logical: 0,
    }
}
