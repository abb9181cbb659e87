//! The records of a kernel: from its slabs and back, and the references that they count to it.
#![allow(
    unsafe_code,
    reason = "counts references to the kernel for its records"
)]

use std::ptr::NonNull;
use std::sync::Arc;

use super::Kernel;
use crate::region::Region;
use crate::task::side::Side;
use crate::task::{self, Task};

impl Kernel {
    /// The task behind a link of a list of children: index + 1, 0 is none.
    pub(crate) fn task_at(&self, link: u32) -> Option<&Task> {
        self.tasks.get(link.checked_sub(1)?)
    }

    pub(crate) fn region_at(&self, link: u32) -> Option<&Region> {
        self.regions.get(link.checked_sub(1)?)
    }

    /// A new task, with the references of `Word::FRESH_REFS`.
    #[inline]
    pub(crate) fn alloc_task(&self, fresh: task::Fresh) -> NonNull<Task> {
        let slot = self.tasks.alloc();
        // SAFETY: the slot is initialized and ours.
        unsafe { slot.as_ref() }.renew(fresh);
        slot
    }

    /// # Safety
    /// The last reference to the record is gone; the caller has another to its region.
    #[inline]
    pub(crate) unsafe fn free_task(&self, slot: NonNull<Task>) {
        // SAFETY: by the contract.
        unsafe { self.tasks.free(slot) }
    }

    /// An empty side record.
    pub(crate) fn alloc_side(&self) -> NonNull<Side> {
        let slot = self.sides.alloc();
        // SAFETY: the slot is initialized and ours.
        unsafe { slot.as_ref() }.taken();
        slot
    }

    /// # Safety
    /// The caller has the record alone, and gives it up.
    pub(crate) unsafe fn free_side(&self, slot: NonNull<Side>) {
        // SAFETY: by the contract.
        unsafe { slot.as_ref().empty() };
        // SAFETY: as above.
        unsafe { self.sides.free(slot) }
    }

    /// The slot of a new region; `Region::renew` gives it its references.
    pub(crate) fn alloc_region(&self) -> NonNull<Region> {
        self.regions.alloc()
    }

    /// # Safety
    /// The last reference to the record is gone; the caller has another to its parent.
    #[inline]
    pub(crate) unsafe fn free_region(&self, slot: NonNull<Region>) {
        // SAFETY: by the contract.
        unsafe { self.regions.free(slot) }
    }

    /// # Safety
    /// The caller gives up a reference that `retain` counted.
    pub(crate) unsafe fn release(kernel: NonNull<Kernel>) {
        // SAFETY: by the contract.
        unsafe { Arc::decrement_strong_count(kernel.as_ptr()) };
    }

    /// One more reference to the kernel.
    pub(crate) fn retain(&self) {
        // SAFETY: every kernel is in an `Arc` (`new` is the only constructor), and somebody holds
        // it, because somebody calls this.
        unsafe { Arc::increment_strong_count(self) };
    }

    /// Records of tasks and regions that are owned, for measurements.
    pub fn owned_records(&self) -> (usize, usize) {
        (self.tasks.owned(), self.regions.owned())
    }
}
