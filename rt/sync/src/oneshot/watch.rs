//! A receiver that waits in a task of another region than its own, which tells it when it is
//! finalized.
//!
//! Who waits leaves his waker, then looks whether the region has ended; the region says that it
//! has, then takes the waker. Both under the lock, so neither misses the other (CHN-1).

use std::sync::{Arc, Weak};
use std::task::Waker;

use asr_base::Error;
use asr_kernel::cx::{Home, Lodging};
use asr_kernel::region::Belongs;
use asr_kernel::sync::{Mutex, lock, rank};

/// See the module. Dropped, the region knows of it no more.
pub(super) struct Watch {
    seen: Arc<Seen>,
    _lodging: Lodging,
}

#[derive(Default)]
struct Seen(Mutex<Waits, rank::SyncWatch>);

#[derive(Default)]
struct Waits {
    waker: Option<Waker>,
    closed: bool,
}

impl Belongs for Seen {
    fn home_closed(&self) {
        let mut waits = lock(&self.0);
        waits.closed = true;
        let waker = waits.waker.take();
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
    pub(super) fn new(home: &Home) -> Result<Watch, Error> {
        let seen = Arc::<Seen>::default();
        let belongs: Weak<dyn Belongs> = Arc::<Seen>::downgrade(&seen);
        Ok(Watch {
            seen,
            _lodging: home.admit(belongs)?,
        })
    }

    /// `waker` is woken by the end of the region; true if that has come.
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        let known = lock(&self.seen.0);
        let same = known.waker.as_ref().is_some_and(|own| own.will_wake(waker));
        if known.closed || same {
            return known.closed;
        }
        drop(known);
        // Cloned, and dropped, outside the lock: it may be anybody's code.
        let fresh = waker.clone();
        let mut known = lock(&self.seen.0);
        let closed = known.closed;
        let stale = known.waker.replace(fresh);
        drop(known);
        drop(stale);
        closed
    }
}
