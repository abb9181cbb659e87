//! What the lock of a queue guards: who waits, and how often they were overtaken.
#![allow(unsafe_code, reason = "reads nodes of pinned futures")]

use std::task::Waker;

use super::OVERTAKES_MAX;
use super::list::{List, Node};
use super::word::Word;

/// See the module.
pub(super) struct Queue {
    pub(super) list: List,
    /// How many newcomers overtook anybody, up to when `allow` was last set.
    pub(super) overtaken: u64,
    /// What `allow` was set to.
    pub(super) given: u64,
}

impl Queue {
    /// How many newcomers overtook anybody until `word` was read.
    pub(super) fn overtaken(&self, word: Word) -> u64 {
        self.overtaken + (self.given - word.allow())
    }

    /// Flags and `allow` for a new first waiter.
    pub(super) fn headed(word: Word, first: Option<&Node>, overtaken: u64) -> Word {
        let Some(first) = first else {
            return word.unwaited();
        };
        // SAFETY: the caller has the queue.
        let (need, stamp) = unsafe { (first.need(), first.stamp()) };
        word.waited(
            need,
            OVERTAKES_MAX.saturating_sub(overtaken.saturating_sub(stamp)),
        )
    }

    /// Notes that `next` stands in the word; who is to be woken.
    pub(super) fn note(&mut self, next: Word, overtaken: u64) -> Option<Waker> {
        self.overtaken = overtaken;
        self.given = next.allow();
        let first = self.list.first().filter(|_| next.is_called())?;
        // SAFETY: the caller has the queue.
        unsafe { first.call() }
    }
}
