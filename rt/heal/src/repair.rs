//! Running a handler on an object, and what follows from its answer (HEAL-11 to HEAL-13).
#![allow(unsafe_code, reason = "calls handlers and works on raw objects")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use asr_abi::repair_result::{FAILED, NEEDS_SLOW, REPAIRED, RETRY};
use asr_abi::repair_word::{DEAD, DELAYED, HEALTHY, QUARANTINED, REPAIRING};
use asr_abi::{ObjectHeader, RepairContext, repair_path, status};
use asr_kernel::thread::{adopt_ptr, ticks, trace};

use crate::handlers::{Func, Handler};
use crate::ledger::COUNTERS;
use crate::report::Outcome;
use crate::{local, null, queue, word};

/// Attempts before an object is given up (HEAL-29).
pub(crate) const ATTEMPTS_MAX: u32 = 5;

/// Looks that a reporter takes inline while reports keep coming, before it leaves the object to
/// the supervisor: a reporter has work of its own.
const INLINE_LOOKS: u32 = 3;

/// Runs the handler once; answers one of the four results.
///
/// # Safety
/// The caller owns the object, which is Repairing.
pub(crate) unsafe fn run(
    handler: &Handler,
    object: *mut ObjectHeader,
    ctx: &mut RepairContext,
) -> u32 {
    ctx.result = REPAIRED;
    ctx.budget_ns = handler.bound_ns;
    if let Some(ticket) = null::of(object) {
        ticket.begin();
    }
    let started = ticks::now();
    let (contained, reported_itself) = local::nested(object, || match &handler.func {
        Func::C(function) => {
            // SAFETY: the registration promised a function of this type; the object is alive and
            // owned.
            contain(|| unsafe { function(object, ctx) })
        }
        // SAFETY: as above; the thread state is that of this thread.
        Func::Compiled(function) => unsafe {
            let th = adopt_ptr();
            let ret = function(th, object, ctx);
            if ret.status != u64::from(status::OK)
                && let Some(th) = th.as_ref()
            {
                // The failure ends here: its trace must not be taken for that of the reporter.
                trace::clear(th);
            }
            ret.status == u64::from(status::OK)
        },
        Func::Rust(function) => contain(|| function(object, ctx)),
        Func::Language { run, data, .. } => contain(|| run(*data, object, ctx)),
    });
    handler.took(ticks::now().saturating_sub(started));
    if !local::in_handler() {
        crate::home::after_handler();
    }
    // A handler that reports the object it repairs has not repaired it.
    if !contained || reported_itself || ctx.result > FAILED {
        ctx.result = FAILED;
    }
    ctx.result
}

/// Runs it; `false` when it panicked. Dropping what the panic carries is user code too.
fn contain(run: impl FnOnce()) -> bool {
    let Err(payload) = catch_unwind(AssertUnwindSafe(run)) else {
        return true;
    };
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Leaked rather than dropped: it could go on like this.
        std::mem::forget(second);
    }
    false
}

/// The fast path: the reporter repairs the object that it marked.
///
/// # Safety
/// The caller marked the object and gives it away.
pub(crate) unsafe fn inline(
    handler: &Handler,
    object: *mut ObjectHeader,
    mut ctx: RepairContext,
) -> Outcome {
    // SAFETY: owned, so it is alive.
    let state = unsafe { &(*object).repair };
    word::begin(state);
    for _ in 0..INLINE_LOOKS {
        // SAFETY: owned, and Repairing since `begin`.
        let result = unsafe { run(handler, object, &mut ctx) };
        if result != REPAIRED {
            let attempts = ctx.attempt + u32::from(result != NEEDS_SLOW);
            // SAFETY: still owned; given away.
            unsafe { queue::enqueue(object, Some(ctx), attempts, true) };
            return Outcome::Queued;
        }
        if word::finish(state) {
            // From here the object may be freed.
            COUNTERS.inline_repaired.up();
            crate::retire::something_finished();
            return Outcome::Repaired;
        }
        word::look_again(state);
    }
    // SAFETY: still owned; given away.
    unsafe { queue::enqueue(object, Some(ctx), ctx.attempt, true) };
    Outcome::Queued
}

/// What became of a queued job.
pub(crate) enum Done {
    /// It is over.
    Ended,
    /// The object is Delayed; the caller keeps it and brings it back after this time.
    Delayed(u64),
    /// Reports keep coming: the object is Queued again and back in the queue.
    Requeued,
}

/// One attempt at a queued object, by a supervisor or by its home thread.
///
/// # Safety
/// The caller took the object from a queue: it owns it, and it is Queued.
pub(crate) unsafe fn attempt(
    handler: Option<&Handler>,
    object: *mut ObjectHeader,
    mut ctx: RepairContext,
) -> Done {
    // SAFETY: owned, so it is alive.
    let state = unsafe { &(*object).repair };
    COUNTERS.in_repair.up();
    COUNTERS.queued.down();
    word::begin(state);
    let Some(handler) = handler else {
        COUNTERS.quarantined.up();
        // SAFETY: owned and Repairing.
        unsafe { end(object, QUARANTINED, ctx.attempt) };
        return Done::Ended;
    };
    for _ in 0..INLINE_LOOKS {
        ctx.path = repair_path::SUPERVISOR;
        // SAFETY: owned and Repairing.
        let result = unsafe { run(handler, object, &mut ctx) };
        match result {
            REPAIRED if word::finish(state) => {
                COUNTERS.repaired.up();
                COUNTERS.in_repair.down();
                crate::retire::something_finished();
                return Done::Ended;
            }
            REPAIRED => word::look_again(state),
            _ => {
                debug_assert!(
                    matches!(result, NEEDS_SLOW | RETRY | FAILED),
                    "normalized by run"
                );
                let attempts = ctx.attempt + 1;
                if attempts >= ATTEMPTS_MAX {
                    COUNTERS.dead.up();
                    // SAFETY: owned and Repairing.
                    unsafe { end(object, DEAD, attempts) };
                    return Done::Ended;
                }
                COUNTERS.retries.up();
                COUNTERS.delayed.up();
                COUNTERS.in_repair.down();
                word::step(state, DELAYED, attempts);
                return Done::Delayed(backoff_ns(attempts));
            }
        }
    }
    COUNTERS.in_repair.down();
    // SAFETY: owned and Repairing; given back.
    unsafe { queue::enqueue(object, Some(ctx), ctx.attempt, false) };
    Done::Requeued
}

/// An owned object in repair comes to an end state.
unsafe fn end(object: *mut ObjectHeader, to: u64, attempts: u32) {
    // SAFETY: owned by the caller.
    word::step(unsafe { &(*object).repair }, to, attempts);
    if let Some(ticket) = null::of(object) {
        ticket.renew();
    }
    COUNTERS.in_repair.down();
    crate::retire::something_finished();
}

/// Delay before attempt `n`: 10 ms doubled, at most 10 s (HEAL-29; its jitter needs entropy from a
/// context and comes with the timing wheel).
pub(crate) fn backoff_ns(n: u32) -> u64 {
    (10_000_000u64 << n.min(10)).min(10_000_000_000)
}

/// Whether compiled code may use an object (HEAL-20): `OK`, `POISONED` while it is being repaired
/// or dead, `QUARANTINED`, or `BAD_ARGUMENT`.
///
/// # Safety
/// `object` is null or points to a header that is alive.
pub unsafe fn checked_access(object: *const ObjectHeader) -> u32 {
    if object.is_null() || !object.is_aligned() {
        return status::BAD_ARGUMENT;
    }
    if local::is_repairing(object) {
        // Its own handler must use it to repair it.
        return status::OK;
    }
    // Acquire: what the repairer did is visible when the object is Healthy again.
    // SAFETY: alive, says the caller.
    let now = unsafe { (*object).repair.load(std::sync::atomic::Ordering::Acquire) };
    match word::state(now) {
        HEALTHY => status::OK,
        QUARANTINED => status::QUARANTINED,
        _ => status::POISONED,
    }
}

/// Puts a marked object without a handler into quarantine (HEAL-14).
///
/// # Safety
/// The caller marked the object.
pub(crate) unsafe fn quarantine(object: *mut ObjectHeader) -> Outcome {
    // SAFETY: owned, so it is alive.
    let state = unsafe { &(*object).repair };
    word::step(state, REPAIRING, 0);
    COUNTERS.quarantined_direct.up();
    word::step(state, QUARANTINED, 0);
    crate::retire::something_finished();
    Outcome::NoHandler
}
