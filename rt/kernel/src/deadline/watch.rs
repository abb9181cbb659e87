//! Who is watched, and what each check finds: no clock, no thread.
//!
//! Invariants
//! 1. A task is warned about at most once, until it is no longer watched.
//! 2. Time never goes back: it is the driver's, plus what the other clock went on while the
//!    driver's stood still.

use std::collections::BTreeMap;

use asr_base::{Duration, TaskId, Time};

use super::history::History;
use super::{MonitorConfig, Warning, Why};
use crate::kernel::Kernel;
use crate::kernel::timers::Target;
use crate::sync::atomic::{AtomicBool, Ordering::*};
use crate::sync::{Mutex, lock, rank};
use crate::task::Task;
use crate::task::cell::contained;

/// A task as a check sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The task.
    pub task: TaskId,
    /// Its name.
    pub name: Option<String>,
    /// Its deadline.
    pub deadline: Time,
    /// The message of its last checkpoint.
    pub message: Option<&'static str>,
}

impl Seen {
    /// `None` if the task is not to be watched.
    pub(crate) fn of(task: &Task) -> Option<Seen> {
        if !task.word.clear() {
            return None;
        }
        let deadline = task.budget().deadline;
        (deadline != Time::MAX).then(|| Seen {
            task: task.id(),
            name: task.name(),
            deadline,
            message: task.message(),
        })
    }
}

struct Watched {
    /// When it was first seen, and what it had left.
    since: Time,
    had: Duration,
    warned: bool,
}

/// The policy. See the module.
#[derive(Default)]
pub struct Watcher {
    tasks: BTreeMap<TaskId, Watched>,
    history: History,
    /// The driver's time and the other clock at the last check.
    last: Option<(Time, Time)>,
    /// What the other clock is ahead.
    ahead: Duration,
}

impl Watcher {
    /// Nobody.
    pub fn new() -> Watcher {
        Watcher::default()
    }

    /// A task of this name completed after so long.
    pub fn completed(&mut self, config: &MonitorConfig, name: &str, took: Duration) {
        if let Some(adaptive) = config.adaptive {
            self.history.add(name, took, adaptive.samples);
        }
    }

    /// One check of the tasks that have a deadline now. Returns the warnings, by task, and how many
    /// are watched.
    pub fn check(
        &mut self,
        config: &MonitorConfig,
        now: Time,
        clock: Time,
        seen: impl IntoIterator<Item = Seen>,
    ) -> (Vec<Warning>, usize) {
        let now = self.time(now, clock);
        let mut before = std::mem::take(&mut self.tasks);
        let mut warnings = Vec::new();
        for seen in seen {
            let left = seen.deadline.since(now);
            let mut watched = before.remove(&seen.task).unwrap_or(Watched {
                since: now,
                had: left,
                warned: false,
            });
            let elapsed = now.since(watched.since);
            if let (false, Some(why)) = (watched.warned, self.why(config, &watched, &seen, now)) {
                watched.warned = true;
                warnings.push(Warning {
                    task: seen.task,
                    name: seen.name,
                    deadline: seen.deadline,
                    left,
                    watched: elapsed,
                    why,
                    message: seen.message,
                });
            }
            self.tasks.insert(seen.task, watched);
        }
        warnings.sort_by_key(|warning| warning.task);
        (warnings, self.tasks.len())
    }

    fn why(
        &self,
        config: &MonitorConfig,
        watched: &Watched,
        seen: &Seen,
        now: Time,
    ) -> Option<Why> {
        let left = seen.deadline.since(now).as_nanos();
        // u128 has room for 584 years in nanoseconds, a thousand times.
        if left * 1000 <= watched.had.as_nanos() * u128::from(config.permille_left) {
            return Some(Why::LittleTimeLeft);
        }
        let (adaptive, name) = config.adaptive.zip(seen.name.as_deref())?;
        let usual = (self.history).usual(name, adaptive.percentile, adaptive.samples)?;
        (now.since(watched.since) > usual).then_some(Why::SlowerThanUsual { usual })
    }

    /// Invariant 2.
    fn time(&mut self, now: Time, clock: Time) -> Time {
        match self.last {
            Some((before, clock_before)) if before == now => {
                self.ahead += clock.since(clock_before);
            }
            // It moves again: what it had stood still for counts until it has caught up.
            Some((before, _)) => self.ahead = self.ahead.saturating_sub(now.since(before)),
            None => {}
        }
        self.last = Some((now, clock));
        now.saturating_add(self.ahead)
    }
}

/// A watcher that is shared, with its configuration.
pub(crate) struct Watch {
    config: MonitorConfig,
    watcher: Mutex<Watcher, rank::Deadlines>,
    /// Its timer is armed.
    armed: AtomicBool,
}

impl Watch {
    pub(crate) fn new(config: MonitorConfig) -> Watch {
        Watch {
            config,
            watcher: Mutex::new(Watcher::new()),
            armed: AtomicBool::new(false),
        }
    }

    pub(crate) fn interval(&self) -> Duration {
        self.config.interval.max(MonitorConfig::SHORTEST)
    }

    /// Arms the timer of the next check, if it is not. Relaxed: the flag orders nothing; who finds
    /// it set is seen by the check of the timer that is armed, or by the one after it.
    pub(crate) fn arm(&self, kernel: &Kernel) {
        if !self.armed.swap(true, Relaxed) {
            let at = kernel.now().saturating_add(self.interval());
            // Refused once the root has closed: then there is nobody to watch.
            let _ = kernel.timer_set(at, Target::Monitor);
        }
    }

    pub(crate) fn disarm(&self) {
        self.armed.store(false, Relaxed);
    }

    pub(super) fn check(
        &self,
        now: Time,
        clock: Time,
        seen: impl Iterator<Item = Seen>,
    ) -> (Vec<Warning>, usize) {
        // Looked at before the lock: each takes locks of its own.
        let seen: Vec<Seen> = seen.collect();
        lock(&self.watcher).check(&self.config, now, clock, seen)
    }

    pub(super) fn tell(&self, warning: &Warning) {
        contained(|| (self.config.warn)(warning));
    }

    pub(crate) fn completed(&self, name: &str, took: Duration) {
        lock(&self.watcher).completed(&self.config, name, took);
    }
}
