//! A cancel request: a reason and what the cleanup may use (VAL-15, VAL-21).

use core::time::Duration;

use super::{CancelKind, CancelReason};
use crate::budget::Budget;
use crate::time::Time;

/// A reason with a cleanup budget.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CancelRequest {
    /// Why.
    pub reason: CancelReason,
    /// What the cleanup may use.
    pub cleanup: Budget,
}

impl CancelRequest {
    /// A request.
    pub const fn new(reason: CancelReason, cleanup: Budget) -> CancelRequest {
        CancelRequest { reason, cleanup }
    }

    /// Both requests as one: the stronger reason, the meet of the budgets. Order and repetition
    /// make no difference; for that, of two trace contexts the greater one stays.
    #[must_use]
    pub fn merge(&self, other: &CancelRequest) -> CancelRequest {
        CancelRequest {
            reason: self.reason.strengthen(&other.reason),
            cleanup: self.cleanup.meet_unordered(other.cleanup),
        }
    }
}

/// What a cleanup of the lowest rank may use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CleanupBase {
    /// How long it may take.
    pub duration: Duration,
    /// How often it may be polled.
    pub polls: u32,
}

impl Default for CleanupBase {
    fn default() -> CleanupBase {
        CleanupBase {
            duration: Budget::CLEANUP_DURATION,
            polls: Budget::CLEANUP_POLLS,
        }
    }
}

/// What a cleanup may use, whenever it begins.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CleanupBudget {
    /// How long it may take.
    pub duration: Duration,
    /// How often it may be polled.
    pub polls: u32,
}

impl CleanupBudget {
    /// The budget of a cleanup that begins now.
    pub const fn starting(self, now: Time) -> Budget {
        Budget::UNLIMITED
            .with_deadline(now.saturating_add(self.duration))
            .with_polls(self.polls)
    }
}

/// The cleanup budget of a kind: base × (10 − rank) / 10, but never fewer polls than the target
/// says it needs.
pub fn cleanup_budget(
    base: CleanupBase,
    kind: CancelKind,
    responsiveness_polls: u32,
) -> CleanupBudget {
    let share = 10 - u32::from(kind.rank());
    let polls = u64::from(base.polls) * u64::from(share) / 10;
    CleanupBudget {
        // Whole tenths of nanoseconds first, so that no product overflows.
        duration: base.duration / 10 * share + tenths_lost(base.duration, share),
        polls: u32::try_from(polls)
            .unwrap_or(u32::MAX)
            .max(responsiveness_polls),
    }
}

/// What `duration / 10 * share` is short of `duration * share / 10`.
fn tenths_lost(duration: Duration, share: u32) -> Duration {
    let rest = (duration.as_nanos() % 10) as u64;
    Duration::from_nanos(rest * u64::from(share) / 10)
}
