//! How a run fails, and the line that repeats it.

use std::fmt;

use asr_base::{RegionId, Status, TaskId, Time};
use asr_kernel::task::Phase;
use asr_trace::{Event, Log, Resource, line};

use crate::schedule::Choice;
use crate::waits::Graph;

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// `max_steps` steps were made (LAB-6).
    StepLimit,
    /// Nothing is runnable, no timer pends, and tasks live (LAB-14).
    Deadlock,
    /// Nothing is runnable, and time must be advanced by hand (LAB-3).
    Stopped,
    /// The task holds so many obligations, and was not polled for so many steps (LAB-13).
    Futurelock(TaskId, u64, u64),
    /// A recording does not fit the program (LAB-21).
    Diverged(String),
    /// The main task or another child of the root did not end Ok.
    Main(String),
    /// An oracle was violated: its name, and what it saw (LAB-12).
    Oracle(&'static str, String),
}

impl Reason {
    /// The status of VAL-33 that goes with it, where there is one.
    pub fn status(&self) -> Option<Status> {
        match self {
            Reason::StepLimit => Some(Status::STEP_LIMIT),
            Reason::Diverged(_) => Some(Status::DIVERGED),
            _ => None,
        }
    }
}

/// A task that was alive at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveTask {
    /// The task.
    pub id: TaskId,
    /// The region it lives in.
    pub region: RegionId,
    /// What it waits for, as far as it said so in its last poll.
    pub waits_for: Vec<Resource>,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// How far it is.
    pub phase: Phase,
    /// The message of its last checkpoint.
    pub message: Option<&'static str>,
}

/// A failed run.
#[derive(Clone)]
pub struct Failure {
    /// Why.
    pub reason: Reason,
    /// The seed of the run.
    pub seed: u64,
    /// The step at which it failed.
    pub step: u64,
    /// Virtual time then.
    pub at: Time,
    /// Who lived.
    pub live: Vec<LiveTask>,
    /// The choices that led there.
    pub choices: Vec<Choice>,
    /// What was recorded of it.
    pub evidence: Box<Evidence>,
}

/// What was recorded of a failed run.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Evidence {
    /// The trace up to there, as far as it was captured and not taken.
    pub trace: Log,
    /// The causal past of the event that an oracle objects to, and the event.
    pub past: Vec<Event>,
}

/// Events of a causal past that are shown: the last ones.
const SHOWN: usize = 24;

impl Failure {
    /// Who waits for whom.
    pub fn waits(&self) -> Graph {
        Graph::of(&self.live)
    }

    /// Sets the seed; a test that reads `LAB_SEED` runs that seed alone.
    pub fn replay(&self) -> String {
        format!("LAB_SEED={:#x}", self.seed)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.reason {
            Reason::StepLimit => "STEP_LIMIT: the run goes on".to_owned(),
            Reason::Deadlock => "deadlock: nobody can run".to_owned(),
            Reason::Stopped => "stopped: time does not advance by itself".to_owned(),
            Reason::Futurelock(task, held, steps) => {
                format!("futurelock: {task} holds {held} obligations, idle for {steps} steps")
            }
            Reason::Diverged(what) => format!("DIVERGED: {what}"),
            Reason::Main(outcome) => format!("the run ended {outcome}"),
            Reason::Oracle(name, what) => format!("{name}: {what}"),
        };
        write!(f, "lab: {what} at step {} and {}", self.step, self.at)?;
        for task in &self.live {
            write!(f, "\n  {} {:?}", task.id, task.phase)?;
            if let Some(name) = &task.name {
                write!(f, " `{name}`")?;
            }
            if let Some(message) = task.message {
                write!(f, ", last checkpoint: {message}")?;
            }
        }
        for edge in self.waits().edges {
            write!(f, "\n  {edge}")?;
        }
        let past = &self.evidence.past;
        let hidden = past.len().saturating_sub(SHOWN);
        if hidden > 0 {
            write!(f, "\n  past: {hidden} events, then")?;
        }
        for event in &past[hidden..] {
            write!(f, "\n  {}", line(event).unwrap_or_default())?;
        }
        Ok(())
    }
}

/// As displayed: a trace is too long to be of use in the message of an `unwrap`.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failure {}
