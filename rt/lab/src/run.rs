//! One run: the kernel, stepped.
//!
//! A step runs one task, or, when none is runnable, advances time to the earliest timer. Nothing
//! else moves, so a run is a function of program, configuration and choices (LAB-1).

use std::fmt;
use std::sync::Arc;

use asr_base::{Error, Outcome, Time};
use asr_kernel::{Cx, JoinHandle, Kernel};
use asr_trace::{Log, Recorder};

use crate::config::LabConfig;
use crate::driver::{Seam, Shared};
use crate::failure::{Failure, LiveTask, Reason};
use crate::schedule::{Choice, Chooser};

/// A kernel that is run step by step.
pub struct Lab {
    kernel: Arc<Kernel>,
    shared: Arc<Shared>,
    recorder: Option<Arc<Recorder>>,
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
        let recorder = config.capture_trace.then(|| Arc::new(Recorder::lab(1024)));
        if let Some(recorder) = &recorder {
            kernel.trace().set(recorder.clone());
        }
        Lab {
            kernel,
            shared,
            recorder,
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
            if self.chooser.diverged {
                let what = format!("choice {} has no such place", self.choices().len() - 1);
                return Err(self.fail(Reason::Diverged(what)));
            }
        }
        Ok(())
    }

    /// Runs `main` as a task of the root, closes the root, and returns when it is closed.
    ///
    /// # Errors
    /// How the run failed.
    pub fn run<T, F, Fut>(mut self, main: F) -> Result<Run<T>, Failure>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, asr_base::Failure>> + Send + 'static,
        T: Send + 'static,
    {
        let root = self.kernel.root();
        let handle = root.spawn(main).expect("a fresh root is open");
        self.step_until(|_| handle.is_finished())?;
        root.begin_close();
        self.step_until(|lab| lab.shared.is_closed())?;
        let outcome = finished(handle);
        Ok(Run {
            outcome,
            root: root.outcome().expect("the root is closed"),
            trace: self.take_trace(),
            choices: self.chooser.made().to_vec(),
            steps: self.steps,
            ended: self.now(),
        })
    }

    /// What was recorded since the last call.
    pub fn take_trace(&self) -> Log {
        self.recorder
            .as_ref()
            .map(|recorder| recorder.take())
            .unwrap_or_default()
    }

    pub(crate) fn fail(&self, reason: Reason) -> Failure {
        let live = self.kernel.tasks();
        Failure {
            reason,
            seed: self.config.seed,
            step: self.steps,
            at: self.now(),
            choices: self.chooser.made().to_vec(),
            live: live
                .iter()
                .map(|task| LiveTask {
                    id: task.id(),
                    name: task.name(),
                    phase: task.phase(),
                    message: task.message(),
                })
                .collect(),
        }
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
