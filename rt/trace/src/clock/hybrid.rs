//! A hybrid clock: physical microseconds and a counter in one word.
//!
//! The upper 52 bits are microseconds since 1970 (to the year 2112), the lower 12 count events in
//! the same microsecond. The word only grows: when physical time stands
//! still or goes back, the counter grows, and carries into the microseconds when it is full
//! (TRC-7). So a → b implies C(a) < C(b); the converse is not claimed.
//!
//! The word of a node is ahead of the largest physical time seen by at most the carries of its
//! counter; a remote time may push it further, but never by more than the greatest skew allowed.

use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire};

use asr_base::{Duration, Time};

use crate::event::Draft;
use crate::kind::Kind;
use crate::sub::Sub;

/// How far ahead of the own physical time a remote time may be.
pub const MAX_SKEW: Duration = Duration::from_millis(500);

const COUNTER_BITS: u32 = 12;

/// A time of a hybrid clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HybridTime(u64);

impl HybridTime {
    /// The earliest time with this physical part.
    pub fn at(physical: Duration) -> HybridTime {
        let micros = u64::try_from(physical.as_micros()).unwrap_or(u64::MAX);
        HybridTime(micros.min(u64::MAX >> COUNTER_BITS) << COUNTER_BITS)
    }

    /// The physical part, in whole microseconds.
    pub fn physical(self) -> Duration {
        Duration::from_micros(self.0 >> COUNTER_BITS)
    }

    /// The counter.
    pub fn counter(self) -> u16 {
        (self.0 & ((1 << COUNTER_BITS) - 1)) as u16
    }

    /// As it stands in an event and travels to other nodes.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    /// From an event or another node.
    pub fn from_bits(bits: u64) -> HybridTime {
        HybridTime(bits)
    }
}

/// A remote time was too far ahead; the own clock was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The remote time.
    pub remote: HybridTime,
    /// How far it was ahead of the own physical time.
    pub ahead: Duration,
}

impl Refused {
    /// The event to record: the peer did not keep to the protocol.
    pub fn draft(&self, time: Time) -> Draft {
        Draft {
            sub: Sub::ProtocolViolation,
            ..Draft::new(Kind::RemoteReceive, time)
        }
        .words(0, self.remote.to_bits(), 0)
    }
}

/// A clock that any thread may tick.
#[derive(Debug)]
pub struct HybridClock {
    last: AtomicU64,
    max_skew: Duration,
}

impl Default for HybridClock {
    fn default() -> HybridClock {
        HybridClock::with_max_skew(MAX_SKEW)
    }
}

impl HybridClock {
    /// A clock with the default skew.
    pub fn new() -> HybridClock {
        HybridClock::default()
    }

    /// A clock that takes remote times up to this far ahead.
    pub fn with_max_skew(max_skew: Duration) -> HybridClock {
        HybridClock {
            last: AtomicU64::new(0),
            max_skew,
        }
    }

    /// The last time given.
    pub fn last(&self) -> HybridTime {
        HybridTime(self.last.load(Acquire))
    }

    /// The time of a local event, at this physical time.
    pub fn tick(&self, physical: Duration) -> HybridTime {
        self.after(HybridTime::at(physical))
    }

    /// The time of the receipt of a message which carries a time; later than both clocks.
    pub fn receive(&self, physical: Duration, remote: HybridTime) -> Result<HybridTime, Refused> {
        let ahead = remote.physical().saturating_sub(physical);
        if ahead > self.max_skew {
            return Err(Refused { remote, ahead });
        }
        let next = HybridTime(remote.0.saturating_add(1));
        Ok(self.after(HybridTime::at(physical).max(next)))
    }

    /// Moves the clock to the larger of `floor` and one after its last time. The exchange orders
    /// all times given by this clock; acquire and release carry no other data.
    fn after(&self, floor: HybridTime) -> HybridTime {
        let mut last = self.last.load(Acquire);
        loop {
            let next = floor.0.max(last.saturating_add(1));
            match self.last.compare_exchange_weak(last, next, AcqRel, Acquire) {
                Ok(_) => return HybridTime(next),
                Err(now) => last = now,
            }
        }
    }
}
