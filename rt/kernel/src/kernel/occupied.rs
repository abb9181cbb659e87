//! A thread at its place in a kernel.

use super::Kernel;
use crate::slab::Seat;

/// The thread runs tasks of the kernel as long as this lives; see [`Kernel::occupy`].
#[must_use = "the place is free again as soon as it is dropped"]
pub struct Occupied<'k> {
    kernel: &'k Kernel,
    seat: Seat,
    tasks: bool,
    regions: bool,
    sides: bool,
}

impl<'k> Occupied<'k> {
    pub(super) fn new(kernel: &'k Kernel, place: usize) -> Occupied<'k> {
        let seat = Seat::take(place);
        // Where another thread has the pocket, this one goes without.
        let tasks = kernel.tasks.enter(&seat);
        let regions = kernel.regions.enter(&seat);
        let sides = kernel.sides.enter(&seat);
        Occupied {
            kernel,
            seat,
            tasks,
            regions,
            sides,
        }
    }
}

impl Drop for Occupied<'_> {
    fn drop(&mut self) {
        if self.tasks {
            self.kernel.tasks.leave(&self.seat);
        }
        if self.regions {
            self.kernel.regions.leave(&self.seat);
        }
        if self.sides {
            self.kernel.sides.leave(&self.seat);
        }
    }
}

impl std::fmt::Debug for Occupied<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Occupied").finish_non_exhaustive()
    }
}
