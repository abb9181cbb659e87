//! The task under whose context a row acts (rule ABI-20).
#![allow(unsafe_code, reason = "takes the raw arguments of compiled code and C")]

use asr_abi::{OpSlot, Ret, Thread, status};
use asr_base::{Error, Interrupted, Status};
use asr_intrinsics::Refusal;
use asr_kernel::Cx;
use asr_kernel::compiled::{self, slot};
use asr_kernel::cx::Checked;
use asr_kernel::thread::adopt_ptr;

/// A refusal with the status of an error.
pub(crate) fn refusal(error: &Error) -> Refusal {
    Refusal::status(error.kind().code())
}

/// The same of a status.
pub(crate) fn with(status: Status) -> Refusal {
    Refusal::status(status.code())
}

const OUTSIDE: Refusal = Refusal::status(status::BAD_ARGUMENT);

/// The state of the calling thread and the context of the task that is polled on it.
pub(crate) fn task<'c>(th: *const Thread) -> Result<(&'c Thread, &'c Cx<Checked>), Refusal> {
    let th = if th.is_null() { adopt_ptr() } else { th };
    // SAFETY: the state of the calling thread, which lives as long as the thread.
    let th = unsafe { th.as_ref() }.ok_or(OUTSIDE)?;
    // SAFETY: used in this row only.
    match unsafe { compiled::current(th) } {
        Some((cx, _)) => Ok((th, cx)),
        None => Err(OUTSIDE),
    }
}

/// The context alone.
pub(crate) fn cx<'c>(th: *const Thread) -> Result<&'c Cx<Checked>, Refusal> {
    task(th).map(|(_, cx)| cx)
}

/// The answer to a row that failed.
pub(crate) fn failed(refusal: Refusal) -> Ret {
    Ret {
        value: refusal.value,
        status: u64::from(refusal.status),
    }
}

/// The answer to a row that did what it was asked.
pub(crate) fn done(value: u64) -> Ret {
    Ret {
        value,
        status: u64::from(status::OK),
    }
}

/// The answer to a wait that a cancel ended.
pub(crate) fn cancelled(Interrupted: Interrupted) -> Ret {
    slot::refused(status::CANCELLED)
}

/// Starts a waiting row of slot class `CLASS`.
///
/// # Safety
/// As for [`slot::start`]; `th` is null or the state of the calling thread.
pub(crate) unsafe fn wait<const CLASS: usize, F>(
    th: *const Thread,
    slot: *mut OpSlot,
    make: impl FnOnce(&'static Cx<Checked>) -> F,
) -> Ret
where
    F: Future<Output = Ret>,
{
    match task(th) {
        // SAFETY: forwarded.
        Ok((th, _)) => unsafe { slot::start::<CLASS, F>(th, slot, make) },
        Err(refusal) => failed(refusal),
    }
}

/// A row that may wait, called from C. Outside of a task there is no context to act under, and
/// inside of one the thread has others to run: neither waits. `BAD_ARGUMENT`, or `CYCLE`.
pub(crate) fn block(_: impl FnOnce(*const Thread, *mut OpSlot) -> Ret) -> Ret {
    match task(asr_kernel::thread::current()) {
        Ok(_) => slot::refused(status::CYCLE),
        Err(refusal) => failed(refusal),
    }
}
