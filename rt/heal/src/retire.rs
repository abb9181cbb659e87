//! Retiring an object: afterwards nothing of the healer refers to it (HEAL-38).
//!
//! Protocol
//! 1. Wait until the object is at rest (Healthy, Quarantined or Dead), helping when it waits for
//!    this very thread or when no supervisor runs.
//! 2. Make it Dead, along the edges: later reports are counted and touch nothing but the word.
//! 3. Wait for the reports in flight.
#![allow(unsafe_code, reason = "works on raw objects")]

use std::sync::atomic::{AtomicU32, Ordering::*};

use asr_abi::repair_word::{DEAD, HEALTHY, MARKED, QUARANTINED, REPAIRING, STATE};
use asr_abi::{ObjectHeader, status};
use asr_kernel::thread;

use crate::word::{self, Word};
use crate::{home, inflight, local, queue, supervisor};

/// Why an object cannot be retired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetireError {
    /// Null, misaligned, or not an object header.
    BadArgument,
    /// The caller is a handler, and the object is not at rest: the wait might be for itself.
    Busy,
}

impl RetireError {
    /// The status of VAL-33.
    pub const fn status(self) -> u32 {
        match self {
            RetireError::BadArgument => status::BAD_ARGUMENT,
            RetireError::Busy => status::BUSY,
        }
    }
}

static FINISHED: AtomicU32 = AtomicU32::new(0);
static WAITING: AtomicU32 = AtomicU32::new(0);

/// An object came to rest: look again, whoever waits.
pub(crate) fn something_finished() {
    // Either the waiter is seen here, or it sees the new state before it sleeps: the locked swap
    // that changed the state orders the two on x86-64. Elsewhere the load may come first; the
    // waiter looks again after some milliseconds then.
    if WAITING.load(SeqCst) != 0 {
        FINISHED.fetch_add(1, SeqCst);
        queue::futex(&FINISHED, libc::FUTEX_WAKE, i32::MAX as u32, None);
    }
}

/// Returns when no repair refers to the object. Its memory may be freed then.
///
/// # Safety
/// `object` is null or points to a header that is alive; reports that begin after this returns are
/// the caller's mistake.
///
/// # Errors
/// See [`RetireError`]; nothing was changed.
pub unsafe fn retire(object: *mut ObjectHeader) -> Result<(), RetireError> {
    if object.is_null() || !object.is_aligned() {
        return Err(RetireError::BadArgument);
    }
    // SAFETY: alive, says the caller.
    let repair = unsafe { &(*object).repair };
    WAITING.fetch_add(1, SeqCst);
    loop {
        let epoch = FINISHED.load(SeqCst);
        let now = repair.read();
        match word::state(now) {
            HEALTHY => {
                if repair.swap_if(now, now & !STATE | MARKED).is_ok() {
                    word::step(repair, REPAIRING, 0);
                    word::step(repair, DEAD, 0);
                    break;
                }
            }
            QUARANTINED => {
                if repair.swap_if(now, now & !STATE | DEAD).is_ok() {
                    break;
                }
            }
            DEAD => break,
            state if state > DEAD => {
                // Not a header, or overwritten: nothing to wait for.
                WAITING.fetch_sub(1, SeqCst);
                return Err(RetireError::BadArgument);
            }
            MARKED => std::thread::yield_now(),
            _ if local::in_handler() => {
                WAITING.fetch_sub(1, SeqCst);
                return Err(RetireError::Busy);
            }
            _ => wait(epoch),
        }
    }
    WAITING.fetch_sub(1, SeqCst);
    inflight::wait(object);
    Ok(())
}

/// Waits for something to come to rest, and helps.
fn wait(epoch: u32) {
    // SAFETY: the state of this thread.
    if let Some(th) = unsafe { thread::current().as_ref() } {
        home::at_probe(th);
    }
    if !supervisor::is_running() {
        supervisor::help();
    }
    queue::futex(&FINISHED, libc::FUTEX_WAIT, epoch, Some(2_000_000));
}
