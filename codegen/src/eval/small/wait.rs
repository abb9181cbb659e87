//! What tasks wait for, and whether it is there.

use asr_abi::{Ret, status};

use super::sync::State;
use super::{Answer, Small, ret};
use crate::air::exception_word;

/// What a task waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wait {
    /// Nothing.
    None,
    /// The others of the queue.
    Turn,
    /// So many turns of the others, and then this word.
    Turns(u64, u64),
    /// The end of a task.
    Join(usize),
    /// The end of a region. `is_masked`: a cancel is not looked at.
    Close {
        region: usize,
        is_masked: bool,
        was_cancelled: bool,
    },
    /// A time.
    Time(u64),
    /// A place in a channel.
    Place(usize),
    /// A word from a channel.
    Word(usize),
    /// Units of a semaphore.
    Units(usize, u64),
    /// A notification.
    Notice(usize),
}

impl Small {
    /// The current task lets the others have so many turns; then it gets the word.
    pub fn turns(&mut self, turns: u64, word: u64) -> Ret {
        self.begin(Wait::Turns(turns, word))
    }

    /// The current task begins to wait: what it gets at once, or PENDING.
    pub(super) fn begin(&mut self, wait: Wait) -> Ret {
        let Some(task) = self.current else {
            return ret(Err(status::BAD_ARGUMENT));
        };
        self.tasks[task].wait = wait;
        if let Some((object, line)) = line_of(wait) {
            self.objects[object].lines[line].push_back(task);
        }
        match wait {
            Wait::Turn if !self.is_cancelling() => {
                self.wake(task);
                ret(Err(status::PENDING))
            }
            _ => self.poll(),
        }
    }

    /// What the current task waited for, or PENDING.
    pub fn poll(&mut self) -> Ret {
        let Some(task) = self.current else {
            return ret(Err(status::BAD_ARGUMENT));
        };
        let wait = self.tasks[task].wait;
        let answer = match wait {
            Wait::Close {
                region,
                is_masked,
                was_cancelled,
            } => self.poll_close(task, region, is_masked, was_cancelled),
            _ if self.is_cancelling() => Some(ret(Err(status::CANCELLED))),
            Wait::None | Wait::Turn => Some(ret(Ok(0))),
            Wait::Turns(0, word) => Some(ret(Ok(word))),
            Wait::Turns(left, word) => {
                self.tasks[task].wait = Wait::Turns(left - 1, word);
                self.wake(task);
                None
            }
            Wait::Join(of) => self.tasks[of].done.map(joined),
            Wait::Time(at) if at <= self.now => Some(ret(Ok(0))),
            Wait::Time(at) => {
                self.timers.insert((at, task));
                None
            }
            _ => self.poll_object(task, wait).map(ret),
        };
        let Some(answer) = answer else {
            return ret(Err(status::PENDING));
        };
        self.tasks[task].wait = Wait::None;
        if let Wait::Time(at) = wait {
            self.timers.remove(&(at, task));
        }
        if let Some((object, line)) = line_of(wait) {
            self.objects[object].lines[line].retain(|n| *n != task);
            self.wake_first(object);
        }
        answer
    }

    fn poll_close(
        &mut self,
        task: usize,
        region: usize,
        is_masked: bool,
        was_cancelled: bool,
    ) -> Option<Ret> {
        let mut was_cancelled = was_cancelled;
        if self.is_cancelling() && !is_masked && !was_cancelled {
            was_cancelled = true;
            self.tasks[task].wait = Wait::Close {
                region,
                is_masked,
                was_cancelled,
            };
            self.cancel_region(region);
        }
        if !self.is_quiet(region) {
            return None;
        }
        if !self.regions[region].finalizers.is_empty() {
            // They run before the next poll.
            self.wake(task);
            return None;
        }
        Some(match self.closed(region) {
            _ if is_masked => ret(Ok(0)),
            _ if was_cancelled => ret(Err(status::CANCELLED)),
            Ok(value) => ret(Ok(value)),
            Err((status, value)) => Ret {
                value,
                status: status.into(),
            },
        })
    }

    fn poll_object(&mut self, task: usize, wait: Wait) -> Option<Answer> {
        let (object, line) = line_of(wait)?;
        let this = &mut self.objects[object];
        if this.is_freed {
            return Some(Err(status::CLOSED));
        }
        if let State::Channel {
            is_closed: true, ..
        } = this.state
            && let Wait::Place(_) = wait
        {
            return Some(Err(status::CLOSED));
        }
        if this.lines[line].front() != Some(&task) {
            return None;
        }
        self.try_now(wait)
    }

    /// What is there right now, whoever stands in line.
    pub(super) fn try_now(&mut self, wait: Wait) -> Option<Answer> {
        let (object, _) = line_of(wait)?;
        match (&mut self.objects[object].state, wait) {
            (
                State::Channel {
                    words,
                    reserved,
                    capacity,
                    ..
                },
                Wait::Place(_),
            ) => {
                if words.len() as u64 + *reserved >= *capacity {
                    return None;
                }
                *reserved += 1;
                Some(Ok(self.new_permit(Some((object, 1)))))
            }
            (
                State::Channel {
                    words, is_closed, ..
                },
                Wait::Word(_),
            ) => match words.pop_front() {
                Some(word) => Some(Ok(word)),
                None if *is_closed => Some(Err(status::CLOSED)),
                None => None,
            },
            (State::Semaphore { units }, Wait::Units(_, wanted)) => {
                *units = units.checked_sub(wanted)?;
                Some(Ok(self.new_permit(Some((object, wanted)))))
            }
            (State::Notify { notices }, Wait::Notice(_)) => {
                *notices = notices.checked_sub(1)?;
                Some(Ok(0))
            }
            _ => Some(Err(status::WRONG_TYPE)),
        }
    }
}

/// The object in whose line a task stands, and in which of its lines.
fn line_of(wait: Wait) -> Option<(usize, usize)> {
    match wait {
        Wait::Place(object) | Wait::Units(object, _) | Wait::Notice(object) => Some((object, 0)),
        Wait::Word(object) => Some((object, 1)),
        _ => None,
    }
}

/// What a join answers for a task that ended so.
fn joined(done: Ret) -> Ret {
    match u32::try_from(done.status) {
        Ok(status::OK) => done,
        _ => Ret {
            value: exception_word(done.value, done.status),
            status: status::THREW.into(),
        },
    }
}
