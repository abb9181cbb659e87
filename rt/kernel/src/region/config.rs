//! What a region is opened with.

use asr_base::{Budget, Duration};

/// What a child's bad end does to its siblings (REG-14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// A child's Err or Panicked cancels its siblings with FailFast.
    #[default]
    FailFast,
    /// No sibling is cancelled.
    CollectAll,
}

/// What happens when a cleanup budget ends (CAN-22). Inherited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Escalation {
    /// Bounded: the future is dropped between polls, the outcome Cancelled, marked as escalated.
    #[default]
    Drop = 0,
    /// Bounded: as `Drop`, but the outcome is Panicked.
    Panic = 1,
    /// Waits without limit, and warns.
    Soft = 2,
}

impl Escalation {
    pub(crate) fn from_u8(number: u8) -> Escalation {
        match number {
            0 => Escalation::Drop,
            1 => Escalation::Panic,
            _ => Escalation::Soft,
        }
    }

    /// Acts when the budget ends.
    pub fn is_bounded(self) -> bool {
        self != Escalation::Soft
    }
}

/// How to open a region. The default: fail-fast, mode and budget of the parent.
#[derive(Clone, Debug, Default)]
pub struct RegionConfig {
    pub(crate) policy: Policy,
    pub(crate) escalation: Option<Escalation>,
    pub(crate) budget: Option<Budget>,
    pub(crate) timeout: Option<Duration>,
}

impl RegionConfig {
    /// The default.
    pub fn new() -> RegionConfig {
        RegionConfig::default()
    }

    /// What a child's bad end does.
    pub fn policy(mut self, policy: Policy) -> RegionConfig {
        self.policy = policy;
        self
    }

    /// What happens when a cleanup budget ends.
    pub fn escalation(mut self, mode: Escalation) -> RegionConfig {
        self.escalation = Some(mode);
        self
    }

    /// A budget, met with that of the parent (VAL-17).
    pub fn budget(mut self, budget: Budget) -> RegionConfig {
        self.budget = Some(budget);
        self
    }

    /// A deadline, counted from the opening.
    pub fn timeout(mut self, after: Duration) -> RegionConfig {
        self.timeout = Some(after);
        self
    }
}
