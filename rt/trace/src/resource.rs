//! What an event touches, and how (TRC-8).
//!
//! Channel ends: a send writes the sending end and a receive the receiving one, so the two are
//! independent by their objects. That a receive took the very message of a send, or that a send
//! used the very slot which a receive freed, is a cause edge between the two, not an object: so
//! what an event touches stays the same when independent neighbours are swapped. An attempt that
//! failed because the channel was empty or full read both ends.

use asr_base::{RegionId, TaskId};

/// An end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum End {
    /// Where messages go in.
    Send,
    /// Where they come out.
    Receive,
}

/// Something that events have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A cell of memory.
    Cell(u64),
    /// A lock.
    Lock(u64),
    /// One end of a channel.
    Channel(u64, End),
    /// The state of a region.
    Region(RegionId),
    /// The obligations of one kind in a region.
    Place(RegionId, u8),
    /// The head of the timer queue.
    TimerHead,
    /// A name in the registry.
    Name(u64),
    /// The state of a task.
    Task(TaskId),
}

/// The place number that stands for the live children of a region. A child that completes reads
/// it and the step to `Finalizing` writes it, so children commute and all precede that step.
pub const CHILDREN: u8 = u8::MAX;

/// How a resource is touched. Reads commute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Access {
    /// Looked at.
    Read,
    /// Changed.
    Write,
}

/// A resource and how it is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// What.
    pub resource: Resource,
    /// How.
    pub access: Access,
}

impl Object {
    /// A read of the resource.
    pub fn read(resource: Resource) -> Object {
        Object {
            resource,
            access: Access::Read,
        }
    }

    /// A write of the resource.
    pub fn write(resource: Resource) -> Object {
        Object {
            resource,
            access: Access::Write,
        }
    }

    /// A compare-and-swap: one that failed only read.
    pub fn compare_and_swap(resource: Resource, swapped: bool) -> Object {
        Object {
            resource,
            access: if swapped { Access::Write } else { Access::Read },
        }
    }

    /// Whether two touches do not commute.
    pub fn conflicts(&self, other: &Object) -> bool {
        self.resource == other.resource
            && (self.access == Access::Write || other.access == Access::Write)
    }
}

/// Up to two objects, in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Objects([Option<Object>; 2]);

impl Objects {
    /// Nothing is touched.
    pub const NONE: Objects = Objects([None, None]);

    /// One object.
    pub fn one(object: Object) -> Objects {
        Objects([Some(object), None])
    }

    /// Two objects.
    pub fn two(first: Object, second: Object) -> Objects {
        Objects([Some(first), Some(second)])
    }

    /// A send: it changes the sending end, or, where the channel was full, reads both.
    pub fn send(channel: u64, sent: bool) -> Objects {
        Objects::transit(channel, End::Send, sent)
    }

    /// A receive: it changes the receiving end, or, where the channel was empty, reads both.
    pub fn receive(channel: u64, received: bool) -> Objects {
        Objects::transit(channel, End::Receive, received)
    }

    fn transit(channel: u64, end: End, done: bool) -> Objects {
        if done {
            return Objects::one(Object::write(Resource::Channel(channel, end)));
        }
        Objects::two(
            Object::read(Resource::Channel(channel, End::Send)),
            Object::read(Resource::Channel(channel, End::Receive)),
        )
    }

    /// The objects, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.0.iter().flatten()
    }

    /// The first object: the target, where a kind has one.
    pub fn first(&self) -> Option<Object> {
        self.0[0]
    }

    /// The region whose live children are touched so.
    pub fn children(&self, access: Access) -> Option<RegionId> {
        self.iter().find_map(|object| match object.resource {
            Resource::Place(region, CHILDREN) if object.access == access => Some(region),
            _ => None,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0[0].is_none()
    }

    /// Adds an object where there is room; false, and nothing changed, where there is none.
    #[must_use]
    pub fn push(&mut self, object: Object) -> bool {
        match self.0.iter_mut().find(|slot| slot.is_none()) {
            Some(slot) => {
                *slot = Some(object);
                true
            }
            None => false,
        }
    }

    /// Whether some object of one conflicts with some object of the other.
    pub fn conflict(&self, other: &Objects) -> bool {
        self.iter().any(|a| other.iter().any(|b| a.conflicts(b)))
    }
}
