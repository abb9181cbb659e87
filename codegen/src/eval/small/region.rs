//! Regions: a tree of scopes, each with tasks; a failure of one cancels the others.

use asr_abi::status;

use super::wait::Wait;
use super::{Answer, Kind, Small, id, index};

/// A region.
#[derive(Clone, Debug, Default)]
pub(super) struct Region {
    pub(super) parent: Option<usize>,
    pub(super) is_closing: bool,
    pub(super) is_closed: bool,
    pub(super) is_cancelled: bool,
    /// Whether a task of it ended cancelled.
    pub(super) had_cancel: bool,
    /// The exception of the first task that failed.
    pub(super) failed: Option<u64>,
    /// Functions with their arguments, the last registered runs first.
    pub(super) finalizers: Vec<(u64, u64)>,
}

impl Small {
    /// A region below that of the task, cancelled if the task is.
    pub(super) fn open_region(&mut self, task: usize) -> Answer {
        let parent = self.tasks[task].region;
        if self.regions[parent].is_closed {
            return Err(status::REGION_CLOSED);
        }
        let region = self.open_below(Some(parent));
        self.regions[region].is_cancelled = self.is_cancelling();
        Ok(id(Kind::Region, region))
    }

    pub(super) fn open_below(&mut self, parent: Option<usize>) -> usize {
        self.regions.push(Region {
            parent,
            ..Region::default()
        });
        self.regions.len() - 1
    }

    /// The open region of this handle.
    pub(super) fn region(&self, id: u64) -> Result<usize, u32> {
        let region = index(Kind::Region, id, self.regions.len())?;
        match self.regions[region].is_closed {
            false => Ok(region),
            true => Err(status::STALE_HANDLE),
        }
    }

    /// Cancels all tasks of the region and of those below it.
    pub(super) fn cancel_region(&mut self, region: usize) {
        for other in 0..self.regions.len() {
            if self.is_below(other, region) {
                self.regions[other].is_cancelled = true;
            }
        }
        for task in 0..self.tasks.len() {
            if self.is_below(self.tasks[task].region, region) {
                self.cancel_task(task);
            }
        }
    }

    /// Whether one region is the other, or below it.
    fn is_below(&self, region: usize, above: usize) -> bool {
        std::iter::successors(Some(region), |n| self.regions[*n].parent).any(|n| n == above)
    }

    /// Whether nothing runs in the region or below it.
    pub(super) fn is_quiet(&self, region: usize) -> bool {
        let mut tasks = self.tasks.iter();
        tasks.all(|task| task.done.is_some() || !self.is_below(task.region, region))
    }

    /// Finalizers that are to run now, before the current task is resumed: it waits for a region in
    /// which nothing else runs. The last one registered comes first.
    pub fn due_finalizers(&mut self) -> Vec<(u64, u64)> {
        let wait = self.current.map(|task| &self.tasks[task].wait);
        let (Some(Wait::Close { region, .. }), true) = (wait, self.current.is_some()) else {
            return Vec::new();
        };
        let region = *region;
        match self.is_quiet(region) {
            true => self.regions[region].finalizers.drain(..).rev().collect(),
            false => Vec::new(),
        }
    }

    /// Who waits for regions looks again.
    pub(super) fn wake_closers(&mut self) {
        for waiter in 0..self.tasks.len() {
            if matches!(self.tasks[waiter].wait, Wait::Close { .. }) {
                self.wake(waiter);
            }
        }
    }

    /// What the end of a region is worth, once it is quiet.
    pub(super) fn closed(&mut self, region: usize) -> Result<u64, (u32, u64)> {
        self.regions[region].is_closed = true;
        for object in 0..self.objects.len() {
            if self.objects[object].region == region {
                self.free(object);
            }
        }
        let region = &self.regions[region];
        match region.failed {
            Some(word) => Err((status::THREW, word)),
            None => Ok(u64::from(region.had_cancel || region.is_cancelled)),
        }
    }
}
