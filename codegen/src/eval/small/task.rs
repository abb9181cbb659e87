//! Tasks: begun, cancelled, ended.

use asr_abi::{Ret, status};

use super::wait::Wait;
use super::{Answer, Kind, Small, id, index};
use crate::air::exception_word;

/// Deepest nesting of masks.
const MASKS_MAX: u32 = 64;

/// A task.
#[derive(Clone, Debug)]
pub(super) struct SmallTask {
    pub(super) region: usize,
    pub(super) done: Option<Ret>,
    pub(super) is_cancelled: bool,
    pub(super) masks: u32,
    pub(super) wait: Wait,
    /// Whether it is in the queue.
    pub(super) is_ready: bool,
    /// Whether somebody may still join it.
    pub(super) is_held: bool,
}

impl Small {
    /// A task in a region of this id, or in that of the current task, or else in the outermost one.
    ///
    /// # Errors
    /// The status with which a spawn is refused.
    pub fn spawn(&mut self, region: Option<u64>) -> Result<u64, u32> {
        if self.regions.is_empty() {
            self.open_below(None);
        }
        let region = match (region, self.current) {
            (Some(region), _) => self.region(region)?,
            (None, Some(task)) => self.tasks[task].region,
            (None, None) => 0,
        };
        if self.regions[region].is_closed {
            return Err(status::REGION_CLOSED);
        }
        if self.regions[region].is_closing {
            return Err(status::REGION_CLOSING);
        }
        let is_cancelled = self.regions[region].is_cancelled;
        self.tasks.push(SmallTask {
            region,
            done: None,
            is_cancelled,
            masks: 0,
            wait: Wait::None,
            is_ready: false,
            is_held: true,
        });
        let task = self.tasks.len() - 1;
        self.wake(task);
        Ok(id(Kind::Task, task))
    }

    /// The current task has ended in this way.
    pub fn ended(&mut self, ret: Ret) {
        if let Some(task) = self.current.take() {
            let held = self.permits.iter();
            let held = held.filter(|permit| permit.is_open && permit.holder == task);
            self.leaks += held.count();
            self.end(task, ret);
        }
    }

    /// A suspended task is gone, with what it held: it ended cancelled.
    pub fn dropped(&mut self, task: u64) {
        if let Ok(task) = index(Kind::Task, task, self.tasks.len()) {
            let ret = super::ret(Err(status::CANCELLED));
            self.end(task, ret);
        }
    }

    fn end(&mut self, task: usize, ret: Ret) {
        self.tasks[task].done = Some(ret);
        for permit in 0..self.permits.len() {
            if self.permits[permit].is_open && self.permits[permit].holder == task {
                self.release(permit);
            }
        }
        let region = self.tasks[task].region;
        match u32::try_from(ret.status) {
            Ok(status::OK) => {}
            Ok(status::CANCELLED) => self.regions[region].had_cancel = true,
            _ => {
                let word = exception_word(ret.value, ret.status);
                self.regions[region].failed.get_or_insert(word);
                self.cancel_region(region);
            }
        }
        for waiter in 0..self.tasks.len() {
            if matches!(self.tasks[waiter].wait, Wait::Join(of) if of == task) {
                self.wake(waiter);
            }
        }
        self.wake_closers();
    }

    /// How a task ended, if it has.
    pub fn outcome(&self, task: u64) -> Option<Ret> {
        self.tasks[index(Kind::Task, task, self.tasks.len()).ok()?].done
    }

    /// Asks a task to cancel, whoever holds its handle.
    pub fn cancel(&mut self, task: u64) {
        if let Ok(task) = index(Kind::Task, task, self.tasks.len()) {
            self.cancel_task(task);
        }
    }

    /// Whether the current task has a cancel that is not masked: what sets bit 0 of the flag.
    pub fn is_cancelling(&self) -> bool {
        self.current
            .map(|task| &self.tasks[task])
            .is_some_and(|task| task.is_cancelled && task.masks == 0)
    }

    /// The current task is suspended without waiting for anything.
    pub fn yields(&mut self) {
        if let Some(task) = self.current {
            self.wake(task);
        }
    }

    pub(super) fn cancel_task(&mut self, task: usize) {
        if self.tasks[task].done.is_some() {
            return;
        }
        self.tasks[task].is_cancelled = true;
        if self.current != Some(task) {
            self.wake(task);
        }
    }

    /// Whether a cancel was asked for, masked or not.
    pub(super) fn cancel_requested(&self, task: usize) -> bool {
        self.tasks[task].is_cancelled
    }

    /// The task of this handle.
    pub(super) fn task(&self, id: u64) -> Result<usize, u32> {
        let task = index(Kind::Task, id, self.tasks.len())?;
        match self.tasks[task].is_held {
            true => Ok(task),
            false => Err(status::STALE_HANDLE),
        }
    }

    /// The same, and nobody may join it any more.
    pub(super) fn take_task(&mut self, id: u64) -> Result<usize, u32> {
        let task = self.task(id)?;
        self.tasks[task].is_held = false;
        Ok(task)
    }

    pub(super) fn mask(&mut self, task: usize) -> Answer {
        match &mut self.tasks[task].masks {
            masks if *masks < MASKS_MAX => {
                *masks += 1;
                Ok(0)
            }
            _ => Err(status::MASK_LIMIT),
        }
    }

    pub(super) fn unmask(&mut self, task: usize) -> Answer {
        let masks = &mut self.tasks[task].masks;
        *masks = masks.saturating_sub(1);
        Ok(0)
    }
}
