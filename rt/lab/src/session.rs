//! A run of a main task, step by step, from its start or from a snapshot.

use asr_base::{Error, Outcome};
use asr_kernel::{Cx, JoinHandle};

use crate::config::LabConfig;
use crate::failure::{Failure, Reason};
use crate::run::{Lab, Run};
use crate::schedule::Schedule;
use crate::snapshot::Snapshot;

/// A run of a main task, step by step.
#[derive(Debug)]
pub struct Session<T> {
    lab: Lab,
    handle: JoinHandle<T>,
    closing: bool,
}

impl<T> Session<T> {
    pub(crate) fn new(lab: Lab, handle: JoinHandle<T>) -> Session<T> {
        Session {
            lab,
            handle,
            closing: false,
        }
    }

    /// The lab.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// One step. True once the root is closed, which makes no step.
    ///
    /// # Errors
    /// How the run failed.
    pub fn step(&mut self) -> Result<bool, Failure> {
        if !self.closing && self.handle.is_finished() {
            self.closing = true;
            self.lab.kernel().root().begin_close();
        }
        if self.lab.is_closed() {
            self.lab.unbroken()?;
            return Ok(true);
        }
        self.lab.checked_step()?;
        Ok(false)
    }

    /// Steps until the root is closed.
    ///
    /// # Errors
    /// How the run failed.
    pub fn finish(mut self) -> Result<Run<T>, Failure> {
        while !self.step()? {}
        Ok(self.end())
    }

    /// How the main task ended, if not Ok.
    pub(crate) fn main_failed(&self) -> Option<Failure> {
        let outcome = self.lab.kernel().root().outcome()?;
        if outcome.is_ok() {
            return None;
        }
        Some(self.lab.fail(Reason::Main(format!("{outcome:?}"))))
    }

    /// The run, once the root is closed.
    pub(crate) fn end(self) -> Run<T> {
        let Session { lab, handle, .. } = self;
        Run {
            outcome: finished(handle),
            root: lab.kernel().root().outcome().expect("the root is closed"),
            trace: lab.take_trace(),
            choices: lab.choices().to_vec(),
            steps: lab.steps(),
            ended: lab.now(),
            chaos: lab.chaos(),
        }
    }
}

impl Snapshot {
    /// Runs `main` from the start to the step of this snapshot, and compares (LAB-18). The session
    /// goes on as the run did from which the snapshot was taken.
    ///
    /// # Errors
    /// `Diverged` if the program does not lead to this state.
    pub fn restore<T, F, Fut>(&self, config: &LabConfig, main: F) -> Result<Session<T>, Failure>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, asr_base::Failure>> + Send + 'static,
        T: Send + 'static,
    {
        let mut config = config.clone();
        config.seed = self.seed;
        config.schedule = Schedule::Resume(self.choices.clone(), self.generator);
        let mut session = Lab::new(config).start(main);
        while session.lab.steps() < self.step {
            if session.step()? {
                let what = format!(
                    "it ended at step {}, before the snapshot",
                    session.lab.steps()
                );
                return Err(session.lab.fail(Reason::Diverged(what)));
            }
        }
        let reached = session.lab.snapshot();
        if reached.state_hash() != self.state_hash() {
            let what = format!("another state at step {}", self.step);
            return Err(session.lab.fail(Reason::Diverged(what)));
        }
        Ok(session)
    }
}

fn finished<T>(handle: JoinHandle<T>) -> Outcome<T, Error> {
    match handle.try_join() {
        Ok(outcome) => outcome,
        Err(_) => unreachable!("the root closes after its children"),
    }
}
