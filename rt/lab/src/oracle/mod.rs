//! Oracles (LAB-12): rules of the runtime as pure folds over events, all at once.
//!
//! An oracle sees each event as it is written, and reports the first one that breaks its rule; what
//! happened before that event follows from the causes in the trace. None looks at the kernel, so a
//! finished trace is checked in the same way ([`Oracles::check`]).
//!
//! | oracle | asserts |
//! |---|---|
//! | [`TaskLeak`] | no live task of a closed region |
//! | [`ObligationLeak`] | the marking is zero at each close, and tokens are conserved |
//! | [`Quiescence`] | REG-8: nothing of a closed region is left, and its states are in order |
//! | [`Finalizers`] | each exactly once, the last registered first |
//! | [`LoserDrain`] | CMB-1: who lost has ended when its call returns |
//! | [`Deadline`] | VAL-19: at most one poll after a deadline, none after the quota |
//! | [`Cancel`] | TSK-5, TSK-6, CAN-2, CAN-6 |
//! | [`Authority`] | no effect but by a task that lives |
//! | [`BudgetOracle`] | budgets are only tightened |
//!
//! Determinism is two runs of one seed ([`check`](crate::check())). Actors and repair come with
//! what they watch.

mod authority;
mod budget;
mod cancel;
mod deadline;
mod drain;
mod finalizers;
mod obligations;
mod quiescence;
mod tasks;

use std::fmt;

use asr_trace::{Event, HappensBefore};

pub use authority::Authority;
pub use budget::BudgetOracle;
pub use cancel::Cancel;
pub use deadline::Deadline;
pub use drain::LoserDrain;
pub use finalizers::Finalizers;
pub use obligations::ObligationLeak;
pub use quiescence::Quiescence;
pub use tasks::TaskLeak;

/// A rule that is watched.
pub trait Oracle: Send {
    /// Its name in failures.
    fn name(&self) -> &'static str;

    /// Takes one event in.
    ///
    /// # Errors
    /// The rule that it breaks.
    fn step(&mut self, event: &Event) -> Result<(), Broken>;
}

/// A rule that an event breaks, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub rule: &'static str,
    /// How.
    pub what: String,
}

impl Broken {
    fn new(rule: &'static str, what: impl Into<String>) -> Broken {
        Broken {
            rule,
            what: what.into(),
        }
    }
}

impl From<asr_trace::Violation> for Broken {
    fn from(violation: asr_trace::Violation) -> Broken {
        Broken::new(violation.rule, violation.to_string())
    }
}

/// What an oracle found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The oracle.
    pub oracle: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The number of the first event that breaks it.
    pub seq: u64,
    /// How.
    pub what: String,
}

impl Finding {
    /// The causal past of the event among `events`, in order, and the event itself.
    pub fn past(&self, events: &[Event]) -> Vec<Event> {
        let Some(at) = events.iter().position(|event| event.seq == self.seq) else {
            return Vec::new();
        };
        let relation = HappensBefore::rebuild(&events[..=at]);
        let past = relation.past(at).into_iter().chain([at]);
        past.map(|at| events[at]).collect()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding {
            oracle, rule, what, ..
        } = self;
        write!(f, "{oracle} ({rule}), event {}: {what}", self.seq)
    }
}

/// Any number of oracles side by side.
#[derive(Default)]
pub struct Oracles {
    all: Vec<Box<dyn Oracle>>,
}

impl Oracles {
    /// None.
    pub fn none() -> Oracles {
        Oracles::default()
    }

    /// Every oracle, before the first event.
    pub fn all() -> Oracles {
        Oracles {
            all: vec![
                Box::new(TaskLeak::default()),
                Box::new(ObligationLeak::default()),
                Box::new(Quiescence::default()),
                Box::new(Finalizers::default()),
                Box::new(LoserDrain::default()),
                Box::new(Deadline::default()),
                Box::new(Cancel::default()),
                Box::new(Authority::default()),
                Box::new(BudgetOracle::default()),
            ],
        }
    }

    /// One more.
    pub fn push(&mut self, oracle: impl Oracle + 'static) {
        self.all.push(Box::new(oracle));
    }

    /// Shows an event to all.
    ///
    /// # Errors
    /// What the first of them that objects found.
    pub fn step(&mut self, event: &Event) -> Result<(), Finding> {
        for oracle in &mut self.all {
            oracle.step(event).map_err(|broken| Finding {
                oracle: oracle.name(),
                rule: broken.rule,
                seq: event.seq,
                what: broken.what,
            })?;
        }
        Ok(())
    }

    /// Checks a whole trace with every oracle.
    ///
    /// # Errors
    /// The first finding.
    pub fn check<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<(), Finding> {
        let mut oracles = Oracles::all();
        events.into_iter().try_for_each(|event| oracles.step(event))
    }
}

impl fmt::Debug for Oracles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.all.iter().map(|oracle| oracle.name()))
            .finish()
    }
}
