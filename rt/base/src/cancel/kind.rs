//! Kinds of cancels and where they come from (VAL-12).

use core::cmp::Ordering;
use core::fmt;

use crate::id::{RegionId, TaskId};

/// Why. The numbers are the ranks: the greater prevails.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CancelKind {
    /// The program asked for it.
    User = 0,
    /// A deadline came.
    Timeout = 1,
    /// A quota was used up.
    Exhausted = 2,
    /// A sibling failed.
    FailFast = 3,
    /// A sibling won the race.
    RaceLost = 4,
    /// The region around it was cancelled.
    ParentCancelled = 5,
    /// The runtime stops.
    Shutdown = 6,
}

impl CancelKind {
    /// All, by rank.
    pub const ALL: [CancelKind; 7] = [
        CancelKind::User,
        CancelKind::Timeout,
        CancelKind::Exhausted,
        CancelKind::FailFast,
        CancelKind::RaceLost,
        CancelKind::ParentCancelled,
        CancelKind::Shutdown,
    ];

    /// Which of two prevails: the greater.
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// The kind of a rank.
    pub fn from_rank(rank: u8) -> Option<CancelKind> {
        CancelKind::ALL.get(usize::from(rank)).copied()
    }
}

impl fmt::Display for CancelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Where a cancel comes from. In order of the ids; where these are equal, tasks come before
/// regions before nodes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Origin {
    /// A task.
    Task(TaskId),
    /// A region.
    Region(RegionId),
    /// Another machine, or this one.
    Node(u64),
}

impl Origin {
    /// The id as a number, for traces.
    pub const fn number(self) -> u64 {
        self.key().0
    }

    /// The id as a number, and which kind of id it is.
    const fn key(self) -> (u64, u8) {
        match self {
            Origin::Task(task) => (task.to_bits(), 0),
            Origin::Region(region) => (region.to_bits(), 1),
            Origin::Node(node) => (node, 2),
        }
    }
}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Origin) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Origin {
    fn cmp(&self, other: &Origin) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Task(task) => write!(f, "{task}"),
            Origin::Region(region) => write!(f, "{region}"),
            Origin::Node(node) => write!(f, "node {node}"),
        }
    }
}
