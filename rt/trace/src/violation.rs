//! What an oracle found: the rule, the first event that breaks it, and how.

use std::fmt;

use asr_base::{RegionId, TaskId};

use crate::event::Event;
use crate::happens_before::HappensBefore;

/// The first event of a trace that breaks a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule, as the specification names it.
    pub rule: &'static str,
    /// The number of the event.
    pub seq: u64,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It lacks what events of its kind carry, or carries it out of range.
    Incomplete(&'static str),
    /// An edge that the state machine does not have.
    Edge {
        /// The state before; `none` where nothing was there.
        from: &'static str,
        /// What happened in it.
        event: &'static str,
    },
    /// An outcome that the state does not allow.
    Outcome {
        /// The state before.
        from: &'static str,
        /// The severity claimed.
        severity: u64,
    },
    /// A cancel was observed behind this many masks.
    Masked(u64),
    /// More masks ended than had begun.
    Unmasked,
    /// A place would have fewer than no tokens.
    Negative(RegionId, u8),
    /// A token is resolved or moved from a place where it is not.
    Misplaced(RegionId, u8),
    /// A region closed over this many tokens.
    Marked(RegionId, u64),
    /// A task completed with this many tokens.
    Holding(TaskId, u64),
}

impl Violation {
    pub(crate) fn new(rule: &'static str, event: &Event, fault: Fault) -> Violation {
        Violation {
            rule,
            seq: event.seq,
            fault,
        }
    }

    /// The causal past of the violating event, in order, and the event itself.
    pub fn past(&self, events: &[Event]) -> Vec<Event> {
        let Some(index) = events.iter().position(|event| event.seq == self.seq) else {
            return Vec::new();
        };
        let relation = HappensBefore::rebuild(&events[..=index]);
        let past = relation.past(index).into_iter().chain([index]);
        past.map(|index| events[index]).collect()
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken by event {}: ", self.rule, self.seq)?;
        match self.fault {
            Fault::Incomplete(what) => write!(f, "no valid {what}"),
            Fault::Edge { from, event } => write!(f, "{event} in state {from}"),
            Fault::Outcome { from, severity } => write!(f, "severity {severity} in state {from}"),
            Fault::Masked(depth) => write!(f, "cancel observed behind {depth} masks"),
            Fault::Unmasked => f.write_str("a mask ends that never began"),
            Fault::Negative(region, kind) => write!(f, "place ({region}, {kind}) is empty"),
            Fault::Misplaced(region, kind) => write!(f, "no such token in ({region}, {kind})"),
            Fault::Marked(region, tokens) => write!(f, "{region} closed with {tokens} tokens"),
            Fault::Holding(task, tokens) => write!(f, "{task} completed with {tokens} tokens"),
        }
    }
}

impl std::error::Error for Violation {}
