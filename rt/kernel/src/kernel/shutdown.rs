//! The end of a runtime: one cancel of the root, whoever asks for it and how often (CAN-25), and a
//! grace after which its driver may give up (CAN-26).

use std::fmt;

use asr_base::{CancelKind, CancelReason, Error, Origin, RegionId, Status, TaskId, Time};

use super::Kernel;
use crate::cancel;
use crate::region;
use crate::sync::atomic::Ordering::*;
use crate::task::Phase;

/// A task that outlived the grace of a shutdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The task.
    pub task: TaskId,
    /// Its region.
    pub region: RegionId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// How far it is.
    pub phase: Phase,
    /// Inside a poll that does not return.
    pub in_poll: bool,
    /// The message of its last checkpoint.
    pub message: Option<&'static str>,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.task)?;
        if let Some(name) = &self.name {
            write!(f, " `{name}`")?;
        }
        write!(f, " of {} is {:?}", self.region, self.phase)?;
        if self.in_poll {
            write!(f, ", in its poll")?;
        }
        match self.message {
            Some(message) => write!(f, ", last checkpoint: {message}"),
            None => Ok(()),
        }
    }
}

impl Kernel {
    /// Ends the runtime: a cancel of the root with Shutdown, and its close. From now on spawns give
    /// `SHUTDOWN`, and timers once nothing is left to clean up (CAN-25). Any number of callers, on
    /// any thread, one shutdown.
    pub fn shutdown(&self) {
        if self.shutdown.swap(true, AcqRel) || self.is_closed() {
            return;
        }
        let root = self.root();
        let origin = Origin::Region(root.id());
        let reason = CancelReason::new(CancelKind::Shutdown, origin, self.now());
        let request = cancel::request(self, reason);
        let grace = self.config.shutdown_grace;
        let ends = request.cleanup.deadline.saturating_add(grace);
        // Release: who sees the end of the grace sees the shutdown.
        self.grace_ends.store(ends.as_nanos(), Release);
        cancel::request_region(root.region(), request);
        region::close::close(root.region());
        self.driver.grace_began(ends);
    }

    /// True once [`shutdown`](Kernel::shutdown) was called.
    pub fn is_shut_down(&self) -> bool {
        self.shutdown.load(Acquire)
    }

    /// When the grace of the shutdown ends (CAN-26): a driver whose root is not closed by then
    /// returns control, and says who is [`stuck`](Kernel::stuck). `None` without a shutdown.
    pub fn grace_ends(&self) -> Option<Time> {
        let ends = self.grace_ends.load(Acquire);
        (ends != u64::MAX).then(|| Time::from_nanos(ends))
    }

    /// Whether its grace has ended by `now`: a driver gives up then.
    pub(crate) fn grace_is_over(&self, now: Time) -> bool {
        self.grace_ends().is_some_and(|ends| ends <= now)
    }

    /// What a driver returns that gave up: who is stuck.
    pub(crate) fn incomplete(&self) -> Error {
        let stuck: Vec<String> = self.stuck().iter().map(Stuck::to_string).collect();
        let what = format!("the shutdown is incomplete: {}", stuck.join("; "));
        Error::new(Status::TIMED_OUT, what)
    }

    /// Every task that has not completed, in order of index.
    pub fn stuck(&self) -> Vec<Stuck> {
        let tasks = self.tasks();
        let stuck = tasks.iter().map(|task| Stuck {
            task: task.id(),
            region: task.region_id(),
            name: task.name(),
            phase: task.phase(),
            in_poll: task.word.load().is_polling(),
            message: task.message(),
        });
        stuck.collect()
    }
}
