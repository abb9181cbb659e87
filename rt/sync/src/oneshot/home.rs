//! Ends and the regions to which they belong.
//!
//! Each end that moves says so in the word, and has a watch of its new region. The receiver has one
//! of the first region too, if the sender is still there; that does nothing once the sender moved.
//! A sender who moved looks at the first region as long as the receiver is there.
#![allow(unsafe_code, reason = "points to what two ends share")]

use std::task::Waker;

use asr_base::Error;
use asr_kernel::cx::Home;
use asr_kernel::sync::atomic::Ordering::{AcqRel, Relaxed};

use super::head::{RECEIVER_MOVED, SENDER_MOVED};
use super::shared::{RawReceiver, RawSender, head};
use super::watch::{Side, Watch};

impl<T> RawSender<T> {
    /// The region that it was made in is finalized, and the receiver belongs to it still.
    pub(super) fn other_home_closed(&self) -> bool {
        let head = &self.shared().head;
        let stays = head.word.load(Relaxed) & RECEIVER_MOVED == 0;
        stays && head.home.as_ref().is_some_and(Home::is_closed)
    }

    /// No message goes through any more, as when the region of this end is finalized.
    pub fn shut(&self) {
        // SAFETY: the sender is not done, and is not sending.
        if let Some(waker) = unsafe { self.shared().head.shut_for_sender() } {
            waker.wake();
        }
    }

    /// It belongs to `home` from here on. The result is dropped before this end is done.
    ///
    /// # Errors
    /// `REGION_CLOSED` if it was finalized; nothing changed.
    pub(super) fn adopt(&self, home: &Home) -> Result<Watch, Error> {
        // SAFETY: this end is not done before the result is dropped.
        let watch = unsafe { Watch::new(Side::Sender, home, head(self.0)) }?;
        // AcqRel: of two ends that move at a time, one sees the other.
        self.shared().head.word.fetch_or(SENDER_MOVED, AcqRel);
        Ok(watch)
    }
}

impl<T> RawReceiver<T> {
    /// It belongs to `home` from here on.
    ///
    /// # Errors
    /// `REGION_CLOSED` if it was finalized; nothing changed.
    pub(super) fn adopt(&mut self, home: &Home) -> Result<(), Error> {
        let Some(at) = self.shared else { return Ok(()) };
        self.watch(home)?;
        // SAFETY: this end is not done.
        let shared = unsafe { &at.as_ref().head };
        // AcqRel: of two ends that move at a time, one sees the other.
        let before = shared.word.fetch_or(RECEIVER_MOVED, AcqRel);
        if before & (RECEIVER_MOVED | SENDER_MOVED) == 0
            && let Some(first) = &shared.home
        {
            // SAFETY: as in `watch`.
            match unsafe { Watch::new(Side::Other, first, head(at)) } {
                Ok(watch) => self.other = Some(watch),
                Err(_) => drop(shared.shut_for_other()),
            }
        }
        Ok(())
    }

    /// Its region, from which it hears from here on.
    ///
    /// # Errors
    /// `REGION_CLOSED` if it was finalized.
    pub(super) fn watch(&mut self, home: &Home) -> Result<(), Error> {
        if let Some(at) = self.shared {
            // SAFETY: this end drops it before it is done.
            self.own = Some(unsafe { Watch::new(Side::Receiver, home, head(at)) }?);
        }
        Ok(())
    }

    pub(super) fn is_watched(&self) -> bool {
        self.own.is_some()
    }

    /// `waker` is woken by the regions that are watched; true if one has closed the channel.
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        let watches = [&self.own, &self.other];
        let mut watches = watches.into_iter().flatten();
        watches.any(|watch| watch.wakes(waker))
    }

    /// They wake nobody; `all` of them are forgotten, or their wakers.
    pub(super) fn unwatch(&mut self, all: bool) {
        if all {
            self.own = None;
            self.other = None;
        } else {
            let watches = [&self.own, &self.other];
            watches.into_iter().flatten().for_each(Watch::forget);
        }
    }

    /// No message goes through any more that was not sent.
    pub fn shut(&self) {
        if let Some(at) = self.shared {
            // SAFETY: this end is not done.
            unsafe { at.as_ref() }.head.shut();
        }
    }
}
