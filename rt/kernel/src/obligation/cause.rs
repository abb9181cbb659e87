//! Why a token was aborted, and which of the causes are leaks (OBL-2, OBL-10).
//!
//! A token that a region holds may be dropped by any of its tasks, so the task that is polled on
//! this thread says what the cause is: it is noted here once it has observed its cancel, and
//! forgotten at the end of that poll. A poll inside a poll (a fiber in its scope) begins anew.

use std::cell::Cell;

use super::place::Holder;
use crate::task::{Phase, Task};

/// Why a token was aborted. Its number is `c` of `obligation.abort` and `obligation.leak`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum AbortCause {
    /// The holder used the abort verb.
    Verb = 0,
    /// Its time was over.
    Expired = 1,
    /// The other side was gone when it was committed (OBL-7).
    Closed = 2,
    /// It went with the frames of a task that was cancelled or panicked.
    Unwound = 3,
    /// Its destructor ran on a normal path: a leak.
    Dropped = 4,
    /// No destructor ran before its holder ended: a leak.
    Forgotten = 5,
    /// The region that held it closed.
    RegionClosed = 6,
    /// It had been aborted by the registry before, when its holder ended.
    Late = 7,
}

impl AbortCause {
    /// Every cause, in the order of their numbers.
    pub const ALL: [AbortCause; 8] = [
        AbortCause::Verb,
        AbortCause::Expired,
        AbortCause::Closed,
        AbortCause::Unwound,
        AbortCause::Dropped,
        AbortCause::Forgotten,
        AbortCause::RegionClosed,
        AbortCause::Late,
    ];

    /// Whether it is the fault of whoever held the token.
    pub fn is_leak(self) -> bool {
        matches!(self, AbortCause::Dropped | AbortCause::Forgotten)
    }
}

thread_local! {
    /// How many failed pieces of code are being dropped on this thread.
    static UNWINDING: Cell<u32> = const { Cell::new(0) };
}

thread_local! {
    /// The task that is polled on this thread has observed its cancel.
    static CANCELLED: Cell<bool> = const { Cell::new(false) };
}

/// Says whether the task that is polled on this thread has observed its cancel; false at the end of
/// each poll.
pub(crate) fn cancelled(observed: bool) {
    CANCELLED.set(observed);
}

/// Polls inside this poll; what was noted of the outer one is put back.
pub(crate) struct Nested(bool);

impl Nested {
    pub(crate) fn begin() -> Nested {
        Nested(CANCELLED.replace(false))
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        CANCELLED.set(self.0);
    }
}

/// Says, while it lives, that what is dropped on this thread is unwound.
pub(super) struct Unwinding;

impl Unwinding {
    pub(super) fn begin() -> Unwinding {
        UNWINDING.set(UNWINDING.get() + 1);
        Unwinding
    }
}

impl Drop for Unwinding {
    fn drop(&mut self) {
        UNWINDING.set(UNWINDING.get() - 1);
    }
}

thread_local! {
    /// What is dropped on this thread is what is left of a poll that panicked.
    static PANICKED: Cell<u32> = const { Cell::new(0) };
}

/// Drops what is left of a future that panicked, after the panic was caught: tokens in it are
/// unwound, and [`holder_panicked`] says so to locks.
#[doc(hidden)]
pub fn after_panic(drop: impl FnOnce()) {
    struct Ends;
    impl Drop for Ends {
        fn drop(&mut self) {
            PANICKED.set(PANICKED.get() - 1);
        }
    }
    PANICKED.set(PANICKED.get() + 1);
    let _ends = Ends;
    let _unwinding = Unwinding::begin();
    drop();
}

/// Whether what is dropped now is dropped because its holder panicked: while the panic unwinds, or
/// after it was caught, when the parts that it did not pass through are dropped.
pub fn holder_panicked() -> bool {
    std::thread::panicking() || PANICKED.get() > 0
}

/// The cause of a drop without a verb, by what its holder is doing (OBL-10).
pub(super) fn of_drop(holder: &Holder) -> AbortCause {
    match holder {
        Holder::Task(task) => of_drop_by(task),
        Holder::Region(_) => of_drop_if(false),
    }
}

/// The same for a task.
#[inline]
pub(super) fn of_drop_by(task: &Task) -> AbortCause {
    let word = task.word.load();
    of_drop_if(word.unwinding() || word.phase() == Phase::Cancelling)
}

#[inline]
fn of_drop_if(fails: bool) -> AbortCause {
    if fails || CANCELLED.get() || std::thread::panicking() || UNWINDING.get() > 0 {
        AbortCause::Unwound
    } else {
        AbortCause::Dropped
    }
}
