//! Observational equivalence of programs (TRC-12).
//!
//! Two programs are equivalent if, in every environment, the sets of what can be seen of their
//! executions are equal: the outcome, and the canonical trace restricted to user-visible events.
//! An exploration gives the executions of one program in one environment; this compares.
//!
//! The order of visible events is that of the whole trace: two of them joined by a chain of
//! internal events keep their order, while the number of internal events does not show.

use std::collections::BTreeSet;

use crate::event::Event;
use crate::foata::Form;
use crate::kind::Kind;
use crate::restrict::restricted;

/// Whether a program's user sees the event: what the program says, and what it exchanges with
/// the system and with other nodes.
pub fn user_visible(event: &Event) -> bool {
    event.is_semantic()
        && matches!(
            event.kind,
            Kind::User | Kind::IoSubmit | Kind::IoComplete | Kind::RemoteSend | Kind::RemoteReceive
        )
}

/// The canonical trace restricted to user-visible events.
pub fn visible_form(events: &[Event]) -> Form {
    restricted(events, user_visible)
}

/// What one execution shows: its outcome, and the fingerprint of its visible form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seen {
    /// A number for the outcome; equal numbers for equal outcomes, by the caller's choice.
    pub outcome: u128,
    /// The fingerprint of the visible form.
    pub trace: u128,
}

impl Seen {
    /// What an execution with this outcome and these events shows.
    pub fn of(outcome: u128, events: &[Event]) -> Seen {
        Seen {
            outcome,
            trace: visible_form(events).fingerprint(),
        }
    }
}

/// What only one of two programs can show; empty on both sides if they are equivalent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Only the first program.
    pub left: BTreeSet<Seen>,
    /// Only the second.
    pub right: BTreeSet<Seen>,
}

impl Difference {
    /// Compares all that the executions of two programs show in one environment.
    pub fn between(left: &BTreeSet<Seen>, right: &BTreeSet<Seen>) -> Difference {
        Difference {
            left: left - right,
            right: right - left,
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty() && self.right.is_empty()
    }
}

/// Whether two programs show the same in each environment: the n-th sets belong together.
pub fn equivalent(left: &[BTreeSet<Seen>], right: &[BTreeSet<Seen>]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| Difference::between(left, right).is_empty())
}
