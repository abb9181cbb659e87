//! The end of units: nobody gets any more, and everybody who waits is told.
//!
//! A waiter who is polled, or leaves, while others are still being told finds the word closed.
#![allow(unsafe_code, reason = "unlinks nodes of pinned futures")]

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use asr_kernel::sync::lock;

use super::list::{Node, Place};
use super::units::Units;
use super::wakers::Wakers;
use super::word::Word;

impl Units {
    /// Gives out no more units and positions; everybody who waits is told. The word before it.
    pub fn close(&self) -> Word {
        self.close_and(|_| {})
    }

    /// The same; `then` is given the word before it, and called before anybody is told. A waker of
    /// somebody else may panic, and `then`: the others are told all the same, and the first panic
    /// goes on.
    pub fn close_and(&self, then: impl FnOnce(Word)) -> Word {
        let before = self.closed();
        let mut panicked = catch_unwind(AssertUnwindSafe(|| then(before))).err();
        let mut wakers = Wakers::new();
        loop {
            let done = self.tell_closed(&mut wakers);
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| wakers.wake())) {
                panicked.get_or_insert(panic);
            }
            if done {
                break;
            }
        }
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
        before
    }

    fn closed(&self) -> Word {
        let mut queue = lock(&self.queue);
        let (before, _) = self
            .modify(|now| Some(now.closed()))
            .expect("always changes");
        if !queue.list.is_empty() {
            // Who leaves while others are still being told compares his stamp with this.
            queue.overtaken = queue.overtaken(before);
        }
        queue.given = 0;
        before
    }

    /// Takes some of those out who wait. True if nobody is left.
    fn tell_closed(&self, wakers: &mut Wakers) -> bool {
        let mut queue = lock(&self.queue);
        while let Some(first) = queue.list.first() {
            if wakers.is_full() {
                return false;
            }
            let first: *const Node = first;
            // SAFETY: the lock is held, and the node is in the list.
            unsafe {
                wakers.push((*first).take_waker());
                queue.list.remove(&*first, Place::Closed);
            }
        }
        true
    }
}
