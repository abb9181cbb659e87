//! One run: the kernel, stepped.
//!
//! A step runs one task, or, when none is runnable, advances time to the earliest timer. Nothing
//! else moves, so a run is a function of program, configuration and choices (LAB-1).

use std::fmt;
use std::sync::Arc;

use asr_base::{Error, Outcome, Time};
use asr_kernel::{Cx, JoinHandle, Kernel};
use asr_trace::Log;

use crate::config::LabConfig;
use crate::driver::{Seam, Shared};
use crate::failure::{Evidence, Failure, LiveTask, Reason};
use crate::oracle::{Finding, Oracles};
use crate::schedule::{Choice, Chooser, Schedule};
use crate::snapshot::Snapshot;
use crate::tape::Tape;

/// A kernel that is run step by step.
pub struct Lab {
    kernel: Arc<Kernel>,
    shared: Arc<Shared>,
    tape: Option<Arc<Tape>>,
    chooser: Chooser,
    config: LabConfig,
    steps: u64,
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Run<T> {
    /// The outcome of the main task.
    pub outcome: Outcome<T, Error>,
    /// The outcome of the root region, in which the main task is a child.
    pub root: Outcome<(), Error>,
    /// The trace; empty if `capture_trace` is off.
    pub trace: Log,
    /// The choices.
    pub choices: Vec<Choice>,
    /// How many steps were made.
    pub steps: u64,
    /// Virtual time at the end.
    pub ended: Time,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A task ran.
    Ran,
    /// Time went on, and so many timers fired.
    Advanced(usize),
    /// Nothing could happen.
    Idle,
}

impl Lab {
    /// A fresh kernel.
    pub fn new(config: LabConfig) -> Lab {
        let chooser = Chooser::new(config.schedule.clone(), config.seed);
        let shared = Shared::new(config.seed, chooser.by_lanes());
        let kernel = Kernel::new(Box::new(Seam(shared.clone())), config.kernel.clone());
        let tape = tape_of(&config).map(Arc::new);
        if let Some(tape) = &tape {
            kernel.trace_to(tape.clone());
        }
        Lab {
            kernel,
            shared,
            tape,
            chooser,
            config,
            steps: 0,
        }
    }

    /// The kernel: spawn into its root, ask it, shut it down.
    pub fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    /// Virtual time.
    pub fn now(&self) -> Time {
        self.shared.time()
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The choices so far.
    pub fn choices(&self) -> &[Choice] {
        self.chooser.made()
    }

    /// The tasks that could run now.
    pub fn runnable(&self) -> Vec<asr_base::TaskId> {
        self.shared.runnable()
    }

    /// Advances time by hand, and fires what is due (LAB-3).
    pub fn advance_to(&mut self, now: Time) -> usize {
        self.shared.set_time(now.max(self.shared.time()));
        self.kernel.advance(self.shared.time())
    }

    /// One step.
    pub fn step(&mut self) -> Step {
        let alternatives = self.shared.alternatives();
        if alternatives > 0 {
            self.steps += 1;
            let place = self.chooser.choose(alternatives);
            if let Some(task) = self.shared.take(place) {
                self.kernel.run(task);
            }
            return Step::Ran;
        }
        match self.kernel.next_deadline() {
            Some(at) if self.config.auto_advance => {
                self.steps += 1;
                Step::Advanced(self.advance_to(at))
            }
            _ => Step::Idle,
        }
    }

    /// Steps until `done` says so.
    ///
    /// # Errors
    /// How the run failed.
    pub fn step_until(&mut self, mut done: impl FnMut(&Lab) -> bool) -> Result<(), Failure> {
        while !done(self) {
            self.checked_step()?;
        }
        Ok(())
    }

    /// One step that must be possible.
    ///
    /// # Errors
    /// How the run failed.
    pub fn checked_step(&mut self) -> Result<(), Failure> {
        if self.steps >= self.config.max_steps {
            return Err(self.fail(Reason::StepLimit));
        }
        if self.step() == Step::Idle {
            let waits = self.kernel.next_deadline().is_some();
            let reason = if waits {
                Reason::Stopped
            } else {
                Reason::Deadlock
            };
            return Err(self.fail(reason));
        }
        self.unbroken()?;
        if self.chooser.diverged {
            let what = format!("choice {} has other alternatives", self.choices().len());
            return Err(self.fail(Reason::Diverged(what)));
        }
        Ok(())
    }

    /// Starts `main` as a task of the root; the session steps it.
    pub fn start<T, F, Fut>(self, main: F) -> Session<T>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, asr_base::Failure>> + Send + 'static,
        T: Send + 'static,
    {
        let handle = self
            .kernel
            .root()
            .spawn(main)
            .expect("a fresh root is open");
        Session {
            lab: self,
            handle,
            closing: false,
        }
    }

    /// Runs `main` as a task of the root, closes the root, and returns when it is closed.
    ///
    /// # Errors
    /// How the run failed.
    pub fn run<T, F, Fut>(self, main: F) -> Result<Run<T>, Failure>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, asr_base::Failure>> + Send + 'static,
        T: Send + 'static,
    {
        self.start(main).finish()
    }

    /// What was recorded since the last call.
    pub fn take_trace(&self) -> Log {
        let tape = self.tape.as_ref();
        tape.map(|tape| tape.take()).unwrap_or_default()
    }

    /// Whether no oracle objected since the last look.
    fn unbroken(&self) -> Result<(), Failure> {
        match self.tape.as_ref().and_then(|tape| tape.found()) {
            Some(finding) => Err(self.broken(&finding)),
            None => Ok(()),
        }
    }

    fn broken(&self, finding: &Finding) -> Failure {
        let mut failure = self.fail(Reason::Oracle(finding.oracle, finding.to_string()));
        failure.evidence.past = finding.past(&failure.evidence.trace.events);
        failure
    }

    /// The state at this step (LAB-15).
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            seed: self.config.seed,
            step: self.steps,
            now: self.now(),
            generator: self.chooser.generator(),
            regions: self.kernel.inspect_regions(),
            tasks: self.kernel.inspect_tasks(),
            timers: self.kernel.inspect_timers(),
            queue: self.shared.runnable(),
            marking: self.kernel.inspect_marking(),
            choices: self.chooser.made().to_vec(),
        }
    }

    pub(crate) fn fail(&self, reason: Reason) -> Failure {
        let live = self.kernel.tasks();
        let mut evidence = Evidence::default();
        if let Some(tape) = &self.tape {
            evidence.trace = tape.copy();
        }
        Failure {
            reason,
            evidence: Box::new(evidence),
            seed: self.config.seed,
            step: self.steps,
            at: self.now(),
            choices: self.chooser.made().to_vec(),
            live: live
                .iter()
                .map(|task| LiveTask {
                    id: task.id(),
                    region: task.region_id(),
                    waits_for: task.waits_for(),
                    name: task.name(),
                    phase: task.phase(),
                    message: task.message(),
                })
                .collect(),
        }
    }
}

fn tape_of(config: &LabConfig) -> Option<Tape> {
    let oracles = if config.oracles {
        Oracles::all()
    } else {
        Oracles::none()
    };
    (config.capture_trace || config.oracles).then(|| Tape::new(config.capture_trace, oracles))
}

/// A run that is given up leaves nothing behind: live tasks, and what they hold, go with it.
impl Drop for Lab {
    fn drop(&mut self) {
        if !self.shared.is_closed() {
            self.kernel.abandon();
        }
        self.shared.clear();
    }
}

/// A run of a main task, step by step.
#[derive(Debug)]
pub struct Session<T> {
    lab: Lab,
    handle: JoinHandle<T>,
    closing: bool,
}

impl<T> Session<T> {
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
            self.lab.kernel.root().begin_close();
        }
        if self.lab.shared.is_closed() {
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
        let outcome = self.lab.kernel.root().outcome()?;
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
            root: lab.kernel.root().outcome().expect("the root is closed"),
            trace: lab.take_trace(),
            choices: lab.chooser.made().to_vec(),
            steps: lab.steps,
            ended: lab.now(),
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
        while session.lab.steps < self.step {
            if session.step()? {
                let what = format!(
                    "it ended at step {}, before the snapshot",
                    session.lab.steps
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

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab")
            .field("seed", &self.config.seed)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}
