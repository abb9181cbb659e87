//! The region to which something belongs that lives on its own: an end of a channel.

use std::fmt;

use asr_base::RegionId;

use crate::event;
use crate::region::RegionRef;
use crate::sync::atomic::AtomicU64;

/// See the module. It keeps the record of the region, not the region open.
#[derive(Clone)]
pub struct Home(RegionRef);

impl Home {
    pub(crate) fn new(region: RegionRef) -> Home {
        Home(region)
    }

    /// The region.
    pub fn region_id(&self) -> RegionId {
        self.0.id()
    }

    /// A receiver closed with so many messages queued, which were dropped (OBL-8). `slot` keeps the
    /// number of the channel.
    pub fn undelivered(&self, slot: &AtomicU64, count: u64) {
        let kernel = self.0.kernel();
        kernel.stats().undelivered.add(count);
        event::undelivered(&self.0, || kernel.number(slot), count);
    }
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Home").field(&self.region_id()).finish()
    }
}
