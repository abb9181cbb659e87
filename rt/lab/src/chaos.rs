//! Chaos: faults by chance before and after polls (LAB-9, LAB-10), or one at a chosen cancel point
//! (LAB-11).
//!
//! Each kind has its own probability, and at each point each kind is drawn for once, whether it can
//! happen or not; all from the stream of chaos (LAB-4), so chaos that never strikes changes nothing
//! else. Faults of devices come with the devices.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use asr_base::{Failure as TaskFailure, Purpose, Rng, TaskId};
use asr_kernel::Cx;
use asr_kernel::inject::{Injection, Point};
use asr_kernel::task::TaskRef;

use crate::config::LabConfig;
use crate::failure::Failure;
use crate::run::{Lab, Run};

/// How often something happens, in millionths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u32);

impl Rate {
    /// Always.
    pub const ONE: Rate = Rate(1_000_000);

    fn strikes(self, stream: &mut Rng) -> bool {
        stream.below(1_000_000) < u64::from(self.0)
    }
}

/// How likely each kind of fault is at each point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chaos {
    /// A cancel of the task.
    pub cancel: Rate,
    /// The poll is put off, by up to `longest_delay`: before polls only, and once for each poll.
    pub delay: Rate,
    /// The task's budget has no poll left.
    pub exhaust: Rate,
    /// Every live task is woken for nothing.
    pub wake_storm: Rate,
    /// The task panics.
    pub panic: Rate,
    /// The task holds a token that nobody resolves.
    pub leak: Rate,
    /// The longest delay; a millisecond if zero.
    pub longest_delay: Duration,
}

impl Chaos {
    /// Nothing happens.
    pub const OFF: Chaos = Chaos::all(Rate(0));
    /// Each kind at one point in a hundred.
    pub const LIGHT: Chaos = Chaos::all(Rate(10_000));
    /// Each kind at one point in ten.
    pub const HEAVY: Chaos = Chaos::all(Rate(100_000));

    /// Every kind as likely.
    pub const fn all(rate: Rate) -> Chaos {
        Chaos {
            cancel: rate,
            delay: rate,
            exhaust: rate,
            wake_storm: rate,
            panic: rate,
            leak: rate,
            longest_delay: Duration::from_millis(1),
        }
    }
}

/// A cancel point of a task, named by the task's name, or by its id if it has none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CancelPoint {
    /// The task.
    pub task: String,
    /// The number of the point in that task, from 1.
    pub number: u32,
}

/// What happened how often, by the number of the injection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Points at which chance decided.
    pub points: u64,
    /// Per kind: cancel, delay, exhaust, wake storm, panic, leak.
    pub struck: [u64; 6],
}

/// The chaos of a run.
#[derive(Debug)]
pub(crate) struct Trouble {
    chaos: Option<Chaos>,
    target: Option<(CancelPoint, Injection)>,
    stream: Rng,
    counts: Counts,
    /// The tasks whose next poll was put off already.
    delayed: BTreeSet<TaskId>,
    /// Cancel points passed, when they are counted.
    passed: BTreeMap<String, u32>,
}

impl Trouble {
    pub(crate) fn new(config: &LabConfig) -> Trouble {
        Trouble {
            chaos: config.chaos,
            target: config.target.clone(),
            stream: Rng::stream(config.seed, Purpose::CHAOS),
            counts: Counts::default(),
            delayed: BTreeSet::new(),
            passed: BTreeMap::new(),
        }
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    pub(crate) fn at(&mut self, task: &TaskRef, point: Point) -> Vec<Injection> {
        let struck = match point {
            Point::Cancel(number) => self.at_cancel_point(task, number),
            Point::BeforePoll | Point::AfterPoll => self.by_chance(task.id(), point),
        };
        for injection in &struck {
            self.counts.struck[injection.number() as usize] += 1;
        }
        struck
    }

    fn at_cancel_point(&mut self, task: &TaskRef, number: u32) -> Vec<Injection> {
        let name = task.name().unwrap_or_else(|| task.id().to_string());
        let hit = match &self.target {
            Some((target, injection)) if target.task == name && target.number == number => {
                vec![*injection]
            }
            _ => Vec::new(),
        };
        self.passed.insert(name, number);
        hit
    }

    fn by_chance(&mut self, task: TaskId, point: Point) -> Vec<Injection> {
        let Some(chaos) = self.chaos else {
            return Vec::new();
        };
        self.counts.points += 1;
        let stream = &mut self.stream;
        let longest = u64::try_from(chaos.longest_delay.as_nanos()).unwrap_or(u64::MAX);
        let pause = 1 + stream.below(longest.clamp(1, u64::MAX - 1));
        let delay = Injection::Delay(Duration::from_nanos(pause));
        // The panic is last: nothing comes after it.
        let kinds = [
            (chaos.cancel, Injection::Cancel),
            (chaos.delay, delay),
            (chaos.exhaust, Injection::Exhaust),
            (chaos.wake_storm, Injection::WakeStorm),
            (chaos.leak, Injection::Leak),
            (chaos.panic, Injection::Panic),
        ];
        let before = point == Point::BeforePoll;
        let may_wait = before && !self.delayed.remove(&task);
        let mut struck = Vec::new();
        for (rate, injection) in kinds {
            let possible = may_wait || injection != delay;
            if rate.strikes(stream) && possible {
                struck.push(injection);
            }
        }
        if struck.contains(&delay) {
            self.delayed.insert(task);
        }
        struck
    }
}

/// Runs a scenario once per cancel point that it passes undisturbed, each time with a cancel at
/// that point, and shows every run to `look`. Returns the points.
///
/// # Errors
/// How the undisturbed run failed.
pub fn for_each_cancel_point<T, M, F, Fut>(
    config: &LabConfig,
    make: M,
    mut look: impl FnMut(&CancelPoint, Result<Run<T>, Failure>),
) -> Result<Vec<CancelPoint>, Failure>
where
    M: Fn() -> F,
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, TaskFailure>> + Send + 'static,
    T: Send + 'static,
{
    let mut watched = config.clone();
    watched.count_points = true;
    watched.target = None;
    let lab = Lab::new(watched.clone());
    let shared = lab.shared_state();
    lab.run(make())?;
    let passed = std::mem::take(&mut shared.trouble().passed);
    let points: Vec<CancelPoint> = passed
        .into_iter()
        .flat_map(|(task, last)| {
            (1..=last).map(move |number| CancelPoint {
                task: task.clone(),
                number,
            })
        })
        .collect();
    for point in &points {
        let mut config = watched.clone();
        config.target = Some((point.clone(), Injection::Cancel));
        look(point, Lab::new(config).run(make()));
    }
    Ok(points)
}
