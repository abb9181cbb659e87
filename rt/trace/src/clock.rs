//! Logical clocks (TRC-6, TRC-7).
//!
//! Lamport and Hybrid times are given while a trace is recorded; vector times are derived from
//! the cause edges of a finished one ([`HappensBefore`](crate::HappensBefore)).

mod hybrid;
mod lamport;

pub use hybrid::{HybridClock, HybridTime, MAX_SKEW, Refused};
pub use lamport::LamportClock;

/// How the logical times of a trace are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ClockMode {
    /// If a happened before b, then a has the smaller time. The mode of the lab and of one node.
    #[default]
    Lamport = 0,
    /// Derived offline: smaller exactly if it happened before.
    Vector = 1,
    /// Lamport, and near physical time. The mode of a node that talks to others.
    Hybrid = 2,
}

impl ClockMode {
    /// Every mode, by number.
    pub const ALL: [ClockMode; 3] = [ClockMode::Lamport, ClockMode::Vector, ClockMode::Hybrid];

    /// The mode of this number.
    pub fn from_u8(number: u8) -> Option<ClockMode> {
        ClockMode::ALL.get(usize::from(number)).copied()
    }

    /// The mode of a run: Hybrid if it has remote peers, else Lamport.
    pub fn default_for(remotes: bool) -> ClockMode {
        if remotes {
            ClockMode::Hybrid
        } else {
            ClockMode::Lamport
        }
    }
}
