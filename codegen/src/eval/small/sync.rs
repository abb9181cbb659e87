//! Channels, semaphores and signals.

use std::collections::VecDeque;

use asr_abi::status;

use super::wait::Wait;
use super::{Answer, Kind, Small, id, index};

/// Something that tasks wait at.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) region: usize,
    pub(super) is_freed: bool,
    pub(super) state: State,
    /// Who waits, first come first served: for places and units, and for words.
    pub(super) lines: [VecDeque<usize>; 2],
}

/// What it is.
#[derive(Clone, Debug)]
pub(super) enum State {
    Channel {
        capacity: u64,
        words: VecDeque<u64>,
        /// Places that are promised.
        reserved: u64,
        is_closed: bool,
    },
    Semaphore {
        units: u64,
    },
    Notify {
        notices: u64,
    },
}

/// An obligation.
#[derive(Clone, Debug)]
pub(super) struct Permit {
    pub(super) holder: usize,
    pub(super) is_open: bool,
    /// The object and how much of it.
    pub(super) behind: Option<(usize, u64)>,
}

impl Small {
    /// A new object in the region of the current task.
    pub(super) fn object(&mut self, task: usize, state: State) -> Answer {
        let region = self.tasks[task].region;
        self.objects.push(Object {
            region,
            is_freed: false,
            state,
            lines: Default::default(),
        });
        Ok(id(Kind::Object, self.objects.len() - 1))
    }

    fn live(&self, id: u64, is_right: fn(&State) -> bool) -> Result<usize, u32> {
        let object = index(Kind::Object, id, self.objects.len())?;
        match &self.objects[object] {
            this if !is_right(&this.state) => Err(status::WRONG_TYPE),
            this if this.is_freed => Err(status::STALE_HANDLE),
            _ => Ok(object),
        }
    }

    /// The channel of this id.
    pub(super) fn channel(&self, id: u64) -> Result<usize, u32> {
        self.live(id, |state| matches!(state, State::Channel { .. }))
    }

    /// The semaphore of this id.
    pub(super) fn semaphore(&self, id: u64) -> Result<usize, u32> {
        self.live(id, |state| matches!(state, State::Semaphore { .. }))
    }

    /// The signal of this id.
    pub(super) fn signal(&self, id: u64) -> Result<usize, u32> {
        self.live(id, |state| matches!(state, State::Notify { .. }))
    }

    /// Gets it at once, or says that it is not there; nobody overtakes who waits.
    pub(super) fn attempt(&mut self, object: usize, wait: Wait, missing: u32) -> Answer {
        let line = usize::from(matches!(wait, Wait::Word(_)));
        let this = &self.objects[object];
        if matches!(wait, Wait::Place(_))
            && matches!(
                this.state,
                State::Channel {
                    is_closed: true,
                    ..
                }
            )
        {
            return Err(status::CLOSED);
        }
        if !this.lines[line].is_empty() {
            return Err(missing);
        }
        self.try_now(wait).unwrap_or(Err(missing))
    }

    /// Closes a channel: who waits looks again.
    pub(super) fn close(&mut self, object: usize) {
        if let State::Channel { is_closed, .. } = &mut self.objects[object].state {
            *is_closed = true;
        }
        self.wake_all(object);
    }

    /// Frees an object: who waits gets CLOSED.
    pub(super) fn free(&mut self, object: usize) {
        self.objects[object].is_freed = true;
        self.wake_all(object);
    }

    /// Frees all objects.
    pub fn free_all(&mut self) {
        (0..self.objects.len()).for_each(|object| self.free(object));
    }

    /// One notification, or one for each who waits.
    pub(super) fn notify(&mut self, object: usize, all: bool) {
        let waiting = self.objects[object].lines[0].len() as u64;
        if let State::Notify { notices } = &mut self.objects[object].state {
            match all {
                true => *notices = (*notices).max(waiting),
                false => *notices = (*notices + 1).min(waiting.max(1)),
            }
        }
        self.wake_first(object);
    }

    /// A new obligation of the current task.
    pub(super) fn new_permit(&mut self, behind: Option<(usize, u64)>) -> u64 {
        self.permits.push(Permit {
            holder: self.current.unwrap_or(0),
            is_open: true,
            behind,
        });
        id(Kind::Permit, self.permits.len() - 1)
    }

    /// An obligation that the task holds.
    pub(super) fn held(&self, id: u64, task: usize) -> Result<usize, u32> {
        let permit = index(Kind::Permit, id, self.permits.len())?;
        match &self.permits[permit] {
            this if !this.is_open => Err(status::ALREADY_RESOLVED),
            this if this.holder != task => Err(status::NOT_HOLDER),
            _ => Ok(permit),
        }
    }

    /// Resolves an obligation; what is behind it is given back.
    pub(super) fn release(&mut self, permit: usize) {
        self.permits[permit].is_open = false;
        let Some((object, count)) = self.permits[permit].behind else {
            return;
        };
        match &mut self.objects[object].state {
            State::Channel { reserved, .. } => *reserved = reserved.saturating_sub(count),
            State::Semaphore { units } => *units += count,
            State::Notify { .. } => {}
        }
        self.wake_first(object);
    }

    /// Sends a word into the place that an obligation stands for.
    pub(super) fn send(&mut self, permit: usize, word: u64) -> Answer {
        let Some((object, _)) = self.permits[permit].behind else {
            return Err(status::WRONG_TYPE);
        };
        let is_freed = self.objects[object].is_freed;
        let State::Channel {
            words, is_closed, ..
        } = &mut self.objects[object].state
        else {
            return Err(status::WRONG_TYPE);
        };
        let is_closed = *is_closed || is_freed;
        if !is_closed {
            words.push_back(word);
        }
        self.release(permit);
        match is_closed {
            true => Err(status::CLOSED),
            false => Ok(0),
        }
    }

    /// The first in each line looks again.
    pub(super) fn wake_first(&mut self, object: usize) {
        for line in 0..2 {
            if let Some(&task) = self.objects[object].lines[line].front() {
                self.wake(task);
            }
        }
    }

    fn wake_all(&mut self, object: usize) {
        let waiting: Vec<usize> = self.objects[object]
            .lines
            .iter()
            .flatten()
            .copied()
            .collect();
        waiting.into_iter().for_each(|task| self.wake(task));
    }
}
