//! Who waits, first come first served.
//!
//! A waiter that was woken is taken from the list. If it goes without having taken what it was
//! woken for, it must pass the wake on: [`Waiters::leave`] says whether it has to.

use std::collections::VecDeque;
use std::task::Waker;

/// The list.
#[derive(Default)]
pub(super) struct Waiters {
    list: VecDeque<(u64, Waker)>,
    next: u64,
}

impl Waiters {
    /// Waits, or goes on waiting, under this key.
    pub(super) fn wait(&mut self, key: &mut Option<u64>, waker: &Waker) {
        if let Some(key) = *key
            && let Some((_, old)) = self.list.iter_mut().find(|(known, _)| *known == key)
        {
            old.clone_from(waker);
            return;
        }
        self.next += 1;
        *key = Some(self.next);
        self.list.push_back((self.next, waker.clone()));
    }

    /// Does not wait any more. True if it had been woken.
    pub(super) fn leave(&mut self, key: &mut Option<u64>) -> bool {
        let Some(key) = key.take() else { return false };
        match self.list.iter().position(|(known, _)| *known == key) {
            Some(at) => {
                self.list.remove(at);
                false
            }
            None => true,
        }
    }

    /// Takes the first, to be woken once the lock is free.
    pub(super) fn first(&mut self) -> Option<Waker> {
        self.list.pop_front().map(|(_, waker)| waker)
    }

    /// Takes all.
    pub(super) fn all(&mut self) -> Vec<Waker> {
        self.list.drain(..).map(|(_, waker)| waker).collect()
    }
}
