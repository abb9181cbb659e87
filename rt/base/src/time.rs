//! Time is a number of nanoseconds since the runtime's start. It saturates: no sum wraps, and the
//! greatest number means never (VAL-31).
//!
//! The time of the day is another type, [`WallTime`], without a conversion in either direction:
//! setting the system clock moves no deadline.

use core::fmt;
use core::ops::Add;

pub use core::time::Duration;

/// Nanoseconds since the start of the runtime.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

/// The nanoseconds of a duration, at most `u64::MAX`.
pub const fn nanos(duration: Duration) -> u64 {
    let nanos = duration.as_nanos();
    if nanos > u64::MAX as u128 {
        u64::MAX
    } else {
        nanos as u64
    }
}

impl Time {
    /// The start of the runtime.
    pub const ZERO: Time = Time(0);
    /// Never.
    pub const MAX: Time = Time(u64::MAX);

    /// The time so many nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time so much later; [`Time::MAX`] if that cannot be told.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(nanos(duration)))
    }

    /// How long ago `earlier` was; nothing if it is yet to come.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Is this never?
    pub const fn is_never(self) -> bool {
        self.0 == u64::MAX
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, duration: Duration) -> Time {
        self.saturating_add(duration)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_never() {
            return f.write_str("never");
        }
        write!(
            f,
            "{}.{:09} s",
            self.0 / 1_000_000_000,
            self.0 % 1_000_000_000
        )
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The time of the day: nanoseconds since the beginning of 1970, UTC. For people and for other
/// machines; the system may set it forth and back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WallTime(i128);

impl WallTime {
    /// The time so many nanoseconds after the beginning of 1970.
    pub const fn from_unix_nanos(nanos: i128) -> WallTime {
        WallTime(nanos)
    }

    /// Nanoseconds since the beginning of 1970.
    pub const fn unix_nanos(self) -> i128 {
        self.0
    }
}
