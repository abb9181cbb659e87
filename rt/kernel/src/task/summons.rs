//! A waiter was called: whether its task came to look.
//!
//! What a task waits for in its own polls, with its own waker, is looked at in each poll that goes
//! through it. So a poll that began after the call, or had not looked by then, and ended without a
//! look shows that nobody polls that wait: its future was put aside, or forgotten. Whoever keeps a
//! queue may then let the next go ahead.
//!
//! A wait that a poll comes to, and that has to look in a poll to come, is noted anew in that poll.
//!
//! Sound as long as call and look are made under one lock: a poll that looked before the call
//! stored its turn before that lock was given back, and so is not counted as one that missed it.

use std::task::Waker;

use super::record::Task;
use super::reference::TaskRef;
use super::waker;
use super::word::Phase;
use crate::event;

/// See the module.
#[derive(Debug)]
pub struct Summons {
    task: TaskRef,
    turn: u8,
}

impl Summons {
    /// Of the task behind a waker that is about to be woken; `None` if it is somebody else's.
    pub fn of(waker: &Waker) -> Option<Summons> {
        let task = waker::task(waker)?;
        Some(Summons {
            task: TaskRef::of(task),
            turn: task.turns_since(0),
        })
    }

    /// The task behind `waker` was called.
    pub fn is_to(&self, waker: &Waker) -> bool {
        waker::task(waker).is_some_and(|task| std::ptr::eq(task, &raw const *self.task))
    }

    /// A poll has ended since that could have looked, or none will come.
    pub fn is_missed(&self) -> bool {
        let missed = self.missed();
        if missed > 1 {
            return true;
        }
        // After the turn: a poll that begins meanwhile is one more, and is said to go on.
        let word = self.task.word.load();
        word.phase() == Phase::Completed || missed == 1 && !word.is_polling()
    }

    /// Polls that began since, modulo 64. Relaxed: one that is seen late is looked for again.
    fn missed(&self) -> u8 {
        self.task.turns_since(self.turn)
    }

    /// Says that others go ahead of it (OBL-19).
    pub fn report(&self) {
        let task: &Task = &self.task;
        task.kernel().stats().futurelocks.add(1);
        event::futurelock(task, u64::from(self.missed()));
    }
}
