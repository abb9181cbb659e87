//! An end that has to be told when a region is finalized: its own, if that is another one than
//! that of its channel or of the task that waits; and, by the receiver, that of the channel, for a
//! sender who stayed there when the receiver moved.
//!
//! Who has the watch drops it before he is done with the shared memory. That and the telling happen
//! under one lock, so the memory is there while the region tells.
//!
//! A receiver who waits leaves his waker, then looks whether the region has ended; the region says
//! that it has, then takes the waker. Both under the lock, so neither misses the other (CHN-1).
#![allow(unsafe_code, reason = "points to what two ends share")]

use std::ptr::NonNull;
use std::sync::{Arc, Weak};
use std::task::Waker;

use asr_base::Error;
use asr_kernel::cx::{Home, Lodging};
use asr_kernel::region::Belongs;
use asr_kernel::sync::{Mutex, lock, rank};

use super::head::Head;

/// Whose region it is, and who has the watch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The sender's; he has it.
    Sender,
    /// The receiver's; he has it.
    Receiver,
    /// That of the channel; the receiver has it.
    Other,
}

/// See the module. Dropped, the region knows of it no more.
pub(super) struct Watch(Arc<Seen>);

struct Seen {
    side: Side,
    waits: Mutex<Waits, rank::SyncWatch>,
}

struct Waits {
    /// None once the watch was dropped.
    at: Option<NonNull<Head>>,
    waker: Option<Waker>,
    closed: bool,
    lodging: Option<Lodging>,
}

// SAFETY: the pointer is followed under the lock, while who has the watch is not done; what it
// points to is shared by threads.
unsafe impl Send for Waits {}

impl Belongs for Seen {
    fn home_closed(&self) {
        let mut waits = lock(&self.waits);
        let Some(at) = waits.at else { return };
        // SAFETY: who has the watch is not done, and cannot be before the lock is given back.
        let head = unsafe { at.as_ref() };
        let waker = match self.side {
            // SAFETY: the sender is not done, and drops the watch before he sends, or goes.
            Side::Sender => unsafe { head.shut_for_sender() },
            Side::Other if !head.shut_for_other() => return,
            Side::Receiver | Side::Other => {
                head.shut();
                waits.closed = true;
                waits.waker.take()
            }
        };
        drop(waits);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Watch {
    /// Of this region.
    ///
    /// # Errors
    /// `REGION_CLOSED` if it was finalized.
    ///
    /// # Safety
    /// The watch is dropped before the end whose it is, is done.
    pub(super) unsafe fn new(side: Side, home: &Home, at: NonNull<Head>) -> Result<Watch, Error> {
        let watch = Watch(Arc::new(Seen {
            side,
            waits: Mutex::new(Waits {
                at: Some(at),
                waker: None,
                closed: false,
                lodging: None,
            }),
        }));
        let seen: Weak<dyn Belongs> = Arc::<Seen>::downgrade(&watch.0);
        let lodging = home.admit(seen)?;
        lock(&watch.0.waits).lodging = Some(lodging);
        Ok(watch)
    }

    /// `waker` is woken by the end of the region; true if that has come.
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        let known = lock(&self.0.waits);
        let same = known.waker.as_ref().is_some_and(|own| own.will_wake(waker));
        if known.closed || same {
            return known.closed;
        }
        drop(known);
        // Cloned, and dropped, outside the lock: it may be anybody's code.
        let fresh = waker.clone();
        let mut known = lock(&self.0.waits);
        let closed = known.closed;
        let stale = known.waker.replace(fresh);
        drop(known);
        drop(stale);
        closed
    }

    /// Nobody is woken.
    pub(super) fn forget(&self) {
        let waker = lock(&self.0.waits).waker.take();
        drop(waker);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut waits = lock(&self.0.waits);
        waits.at = None;
        let gone = (waits.waker.take(), waits.lodging.take());
        drop(waits);
        drop(gone);
    }
}
