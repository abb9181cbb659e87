//! The region to which something belongs that lives on its own: an end of a channel.

use std::fmt;
use std::sync::Weak;

use asr_base::{Error, RegionId, Status};

use crate::event;
use crate::region::{Belongs, RegionRef, State};
use crate::sync::atomic::AtomicU64;

/// See the module. It keeps the record of the region, not the region open.
#[derive(Clone)]
pub struct Home(RegionRef);

/// A place among what belongs to a region; given up when it is dropped.
#[derive(Debug)]
pub struct Lodging {
    home: Home,
    place: u32,
}

impl Home {
    pub(crate) fn new(region: RegionRef) -> Home {
        Home(region)
    }

    /// The region.
    pub fn region_id(&self) -> RegionId {
        self.0.id()
    }

    /// The region was finalized: what belongs to it is closed.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.0.state() == State::Closed
    }

    /// `what` belongs to the region from here on, and is told when that is finalized.
    ///
    /// # Errors
    /// `REGION_CLOSED` if it was.
    pub fn admit(&self, what: Weak<dyn Belongs>) -> Result<Lodging, Error> {
        let mut inner = self.0.lock();
        if inner.settled {
            drop(inner);
            let what = "a closed region has no more belongings";
            return Err(Error::new(Status::REGION_CLOSED, what));
        }
        let place = inner.belongings.get_or_insert_default().admit(what);
        drop(inner);
        Ok(Lodging {
            home: self.clone(),
            place,
        })
    }

    /// A receiver closed with so many messages queued, which were dropped (OBL-8). `slot` keeps the
    /// number of the channel.
    pub fn undelivered(&self, slot: &AtomicU64, count: u64) {
        let kernel = self.0.kernel();
        kernel.stats().undelivered.add(count);
        event::undelivered(&self.0, || kernel.number(slot), count);
    }
}

impl Lodging {
    /// The region.
    pub fn home(&self) -> &Home {
        &self.home
    }
}

impl Drop for Lodging {
    fn drop(&mut self) {
        let gone = {
            let mut inner = self.home.0.lock();
            let belongings = inner.belongings.as_mut();
            belongings.and_then(|belongings| belongings.dismiss(self.place))
        };
        drop(gone);
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Home").field(&self.region_id()).finish()
    }
}
