//! The deadline monitor: says which tasks are about to miss their deadline, before they do (SCH-42,
//! SCH-43). Off unless configured.
//!
//! A task is watched while it has a deadline and no cancel. It is warned about once, as soon as a
//! check finds that
//! - of the time it had when it was first seen no more than a fraction is left, or
//! - it takes longer than a percentile of the last completions of its name.
//!
//! Protocol
//! 1. Arming the timer of a deadline arms the monitor; a check arms it again while there is
//!    somebody to watch. So an idle runtime has no timer of it.
//! 2. A check looks at the driver's time. Who has another clock ([`Kernel::check_deadlines`]), such
//!    as the thread that watches stuck workers, tells the monitor that time goes on while the
//!    driver's stands still.
//! 3. The callback runs without a lock, and its panics are contained.

mod history;
mod watch;

use std::fmt;
use std::sync::Arc;

use asr_base::{Duration, Error, Status, TaskId, Time};

pub(crate) use watch::Watch;
pub use watch::{Seen, Watcher};

use crate::kernel::Kernel;
use crate::task::Task;
use crate::task::side::Side;

/// What the monitor is configured with.
#[derive(Clone)]
pub struct MonitorConfig {
    /// Time between two checks: 1 s; 1 ms at least.
    pub interval: Duration,
    /// Of the time a task had, in thousandths, what must be left: 200.
    pub permille_left: u32,
    /// Compares a task with earlier ones of its name: the 95th percentile of 256.
    pub adaptive: Option<Adaptive>,
    /// Told of each warning.
    pub warn: Arc<dyn Fn(&Warning) + Send + Sync>,
}

/// The threshold by experience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adaptive {
    /// Of the completions of a name, the share that took less, in percent: 95.
    pub percentile: u8,
    /// Completions that are remembered for a name: 256. No warning before there are as many.
    pub samples: usize,
}

impl Default for Adaptive {
    fn default() -> Adaptive {
        Adaptive {
            percentile: 95,
            samples: 256,
        }
    }
}

impl MonitorConfig {
    /// The shortest time between two checks.
    pub const SHORTEST: Duration = Duration::from_millis(1);

    /// The defaults, and who is told.
    pub fn new(warn: impl Fn(&Warning) + Send + Sync + 'static) -> MonitorConfig {
        MonitorConfig {
            interval: Duration::from_secs(1),
            permille_left: 200,
            adaptive: Some(Adaptive::default()),
            warn: Arc::new(warn),
        }
    }

    /// The same, if every value makes sense.
    ///
    /// # Errors
    /// `BAD_ARGUMENT`, naming the value.
    pub fn checked(self) -> Result<MonitorConfig, Error> {
        let bad = |what: &str| Err(Error::new(Status::BAD_ARGUMENT, format!("monitor: {what}")));
        if self.interval < MonitorConfig::SHORTEST {
            return bad("`interval` must be 1 ms at least");
        }
        if self.permille_left > 1000 {
            return bad("`permille_left` must be from 0 to 1000");
        }
        match self.adaptive {
            Some(Adaptive { percentile, .. }) if !(1..=100).contains(&percentile) => {
                bad("`percentile` must be from 1 to 100")
            }
            Some(Adaptive { samples: 0, .. }) => bad("`samples` must be at least 1"),
            _ => Ok(self),
        }
    }
}

impl fmt::Debug for MonitorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitorConfig")
            .field("interval", &self.interval)
            .field("permille_left", &self.permille_left)
            .field("adaptive", &self.adaptive)
            .finish_non_exhaustive()
    }
}

/// A task that is about to miss its deadline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The task.
    pub task: TaskId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its deadline.
    pub deadline: Time,
    /// The time until then.
    pub left: Duration,
    /// Since the monitor first saw it.
    pub watched: Duration,
    /// Why.
    pub why: Why,
    /// The message of its last checkpoint.
    pub message: Option<&'static str>,
}

/// Which threshold was crossed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Little of the time it had is left.
    LittleTimeLeft,
    /// Tasks of its name mostly end sooner.
    SlowerThanUsual {
        /// The percentile of their durations.
        usual: Duration,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.task)?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        write!(f, " has {:?} left after {:?}", self.left, self.watched)?;
        if let Why::SlowerThanUsual { usual } = self.why {
            write!(f, "; most of its name take {usual:?}")?;
        }
        match self.message {
            Some(message) => write!(f, "; last checkpoint: {message}"),
            None => Ok(()),
        }
    }
}

impl Kernel {
    /// Time between two checks; without a monitor there are none.
    pub(crate) fn check_interval(&self) -> Duration {
        self.watch().map_or(Duration::MAX, Watch::interval)
    }

    /// Lets the monitor check now, where one is configured. `clock` is any clock that goes on while
    /// the driver's time stands still; only differences of it count.
    ///
    /// Returns how many tasks are watched.
    pub fn check_deadlines(&self, clock: Time) -> usize {
        let Some(watch) = self.watch() else { return 0 };
        let live = self.tasks();
        let watched = live.iter().filter_map(|task| Seen::of(task));
        let (warnings, watched) = watch.check(self.now(), clock, watched);
        for warning in warnings {
            watch.tell(&warning);
        }
        watched
    }
}

/// When a task gets its name, if durations are remembered.
pub(crate) fn named(task: &Task) -> Option<Time> {
    let kernel = task.kernel();
    kernel.watch().map(|_| kernel.now())
}

/// A task completed: how long it took counts for those of its name.
#[inline]
pub(crate) fn completed(task: &Task) {
    if let Some(side) = task.side() {
        completed_in(task, side);
    }
}

fn completed_in(task: &Task, side: &Side) {
    let Some(watch) = task.kernel().watch() else {
        return;
    };
    let side = side.lock();
    let named = side
        .rare()
        .and_then(|rare| rare.name.clone().zip(rare.named));
    drop(side);
    if let Some((name, since)) = named {
        watch.completed(&name, task.kernel().now().since(since));
    }
}

/// The monitor's timer fired.
pub(crate) fn turn(kernel: &Kernel) {
    if let Some(watch) = kernel.watch() {
        watch.disarm();
        if kernel.check_deadlines(kernel.now()) > 0 {
            watch.arm(kernel);
        }
    }
}
