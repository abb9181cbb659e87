//! The rows of the core's table.
//!
//! `th` is the state of the calling thread. It is null when C calls on a thread that has none:
//! rows that need a state adopt the thread then, the others do without.
#![allow(unsafe_code, reason = "takes the raw arguments of compiled code and C")]

use asr_abi::{CodeRecord, ObjectHeader, Thread, status};
use asr_heal::{Func, handlers};
use asr_intrinsics::Refusal;
use asr_kernel::code;
use asr_kernel::thread::{self, adopt_ptr, fault as faults, intent, trace as traces};

use crate::{runtime, taint};

/// The state given, or that of the thread made now; none on a thread that is being torn down.
fn state<'a>(th: *const Thread) -> Option<&'a Thread> {
    let th = if th.is_null() { adopt_ptr() } else { th };
    // SAFETY: the state of the calling thread, which lives as long as the thread.
    unsafe { th.as_ref() }
}

/// An object header from C or compiled code; none when it is null or misaligned.
fn object(object: *mut u8) -> Option<*mut ObjectHeader> {
    let object = object.cast::<ObjectHeader>();
    (!object.is_null() && object.is_aligned()).then_some(object)
}

/// `Ok` for status 0.
fn refuse_unless_ok(status: u32) -> Result<(), Refusal> {
    if status == status::OK {
        Ok(())
    } else {
        Err(Refusal::status(status))
    }
}

pub(crate) unsafe fn fault(th: *const Thread, site: u64, code: u32) -> Result<(), Refusal> {
    match state(th) {
        Some(th) => Err(Refusal::threw(faults::raise(th, site, code))),
        None => Err(Refusal::threw(faults::word(site))),
    }
}

pub(crate) unsafe fn trace(th: *const Thread, site: u64) {
    if let Some(th) = state(th) {
        traces::push(th, site);
    }
}

pub(crate) unsafe fn trace_clear(th: *const Thread) {
    if let Some(th) = state(th) {
        traces::clear(th);
    }
}

/// A handler in compiled code; `None` unregisters.
fn handler(code: *const u8) -> Option<Func> {
    (!code.is_null()).then(|| runtime::compiled(code))
}

pub(crate) unsafe fn handler_register(
    _: *const Thread,
    type_id: u64,
    code: *const u8,
    bound_ns: u64,
) -> Result<(), Refusal> {
    let done = match handler(code) {
        Some(func) => handlers::register(type_id, func, bound_ns),
        None => handlers::unregister(type_id),
    };
    done.map_err(|error| Refusal::status(error.status()))
}

pub(crate) unsafe fn handler_register_new(
    _: *const Thread,
    type_id: u64,
    code: *const u8,
    bound_ns: u64,
) -> Result<(), Refusal> {
    let Some(func) = handler(code) else {
        return Err(Refusal::status(status::BAD_ARGUMENT));
    };
    let done = handlers::register_new(type_id, func, bound_ns);
    done.map_err(|error| Refusal::status(error.status()))
}

pub(crate) unsafe fn intent_push(th: *const Thread, id: u64) -> Result<(), Refusal> {
    let pushed = state(th).is_some_and(|th| intent::push(th, id));
    refuse_unless_ok(if pushed { status::OK } else { status::FULL })
}

pub(crate) unsafe fn intent_pop(th: *const Thread) {
    if let Some(th) = state(th) {
        intent::pop(th);
    }
}

pub(crate) unsafe fn taint_add(th: *const Thread, labels: u32) {
    if let Some(th) = state(th) {
        th.taint.set(th.taint.get() | labels);
    }
}

pub(crate) unsafe fn taint_sanitize(
    th: *const Thread,
    sanitizer: u64,
    labels: u32,
) -> Result<(), Refusal> {
    if !taint::may_remove(sanitizer, labels) {
        return Err(Refusal::status(status::CAP_DENIED));
    }
    if let Some(th) = state(th) {
        th.taint.set(th.taint.get() & !labels);
    }
    Ok(())
}

pub(crate) unsafe fn sanitizer_register(_: *const Thread, sanitizer: u64, labels: u32) {
    taint::register(sanitizer, labels);
}

pub(crate) unsafe fn expiry_set(th: *const Thread, at_ns: u64) {
    if let Some(th) = state(th) {
        th.expiry.set(at_ns);
    }
}

pub(crate) unsafe fn anomaly(th: *const Thread, code: u32, data: *mut u8) {
    let data = data.cast::<ObjectHeader>();
    if !data.is_aligned() {
        asr_heal::ledger::bad_argument();
        return;
    }
    // SAFETY: null or an object header, says the row; `th` is the calling thread's or null.
    unsafe { asr_heal::report(th, code, data) };
}

pub(crate) unsafe fn checked_access(_: *const Thread, data: *mut u8) -> Result<(), Refusal> {
    // SAFETY: null or an object header, says the row.
    refuse_unless_ok(unsafe { asr_heal::checked_access(data.cast()) })
}

pub(crate) unsafe fn object_retire(_: *const Thread, data: *mut u8) -> Result<(), Refusal> {
    let Some(object) = object(data) else {
        return Err(Refusal::status(status::BAD_ARGUMENT));
    };
    // SAFETY: an object header, says the row.
    unsafe { asr_heal::retire(object) }.map_err(|error| Refusal::status(error.status()))
}

pub(crate) unsafe fn code_register(_: *const Thread, record: *mut u8) -> Result<(), Refusal> {
    // SAFETY: null or a code record that stays until it is unregistered, says the row.
    let done = unsafe { code::register(record.cast::<CodeRecord>()) };
    done.map_err(|error| Refusal::status(error.status()))
}

pub(crate) unsafe fn code_unregister(_: *const Thread, record: *mut u8) -> Result<(), Refusal> {
    let record = record.cast::<CodeRecord>().cast_const();
    if record.is_null() || !record.is_aligned() {
        return Err(Refusal::status(status::BAD_ARGUMENT));
    }
    // SAFETY: a code record, says the row.
    let (base, len) = unsafe { ((*record).base as usize, (*record).len as usize) };
    if handlers::refers_to(base..base.saturating_add(len)) {
        return Err(Refusal::status(status::BUSY));
    }
    refuse_unless_ok(if code::unregister(record) {
        status::OK
    } else {
        status::BAD_ARGUMENT
    })
}

pub(crate) unsafe fn signal_enter(_: *const Thread) {
    asr_heal::signal_enter();
}

pub(crate) unsafe fn signal_leave(_: *const Thread) {
    asr_heal::signal_leave();
}

/// The calling thread's state for C, or null: a C caller may be in a signal handler, where a state
/// cannot be made.
pub(crate) fn current() -> *const Thread {
    thread::current()
}
