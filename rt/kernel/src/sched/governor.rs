//! The seam of a governor: advice, every so many dispatches, from numbers that are at hand
//! (SCH-38).
//!
//! Invariants
//! 1. Advice cannot break anything: it is a few plain words, each of which chooses among outcomes
//!    that are all allowed. The choice ([`choice`](super::choice)) stays the judge of queues; of
//!    two tasks that tie the second may go first once per task ([`Tie`]); one promotion is for one
//!    task.
//! 2. A governor knows nothing but its snapshots: driver time, and numbers of the seed. In the lab
//!    equal seeds give equal advice, so equal traces.
//! 3. Each worker has its own governor, made when the worker starts, which stays with it when
//!    another thread takes its place: no state is shared unless who makes them shares it.
//! 4. It is called on the thread of its worker between two polls, with no lock held (SCH-36). A
//!    governor that panics is not called again; what it advised before ends.
//! 5. Off, nothing of this runs: workers ask where they look at timers anyway. On, nothing is
//!    allocated.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use asr_base::{Purpose, Rng, Time};

use super::choice::Choice;
use crate::kernel::Kernel;
use crate::task::end::contained;

/// How many tasks wait where, for one worker. Hints while thieves are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lengths {
    /// Its cancel lane.
    pub cancel: usize,
    /// Its timed lane.
    pub timed: usize,
    /// Its ready tasks: slot and ring.
    pub ready: usize,
    /// Its pinned inbox.
    pub pinned: usize,
    /// The injector, of all workers.
    pub injector: usize,
}

/// What a governor sees: only what is read in a few loads.
///
/// There is no count of finalizers that wait, nor of tasks in all regions: nobody keeps one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The worker that asks.
    pub worker: usize,
    /// Tasks that it has run.
    pub dispatches: u64,
    /// The driver's time: virtual in the lab.
    pub now: Time,
    /// A number of the stream of the seed, for this snapshot alone.
    pub draw: u64,
    /// Its queues.
    pub waiting: Lengths,
    /// Its longest run of cancelling tasks that kept others waiting.
    pub max_cancel_streak: u32,
    /// Times that it passed preferred work over, as the bounds ask.
    pub fairness_yields: u64,
    /// When the earliest timer may be due: deadlines are timers.
    pub next_timer: Option<Time>,
    /// Living children of the root region: tasks and regions.
    pub root_children: u64,
    /// The most tasks that had a record at a time, so far.
    pub most_tasks: u32,
    /// Obligations that have a record and are pending.
    pub obligations: u64,
    /// A shutdown has begun.
    pub shutdown: bool,
}

/// Work that is to be got out of the way (SCH-6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Drain {
    /// None.
    #[default]
    Off,
    /// What holds obligations.
    Obligations,
    /// What keeps regions from closing.
    Regions,
}

/// Which of the queues of ready tasks to take from, where either may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Prefer {
    /// As without a governor.
    #[default]
    Usual,
    /// Ring or pinned inbox before the newest-first slot.
    Queue,
    /// The injector before them.
    Injector,
}

/// Which of two tasks is first that are equal in their lane: of the same cancel priority, or with
/// the same deadline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tie {
    /// The one that came first, or has the smaller id.
    #[default]
    First,
    /// The next one; each task is passed over once at most.
    Second,
}

/// What a governor advises, until the next time that it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Advice {
    /// Doubles the limit of the cancel lane (SCH-6).
    pub drain: Drain,
    /// Among queues of ready tasks.
    pub prefer: Prefer,
    /// In the cancel lane.
    pub cancel_tie: Tie,
    /// In the timed lane.
    pub timed_tie: Tie,
    /// Of the cancel lane, the task that waits there longest is next, whatever its priority: once.
    pub promote: bool,
}

impl Advice {
    /// None: everything as usual.
    pub fn new() -> Advice {
        Advice::default()
    }
}

/// Gives advice to one worker. See the module.
///
/// ```
/// use asr_kernel::sched::governor::{Advice, Drain, Governor, GovernorConfig, Snapshot};
/// use asr_kernel::{Config, sched::Local};
///
/// struct Drains;
///
/// impl Governor for Drains {
///     fn advise(&mut self, snapshot: &Snapshot) -> Advice {
///         let mut advice = Advice::new();
///         if snapshot.waiting.cancel > 1000 {
///             advice.drain = Drain::Regions;
///         }
///         advice
///     }
/// }
///
/// let mut config = Config::default();
/// config.governor = Some(GovernorConfig::new(|_worker| Box::new(Drains)));
/// assert!(Local::new(config).run(async |_| Ok(())).is_ok());
/// ```
pub trait Governor: Send {
    /// Advice for the next dispatches. It should allocate nothing, and ask no clock: what it needs
    /// is in the snapshot.
    fn advise(&mut self, snapshot: &Snapshot) -> Advice;
}

type Make = dyn Fn(usize) -> Box<dyn Governor> + Send + Sync;

/// Turns governors on.
#[derive(Clone)]
#[non_exhaustive]
pub struct GovernorConfig {
    make: Arc<Make>,
    /// Dispatches of a worker between two calls: 32.
    pub interval: NonZeroU32,
    /// What numbers of snapshots are drawn from. The lab puts its own in: 0.
    pub seed: u64,
}

impl GovernorConfig {
    /// The default interval.
    pub const INTERVAL: NonZeroU32 = NonZeroU32::new(32).unwrap();

    /// `make` gives each worker, by its number, its governor.
    pub fn new(
        make: impl Fn(usize) -> Box<dyn Governor> + Send + Sync + 'static,
    ) -> GovernorConfig {
        GovernorConfig {
            make: Arc::new(make),
            interval: GovernorConfig::INTERVAL,
            seed: 0,
        }
    }
}

impl fmt::Debug for GovernorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GovernorConfig")
            .field("interval", &self.interval)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// The governor of a worker, and when it is asked next.
pub struct Governing {
    /// `None` after it has panicked.
    governor: Option<Box<dyn Governor>>,
    worker: usize,
    interval: u32,
    dispatches: u64,
    /// It is asked when there were so many.
    due: u64,
    /// What it advised last.
    advice: Advice,
    draws: Rng,
}

impl Governing {
    /// Of that worker, if governors are on.
    pub fn start(kernel: &Kernel, worker: usize) -> Option<Governing> {
        let config = kernel.config().governor.as_ref()?;
        let mut governor = None;
        if !contained(|| governor = Some((config.make)(worker))) {
            kernel.stats().governor_panics.add(1);
        }
        // Odd multiples keep the streams of workers apart.
        let seed = config.seed ^ (worker as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Some(Governing {
            governor,
            worker,
            interval: config.interval.get(),
            dispatches: 0,
            due: config.interval.get().into(),
            advice: Advice::default(),
            draws: Rng::stream(seed, Purpose::GOVERNOR),
        })
    }

    /// One more task is run. True when it is to be asked.
    pub fn ran_one(&mut self) -> bool {
        self.ran_to(self.dispatches + 1)
    }

    /// So many tasks were run. True when it is to be asked.
    pub(super) fn ran_to(&mut self, dispatches: u64) -> bool {
        self.dispatches = dispatches;
        dispatches >= self.due
    }

    /// Dispatches until it is asked.
    pub(super) fn left(&self) -> u64 {
        self.due.saturating_sub(self.dispatches)
    }

    /// What it advised last.
    pub(super) fn advice(&self) -> Advice {
        self.advice
    }

    /// Asks it. What it advises holds until the next time.
    pub fn ask(&mut self, kernel: &Kernel, waiting: Lengths, choice: &Choice) -> Advice {
        self.due = self.dispatches + u64::from(self.interval);
        self.advice = self.asked(kernel, waiting, choice);
        self.advice
    }

    fn asked(&mut self, kernel: &Kernel, waiting: Lengths, choice: &Choice) -> Advice {
        let Some(governor) = &mut self.governor else {
            return Advice::default();
        };
        let snapshot = Snapshot {
            worker: self.worker,
            dispatches: self.dispatches,
            now: kernel.now(),
            draw: self.draws.next_u64(),
            waiting,
            max_cancel_streak: choice.max_cancel_streak(),
            fairness_yields: choice.fairness_yields(),
            next_timer: kernel.turn_hint(),
            root_children: kernel.root_children(),
            most_tasks: kernel.most_tasks(),
            obligations: kernel.obligations().recorded(),
            shutdown: kernel.is_shut_down(),
        };
        let mut advice = Advice::default();
        if !contained(|| advice = governor.advise(&snapshot)) {
            kernel.stats().governor_panics.add(1);
            let gone = self.governor.take();
            contained(|| drop(gone));
        }
        advice
    }
}

impl fmt::Debug for Governing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Governing")
            .field("worker", &self.worker)
            .field("due", &self.due)
            .finish_non_exhaustive()
    }
}
