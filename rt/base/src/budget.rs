//! Budgets: what a computation may use. They meet componentwise and only ever tighten.
//!
//! | component  | unlimited  | meet                         |
//! |------------|------------|------------------------------|
//! | deadline   | never      | the earlier                  |
//! | polls      | `u32::MAX` | the fewer                    |
//! | cost       | none       | the less                     |
//! | priority   | 0          | the greater                  |
//! | trace      | none       | the inner, else the outer    |
//!
//! `meet` is associative and idempotent, [`Budget::UNLIMITED`] is its identity on either side, and
//! it commutes but for the trace context (VAL-16).

use core::fmt;
use core::time::Duration;

use crate::cancel::CancelKind;
use crate::time::Time;

const _: () = assert!(size_of::<Budget>() <= 64, "copied with each region");

/// What a computation may use.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Budget {
    /// When it must have ended.
    pub deadline: Time,
    /// How often it may be polled.
    pub polls: u32,
    /// How much work it may do, in units of the program's choice.
    pub cost: Option<u64>,
    /// How urgent it is; 255 is the most.
    pub priority: u8,
    /// Which trace it belongs to.
    pub trace: Option<TraceContext>,
}

/// A place in a distributed trace. Packed, so that a budget, of which each cancelled task has one,
/// is no larger for the alignment of a number that few have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(C, packed(8))]
pub struct TraceContext {
    /// The trace.
    pub trace_id: u128,
    /// The span in it.
    pub span_id: u64,
}

/// A component of a budget.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BudgetComponent {
    /// When it must have ended.
    Deadline = 0,
    /// How often it may be polled.
    Polls = 1,
    /// How much work it may do.
    Cost = 2,
    /// How urgent it is.
    Priority = 3,
    /// Which trace it belongs to.
    Trace = 4,
}

impl BudgetComponent {
    /// All, in order.
    pub const ALL: [BudgetComponent; 5] = [
        BudgetComponent::Deadline,
        BudgetComponent::Polls,
        BudgetComponent::Cost,
        BudgetComponent::Priority,
        BudgetComponent::Trace,
    ];

    /// The kind of the cancel when this component is used up (VAL-19). Priority and trace cannot
    /// be used up.
    pub const fn cancel_kind(self) -> Option<CancelKind> {
        match self {
            BudgetComponent::Deadline => Some(CancelKind::Timeout),
            BudgetComponent::Polls | BudgetComponent::Cost => Some(CancelKind::Exhausted),
            BudgetComponent::Priority | BudgetComponent::Trace => None,
        }
    }
}

impl fmt::Display for BudgetComponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BudgetComponent::Deadline => "deadline",
            BudgetComponent::Polls => "polls",
            BudgetComponent::Cost => "cost",
            BudgetComponent::Priority => "priority",
            BudgetComponent::Trace => "trace",
        })
    }
}

impl Default for Budget {
    fn default() -> Budget {
        Budget::UNLIMITED
    }
}

impl Budget {
    /// No limit in any component: the identity of `meet`, and the default of a root region.
    pub const UNLIMITED: Budget = Budget {
        deadline: Time::MAX,
        polls: u32::MAX,
        cost: None,
        priority: 0,
        trace: None,
    };
    /// How long a request may take by default.
    pub const REQUEST_DURATION: Duration = Duration::from_secs(30);
    /// How often a request may be polled by default.
    pub const REQUEST_POLLS: u32 = 10_000;
    /// How urgent a request is by default.
    pub const REQUEST_PRIORITY: u8 = 100;
    /// How long a cleanup may take by default.
    pub const CLEANUP_DURATION: Duration = Duration::from_secs(5);
    /// How often a cleanup may be polled by default.
    pub const CLEANUP_POLLS: u32 = 500;

    /// The default of a request that begins now (VAL-26).
    pub const fn request(now: Time) -> Budget {
        Budget {
            deadline: now.saturating_add(Budget::REQUEST_DURATION),
            polls: Budget::REQUEST_POLLS,
            priority: Budget::REQUEST_PRIORITY,
            ..Budget::UNLIMITED
        }
    }

    /// The default of a cleanup that begins now (VAL-26).
    pub const fn cleanup(now: Time) -> Budget {
        Budget {
            deadline: now.saturating_add(Budget::CLEANUP_DURATION),
            polls: Budget::CLEANUP_POLLS,
            ..Budget::UNLIMITED
        }
    }

    /// The same budget with this deadline instead of its own.
    #[must_use]
    pub const fn with_deadline(self, deadline: Time) -> Budget {
        Budget { deadline, ..self }
    }

    /// The same budget with so many polls instead of its own.
    #[must_use]
    pub const fn with_polls(self, polls: u32) -> Budget {
        Budget { polls, ..self }
    }

    /// The same budget with this cost quota instead of its own.
    #[must_use]
    pub const fn with_cost(self, cost: u64) -> Budget {
        Budget {
            cost: Some(cost),
            ..self
        }
    }

    /// The same budget with this priority instead of its own.
    #[must_use]
    pub const fn with_priority(self, priority: u8) -> Budget {
        Budget { priority, ..self }
    }

    /// The same budget in this trace instead of its own.
    #[must_use]
    pub const fn with_trace(self, trace: TraceContext) -> Budget {
        Budget {
            trace: Some(trace),
            ..self
        }
    }

    /// What remains of this budget, the outer one, within the inner one.
    ///
    /// ```
    /// use asr_base::{Budget, Duration, Time};
    ///
    /// let region = Budget::UNLIMITED.with_deadline(Time::ZERO + Duration::from_secs(30));
    /// let asked = Budget::UNLIMITED.with_deadline(Time::ZERO + Duration::from_secs(60));
    /// assert_eq!(region.meet(asked.with_polls(9)), region.with_polls(9));
    /// ```
    #[must_use]
    pub fn meet(self, inner: Budget) -> Budget {
        Budget {
            deadline: self.deadline.min(inner.deadline),
            polls: self.polls.min(inner.polls),
            cost: match (self.cost, inner.cost) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            priority: self.priority.max(inner.priority),
            trace: inner.trace.or(self.trace),
        }
    }

    /// Like `meet`, but commutative: of two trace contexts the greater stays. For the merge of
    /// cancel requests, where neither is the inner one (VAL-21).
    #[must_use]
    pub(crate) fn meet_unordered(self, other: Budget) -> Budget {
        Budget {
            trace: self.trace.max(other.trace),
            ..self.meet(other)
        }
    }

    /// The first component that is used up, if one is: a deadline that has come, a quota of 0.
    pub fn exhausted(&self, now: Time) -> Option<BudgetComponent> {
        if !self.deadline.is_never() && self.deadline <= now {
            Some(BudgetComponent::Deadline)
        } else if self.polls == 0 {
            Some(BudgetComponent::Polls)
        } else if self.cost == Some(0) {
            Some(BudgetComponent::Cost)
        } else {
            None
        }
    }
}
