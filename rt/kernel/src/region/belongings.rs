//! What a region closes when it is finalized: ends of channels, which live on their own (CHN-27).
//!
//! A slab, so that something that ends before its region leaves in O(1), however much there is.

use std::sync::Weak;

use crate::task::cell::contained;

/// Something that belongs to a region and ends with it.
pub trait Belongs: Send + Sync {
    /// The region was finalized. Called without a lock, once at most, and not after it was
    /// dismissed; but it may be about to be called then.
    fn home_closed(&self);
}

enum Slot {
    Taken(Weak<dyn Belongs>),
    /// The next free slot; `u32::MAX` is none.
    Free(u32),
}

/// See the module.
pub(crate) struct Belongings {
    slots: Vec<Slot>,
    free: u32,
}

impl Default for Belongings {
    fn default() -> Belongings {
        Belongings {
            slots: Vec::new(),
            free: u32::MAX,
        }
    }
}

impl Belongings {
    /// Takes something in. Its place.
    pub(crate) fn admit(&mut self, what: Weak<dyn Belongs>) -> u32 {
        let place = self.free;
        match self.slots.get_mut(place as usize) {
            Some(slot) => {
                if let Slot::Free(next) = *slot {
                    self.free = next;
                }
                *slot = Slot::Taken(what);
                place
            }
            None => {
                self.slots.push(Slot::Taken(what));
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// Lets it go. The caller drops it after the lock.
    pub(crate) fn dismiss(&mut self, place: u32) -> Option<Weak<dyn Belongs>> {
        let slot = self.slots.get_mut(place as usize)?;
        if let Slot::Free(_) = slot {
            return None;
        }
        let Slot::Taken(gone) = std::mem::replace(slot, Slot::Free(self.free)) else {
            return None;
        };
        self.free = place;
        Some(gone)
    }

    /// Tells everything that is here.
    pub(crate) fn close(self) {
        for slot in self.slots {
            if let Slot::Taken(what) = slot
                && let Some(what) = what.upgrade()
            {
                contained(|| what.home_closed());
            }
        }
    }
}
