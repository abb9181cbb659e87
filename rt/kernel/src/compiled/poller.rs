//! The flag word of a thread follows the task that it polls (ABI-39).
//!
//! Protocol
//! 1. A thread that polls compiled code has a number; the table leads from it to its flag word.
//! 2. The poller takes the bits of the task before out of its flag; writes its number into the task
//!    word by a modification that gives what is pending by then; and puts that into its flag.
//! 3. A setter modifies the task word, then reads it; if a number is there it sets the bit in that
//!    thread's flag.
//! 4. Of the two modifications of one word one is later. If it is the poller's, that finds what was
//!    set; if it is the setter's, its read finds the number. So no request is missed.
//! 5. The setter may be late, and set a bit while another task is polled there: the slow path asks
//!    the task word, so this costs one slow path.
//!
//! With more threads than numbers the last ones have none: a request that comes during a poll on
//! them is seen at its next operation or poll.

use std::cell::Cell;

use asr_abi::{Thread, flag};
use asr_lock::{Mutex, rank};

use super::inside;
use crate::cancel;
use crate::task::Task;
use crate::task::word::{Snapshot, Word};
use crate::thread::Local;
use crate::thread::checkpoint::FlagWord;

/// Threads that can have a number.
const MAX: usize = 1024;

type Flag = &'static std::sync::atomic::AtomicU32;

/// The flag words, by number less one. The lock is held while one is written through, so that the
/// thread does not end meanwhile.
static TABLE: [Mutex<Option<Flag>, rank::Poller>; MAX] = [const { Mutex::new(None) }; MAX];

/// Numbers that were given back, and the highest that was ever given.
static FREE: Mutex<(Vec<u16>, u16), rank::Pollers> = Mutex::new((Vec::new(), 0));

/// The number of a thread, which it gives back as it ends.
#[derive(Debug, Default)]
pub(crate) struct Number(Cell<u16>);

impl Number {
    /// The number of the thread, given now if it has none.
    fn of(th: &Thread) -> u16 {
        let Some(local) = Local::of(th) else { return 0 };
        match local.poller.0.get() {
            0 => local.poller.enter(th),
            number => number,
        }
    }

    #[cold]
    fn enter(&self, th: &Thread) -> u16 {
        let mut free = FREE.lock();
        let number = match free.0.pop() {
            Some(number) => number,
            None if usize::from(free.1) < MAX => {
                free.1 += 1;
                free.1
            }
            None => return 0,
        };
        drop(free);
        #[allow(
            unsafe_code,
            reason = "the word is taken out before the thread's state goes"
        )]
        // SAFETY: the state lives until the thread ends, and `leave` comes before that.
        let word: Flag = unsafe { &*std::ptr::from_ref(&th.flag) };
        *TABLE[usize::from(number) - 1].lock() = Some(word);
        self.0.set(number);
        number
    }

    /// The thread ends.
    pub(crate) fn leave(&self) {
        let number = self.0.replace(0);
        if number != 0 {
            *TABLE[usize::from(number) - 1].lock() = None;
            FREE.lock().0.push(number);
        }
    }

    /// Whether the thread ever polled compiled code.
    pub(crate) fn is_given(&self) -> bool {
        self.0.get() != 0
    }
}

/// Steps 2 to 4 for the poller; returns what is pending.
pub fn polled(word: &Word, flag: &impl FlagWord, number: u16, masked: bool) -> Snapshot {
    clear(flag);
    let pending = word.polled_by(number);
    let mut bits = 0;
    // Watched: whoever watches is asked at each probe, so each takes the slow path.
    if (pending.cancel_pending() && !masked) || pending.is_watched() {
        bits |= flag::CANCEL;
    }
    if pending.is_asked_to_yield() {
        bits |= flag::YIELD;
    }
    if bits != 0 {
        flag.ask(bits);
    }
    pending
}

/// Step 3: after the modification of the word.
pub fn asked(word: &Word, set: impl FnOnce(u16)) {
    match word.load().poller() {
        0 => {}
        number => set(number),
    }
}

/// Compiled code of `task` is about to run here.
pub(super) fn begin(th: &Thread, task: &Task) {
    polled(
        &task.word,
        &th.flag,
        Number::of(th),
        cancel::is_masked(task),
    );
}

/// None runs any more.
pub(super) fn end(th: &Thread) {
    clear(&th.flag);
}

/// A bit that is set after the look is as good as one that is set after the modification.
fn clear(flag: &impl FlagWord) {
    if flag.holds(flag::OF_TASK) {
        flag.take(!flag::OF_TASK);
    }
}

/// The bits of the current task are computed anew: a mask was entered or left.
pub fn recompute(th: &Thread) {
    if let Some(task) = inside::task(th) {
        begin(th, task);
    }
}

/// A cancel of the task was requested.
#[inline]
pub(crate) fn cancel_asked(task: &Task) {
    asked(&task.word, |number| {
        let entry = TABLE.get(usize::from(number) - 1);
        if let Some(word) = entry.and_then(|entry| *entry.lock()) {
            word.ask(flag::CANCEL);
        }
    });
}
