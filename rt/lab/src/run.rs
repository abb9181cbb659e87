//! One run: the kernel, stepped.
//!
//! A step runs one task, or, when none is runnable, advances time to the earliest timer. Nothing
//! else moves, so a run is a function of program, configuration and choices (LAB-1).

use std::fmt;
use std::sync::Arc;

use asr_base::{Error, Outcome, Time};
use asr_kernel::sched::Governing;
use asr_kernel::simulation::Simulation;
use asr_kernel::{Cx, Kernel};
use asr_trace::{Draft, Log, Sub};

use crate::chaos::Counts;
use crate::config::LabConfig;
use crate::driver::{Seam, Shared};
use crate::failure::{Evidence, Failure, LiveTask, Reason};
use crate::oracle::{Finding, Oracles};
use crate::schedule::{Choice, Chooser};
use crate::session::Session;
use crate::snapshot::Snapshot;
use crate::tape::Tape;

/// A kernel that is run step by step.
pub struct Lab {
    kernel: Arc<Kernel>,
    shared: Arc<Shared>,
    governing: Option<Governing>,
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
    /// What chaos did.
    pub chaos: Counts,
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
        let shared = Shared::new(&config, chooser.by_lanes());
        let mut inside = config.kernel.clone();
        if let Some(governor) = &mut inside.governor {
            governor.seed = config.seed;
        }
        inside.watch |= config.chaos.is_some() || config.target.is_some() || config.count_points;
        let kernel = Kernel::new(Box::new(Seam(shared.clone())), inside);
        let tape = tape_of(&config).map(Arc::new);
        let governing = Governing::start(&kernel, 0);
        if let Some(tape) = &tape {
            kernel.trace_to(tape.clone());
        }
        Lab {
            kernel,
            shared,
            governing,
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

    pub(crate) fn is_closed(&self) -> bool {
        self.shared.is_closed()
    }

    /// The tasks that could run now.
    pub fn runnable(&self) -> Vec<asr_base::TaskId> {
        self.shared.runnable()
    }

    /// Advances time by hand, and fires what is due (LAB-3).
    pub fn advance_to(&mut self, now: Time) -> usize {
        let _here = Simulation::enter();
        self.shared.set_time(now.max(self.shared.time()));
        self.kernel.advance(self.shared.time())
    }

    /// One step.
    pub fn step(&mut self) -> Step {
        let _here = Simulation::enter();
        let alternatives = self.shared.alternatives();
        if alternatives > 0 {
            self.steps += 1;
            let waiting = self.shared.runnable_len();
            self.kernel.queue_holds(0, waiting);
            self.kernel.queues_hold(|| waiting);
            if let Some(governing) = &mut self.governing {
                self.shared.govern(&self.kernel, governing);
            }
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
        self.no_futurelock()?;
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
        Session::new(self, handle)
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

    /// Says of each task that holds something for too long that it does (LAB-13).
    fn no_futurelock(&self) -> Result<(), Failure> {
        let Some(tape) = &self.tape else {
            return Ok(());
        };
        for idle in tape.stepped(self.steps) {
            let trace = self.kernel.trace();
            if let Some(draft) = Draft::sub(Sub::FuturelockDetected, self.now()) {
                let draft = draft.task(idle.task).region(idle.region);
                trace.emit(|| draft.words(idle.held, idle.steps, 0));
            }
            if self.config.panic_on_futurelock {
                return Err(self.fail(Reason::Futurelock(idle.task, idle.held, idle.steps)));
            }
        }
        Ok(())
    }

    /// What chaos did so far.
    pub fn chaos(&self) -> Counts {
        self.shared.trouble().counts()
    }

    pub(crate) fn shared_state(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Whether no oracle objected since the last look.
    pub(crate) fn unbroken(&self) -> Result<(), Failure> {
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
    let wanted = config.capture_trace || config.oracles || config.panic_on_futurelock;
    wanted.then(|| Tape::new(config, oracles))
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

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab")
            .field("seed", &self.config.seed)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}
