//! The slow path of a probe (rules ABI-8, ABI-9, ABI-39).
//!
//! Protocol
//! 1. A setter ORs its bit into the flag with release and writes no other word.
//! 2. The slow path takes all bits that it can serve in one acquire read-modify-write, so a bit
//!    set during the path stays for the next probe: none is lost, none served twice.
//! 3. Cancel under a mask is not taken; it stays set, and costs slow paths until the mask ends.
//! 4. In a compiled task the bits of the task are hints (ABI-39): its word says whether a cancel is
//!    pending, at each checkpoint again (CAN-6). To yield is possible where the site says so.
//! 5. What the path found is the answer in `action`: cancellation wins over an exception.

use std::panic::{AssertUnwindSafe, catch_unwind};

use asr_abi::thread::SUSPENDABLE;
use asr_abi::{Thread, flag, status};

use super::hooks;
use super::local::Local;
use super::ring::Snapshot;
use crate::sync::atomic::{AtomicU32, Ordering::*};
use crate::task::{Task, waker};
use crate::{cancel, compiled};

/// The word of requests, real or under loom.
pub trait FlagWord {
    /// Whether one of these bits is set: a hint.
    fn holds(&self, bits: u32) -> bool;
    /// `fetch_and` with acquire and release.
    fn take(&self, keep: u32) -> u32;
    /// `fetch_or` with release.
    fn ask(&self, bits: u32);
}

impl FlagWord for AtomicU32 {
    fn holds(&self, bits: u32) -> bool {
        self.load(Relaxed) & bits != 0
    }

    fn take(&self, keep: u32) -> u32 {
        // Acquire: what the setter did before its release is visible to whoever serves the bit.
        // Release keeps the release sequence of a bit that stays, for the next taker.
        self.fetch_and(keep, AcqRel)
    }

    fn ask(&self, bits: u32) {
        // Release: pairs with the acquire in `take`.
        self.fetch_or(bits, Release);
    }
}

#[cfg(loom)]
impl FlagWord for std::sync::atomic::AtomicU32 {
    fn holds(&self, bits: u32) -> bool {
        self.load(std::sync::atomic::Ordering::Relaxed) & bits != 0
    }

    fn take(&self, keep: u32) -> u32 {
        self.fetch_and(keep, std::sync::atomic::Ordering::AcqRel)
    }

    fn ask(&self, bits: u32) {
        self.fetch_or(bits, std::sync::atomic::Ordering::Release);
    }
}

/// Sets bits of a thread's flag. Callable from any thread that knows that the state is alive.
pub fn request(word: &impl FlagWord, bits: u32) {
    word.ask(bits);
}

/// Takes the bits that can be served now; cancel stays while it is masked.
pub fn take(word: &impl FlagWord, masked: bool) -> u32 {
    let keep = if masked { flag::CANCEL } else { 0 };
    word.take(keep) & !keep
}

/// Serves a checkpoint of the calling thread and leaves the answer in `action`.
pub fn checkpoint(th: &Thread) {
    let site = th.site.get();
    let suspendable = site & SUSPENDABLE != 0;
    th.site.set(site & !SUSPENDABLE);
    if let Some(local) = Local::of(th) {
        local.slow_probes.set(local.slow_probes.get() + 1);
        local.ring.borrow_mut().push(Snapshot::of(th));
    }
    let Some(task) = compiled::task(th) else {
        let bits = take(&th.flag, th.mask_depth.get() != 0);
        // A thread that polls compiled tasks, between them: the request was for one of those.
        let late = Local::of(th).is_some_and(|local| local.poller.is_given());
        let bits = if late { bits & !flag::OF_TASK } else { bits };
        th.action.set(if bits == 0 {
            status::OK
        } else {
            serve(th, bits)
        });
        return;
    };
    let bits = take(&th.flag, false);
    let mut action = serve(th, bits & !(flag::CANCEL | flag::YIELD));
    let watched = task.word.load().is_watched();
    if bits & flag::CANCEL != 0 || watched {
        action = match observe(th, task) {
            status::OK => action,
            other => other,
        };
        if action == status::CANCELLED || watched {
            request(&th.flag, flag::CANCEL);
        }
    }
    if action == status::OK && bits & flag::YIELD != 0 && suspendable {
        task.word.take_yield();
        waker::wake_task(task);
        action = status::PENDING;
    }
    th.action.set(action);
}

/// Asks the word of the task. Who watches it may panic there: that is an exception of the code that
/// is watched.
fn observe(th: &Thread, task: &Task) -> u32 {
    match catch_unwind(AssertUnwindSafe(|| cancel::checkpoint(task))) {
        Ok(Ok(())) => status::OK,
        Ok(Err(_)) => status::CANCELLED,
        Err(panic) => {
            th.exc.set(compiled::slot::threw(th, panic).value);
            status::THREW
        }
    }
}

/// Serves the taken bits, those of the thread first: they cannot fail.
fn serve(th: &Thread, bits: u32) -> u32 {
    let hooks = hooks::get();
    if bits & flag::REPAIR != 0 {
        (hooks.repair)(th);
    }
    if bits & flag::COLLECT != 0 {
        (hooks.collect)(th);
    }
    // SAMPLE asked for the snapshot that every slow path takes; STOP for having passed here; YIELD
    // has no effect in synchronous code until stacks can be parked.
    let mut action = status::OK;
    if bits & flag::EXPIRY != 0 {
        action = action.max((hooks.expiry)(th));
    }
    if bits & flag::SHUTDOWN != 0 {
        action = action.max((hooks.shutdown)(th));
    }
    if bits & flag::CANCEL != 0 {
        action = status::CANCELLED;
    }
    action
}
