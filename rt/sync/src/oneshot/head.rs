//! The part of what the ends share that knows nothing of the message.
//!
//! The waker is the receiver's while `WAITED` and `TAKEN` are clear. It is set with `WAITED`, which
//! the receiver clears to change it, and the sender to take it, who then sets `TAKEN` until he has
//! it. `CLOSED` is set for good, by a region to which an end belonged, or for it: no value is sent
//! after it, and the receiver, who finds no value with it, waits no more, so it leaves the waker
//! where it is.
#![allow(unsafe_code, reason = "shares a waker by hand")]

use std::task::Waker;

use asr_kernel::cx::Home;
use asr_kernel::sync::atomic::Ordering::{AcqRel, Relaxed, Release};
use asr_kernel::sync::atomic::{AtomicU8, AtomicU64};

use crate::cell::UnsafeCell;

/// There is a value.
pub(super) const VALUE: u8 = 1;
/// The sender has sent, or will not.
pub(super) const SENDER_DONE: u8 = 2;
/// The receiver takes nothing any more.
pub(super) const RECEIVER_DONE: u8 = 4;
/// The receiver waits.
pub(super) const WAITED: u8 = 8;
/// The waker is about to be taken.
pub(super) const TAKEN: u8 = 16;
/// The region of an end was finalized.
pub(super) const CLOSED: u8 = 32;
/// The receiver belongs to another region than at first.
pub(super) const RECEIVER_MOVED: u8 = 64;
/// The sender does.
pub(super) const SENDER_MOVED: u8 = 128;
/// Any end does.
pub(super) const MOVED: u8 = RECEIVER_MOVED | SENDER_MOVED;

/// See the module.
pub(super) struct Head {
    pub(super) word: AtomicU8,
    pub(super) waker: UnsafeCell<Option<Waker>>,
    pub(super) number: AtomicU64,
    /// The region that the channel was made in.
    pub(super) home: Option<Home>,
}

impl Head {
    pub(super) fn new(home: Option<Home>) -> Head {
        Head {
            word: AtomicU8::new(0),
            waker: UnsafeCell::new(None),
            number: AtomicU64::new(0),
            home,
        }
    }

    /// Closes.
    pub(super) fn shut(&self) {
        // Relaxed: nothing is published with it, and what others published goes on with the word.
        self.word.fetch_or(CLOSED, Relaxed);
    }

    /// The region that the channel was made in closes, for a sender who belongs to it. False if he
    /// does not.
    pub(super) fn shut_for_other(&self) -> bool {
        let close = |now: u8| (now & SENDER_MOVED == 0).then_some(now | CLOSED);
        // Relaxed: as above.
        let closed = self.word.fetch_update(Relaxed, Relaxed, close);
        closed.is_ok()
    }

    /// The region of the sender closes. The waker of a receiver who waits, to be woken.
    ///
    /// # Safety
    /// The sender is not done, and does not send or go before this has returned.
    pub(super) unsafe fn shut_for_sender(&self) -> Option<Waker> {
        // Relaxed: as above. `WAITED` is not set after it.
        let mut now = self.word.fetch_or(CLOSED, Relaxed) | CLOSED;
        while now & WAITED != 0 {
            let next = now & !WAITED | TAKEN;
            // AcqRel: has the waker.
            match self.word.compare_exchange(now, next, AcqRel, Relaxed) {
                Err(seen) => now = seen,
                Ok(_) => {
                    // SAFETY: `WAITED` was set after the waker and turned into `TAKEN` here; the
                    // sender, who may do so too, does not.
                    let waker = self.waker.with_mut(|own| unsafe { (*own).take() });
                    // Release: it was taken before.
                    self.word.fetch_and(!TAKEN, Release);
                    return waker;
                }
            }
        }
        None
    }
}
