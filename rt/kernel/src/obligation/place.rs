//! Who holds a token, and in which region it is counted.
//!
//! Protocol: a region is `settled` from the moment its marking went to the totals, just before it
//! is closed. A token that comes later, because it was moved out of its region without a transfer,
//! finds its place settled, or taken by another region, and counts nothing: the close aborted it.

use asr_base::{RegionId, Status, TaskId};

use super::kind::Kind;
use super::marking::Counts;
use crate::region::{Locked, Region, RegionRef, State, refusal};
use crate::task::{Phase, Task, TaskRef};

/// Who holds a token.
#[derive(Clone, Debug)]
pub(crate) enum Holder {
    Task(TaskRef),
    Region(RegionRef),
}

impl Holder {
    /// The region of the holder. After its end: whatever region has that slot now, which
    /// [`Place`] tells apart by the id.
    fn region(&self) -> &Region {
        match self {
            Holder::Task(task) => task.region(),
            Holder::Region(region) => region,
        }
    }

    pub(super) fn task(&self) -> Option<&TaskRef> {
        match self {
            Holder::Task(task) => Some(task),
            Holder::Region(_) => None,
        }
    }

    pub(super) fn kernel(&self) -> &crate::Kernel {
        self.region().kernel()
    }

    /// What a report says of it.
    pub(super) fn name(&self, region: RegionId) -> HolderId {
        match self {
            Holder::Task(task) => HolderId::Task(task.id()),
            Holder::Region(_) => HolderId::Region(region),
        }
    }
}

/// The name of a holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HolderId {
    /// A task.
    Task(TaskId),
    /// A region, on behalf of its tasks.
    Region(RegionId),
}

/// Holder, region and kind of a token.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(super) holder: Holder,
    pub(super) region: RegionId,
    pub(super) kind: Kind,
}

impl Place {
    pub(crate) fn kernel(&self) -> &crate::Kernel {
        self.holder.kernel()
    }

    /// The task that holds the token.
    pub(crate) fn task(&self) -> Option<&Task> {
        self.holder.task().map(|task| &**task)
    }

    pub(crate) fn region(&self) -> RegionId {
        self.region
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Counts a new token of a task that is not complete.
    pub(super) fn reserve(task: &TaskRef, kind: Kind, by_region: bool) -> Result<Place, Status> {
        if task.word.load().phase() == Phase::Completed {
            return Err(Status::REGION_CLOSED);
        }
        let region = task.region();
        let mut inner = region.lock();
        if inner.settled {
            return Err(Status::REGION_CLOSED);
        }
        inner.marking.place(kind).reserved += 1;
        Ok(Place {
            // The region is not closed, and so not gone: its lock is held, and it is not settled.
            holder: if by_region {
                Holder::Region(RegionRef::of(region))
            } else {
                Holder::Task(task.clone())
            },
            region: region.id(),
            kind,
        })
    }

    /// The inside of the region, unless it closed.
    fn open(&self) -> Option<Locked<'_>> {
        let region = self.holder.region();
        let inner = region.lock();
        (!inner.settled && region.id() == self.region).then_some(inner)
    }

    /// False once the token was aborted by the close of its region.
    pub(super) fn is_open(&self) -> bool {
        self.open().is_some()
    }

    /// Counts what became of the token. False if its region closed before.
    pub(super) fn count(&self, change: impl FnOnce(&mut Counts)) -> bool {
        match self.open() {
            Some(mut inner) => {
                change(inner.marking.place(self.kind));
                true
            }
            None => false,
        }
    }

    /// Counts the token at `to`, and then no longer here.
    ///
    /// # Errors
    /// `REGION_CLOSING`, `REGION_CLOSED` if the receiver is closing or closed.
    pub(super) fn moved(&self, to: Holder) -> Result<Place, Status> {
        let region = to.region();
        {
            let mut inner = region.lock();
            match &to {
                Holder::Task(task) if task.word.load().phase() >= Phase::Finalizing => {
                    return Err(Status::REGION_CLOSING);
                }
                Holder::Region(region) if region.state() != State::Open => {
                    return Err(refusal(region.state()));
                }
                _ if inner.settled => return Err(Status::REGION_CLOSED),
                _ => {}
            }
            if region.id() != self.region {
                inner.marking.place(self.kind).arrived += 1;
            }
        }
        let next = Place {
            region: region.id(),
            holder: to,
            kind: self.kind,
        };
        if next.region != self.region {
            self.count(|counts| counts.left += 1);
        }
        Ok(next)
    }
}
