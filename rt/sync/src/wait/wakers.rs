//! Wakers on their way out of a lock: no code of others runs under one.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Waker;

const ROOM: usize = 16;

/// A few wakers, woken together.
#[derive(Debug, Default)]
pub struct Wakers {
    held: [Option<Waker>; ROOM],
    count: usize,
}

impl Wakers {
    /// None.
    pub fn new() -> Wakers {
        Wakers::default()
    }

    /// No more go in before [`wake`](Wakers::wake).
    pub fn is_full(&self) -> bool {
        self.count == ROOM
    }

    /// Keeps one for later.
    pub fn push(&mut self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            self.held[self.count] = Some(waker);
            self.count += 1;
        }
    }

    /// Wakes them in order, and is empty again. A waker of somebody else may panic: the others are
    /// woken all the same, and the first panic goes on.
    pub fn wake(&mut self) {
        let mut panicked = None;
        for held in &mut self.held[..std::mem::take(&mut self.count)] {
            if let Some(waker) = held.take()
                && let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake()))
            {
                panicked.get_or_insert(panic);
            }
        }
        if let Some(panic) = panicked {
            resume_unwind(panic);
        }
    }
}
