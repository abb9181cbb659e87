//! A fair queue for units of something: what locks, semaphores and pools wait in (OBL-18).
//!
//! A waiter holds its position from its first pending poll until it is gone. A unit that comes back
//! is granted to the first position, and belongs to that waiter from then on; one that goes without
//! having taken it, dropped or cancelled, passes it to the next. So a unit is never lost, and
//! nobody overtakes: who comes new gets a free unit only if nobody waits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use asr_base::Interrupted;

use crate::cx::{Authority, Cx, Waiter, coop};
use crate::sync::{Mutex, lock};

/// See the module.
pub struct WaitQueue {
    inner: Mutex<Inner>,
}

struct Inner {
    /// Units that nobody was granted. Only if nobody waits.
    free: u64,
    /// Positions, the first waiter's first.
    waiting: BTreeMap<u64, Waker>,
    /// Positions that were granted a unit, and have not taken it yet.
    granted: BTreeSet<u64>,
    next: u64,
}

impl WaitQueue {
    /// A queue with so many free units.
    pub fn new(units: u64) -> WaitQueue {
        WaitQueue {
            inner: Mutex::new(Inner {
                free: units,
                waiting: BTreeMap::new(),
                granted: BTreeSet::new(),
                next: 0,
            }),
        }
    }

    /// A free unit, if there is one and nobody waits.
    pub fn try_take(&self) -> Option<Grant<'_>> {
        let mut inner = lock(&self.inner);
        inner.free = inner.free.checked_sub(1)?;
        Some(Grant(self))
    }

    /// Waits for a unit.
    ///
    /// # Cancel safety
    /// Checkpointing. A unit that was granted meanwhile passes to the next waiter.
    pub fn take<'q, C>(&'q self, cx: &'q Cx<C>) -> Take<'q> {
        Take {
            queue: self,
            waiter: Waiter::new(cx.task()),
            position: None,
        }
    }

    /// A unit came, or came back.
    pub fn give(&self) {
        let granted = {
            let mut inner = lock(&self.inner);
            match inner.waiting.pop_first() {
                Some((position, waker)) => {
                    inner.granted.insert(position);
                    Some(waker)
                }
                None => {
                    inner.free += 1;
                    None
                }
            }
        };
        if let Some(waker) = granted {
            waker.wake();
        }
    }

    /// How many wait and were granted nothing yet.
    pub fn waiting(&self) -> usize {
        lock(&self.inner).waiting.len()
    }

    /// Units that nobody has.
    pub fn free(&self) -> u64 {
        lock(&self.inner).free
    }
}

impl fmt::Debug for WaitQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = lock(&self.inner);
        f.debug_struct("WaitQueue")
            .field("free", &inner.free)
            .field("waiting", &inner.waiting.len())
            .field("granted", &inner.granted.len())
            .finish()
    }
}

/// A unit. Dropped, it goes back to its queue.
#[derive(Debug)]
#[must_use = "dropped, it goes to the next waiter"]
pub struct Grant<'q>(&'q WaitQueue);

impl Grant<'_> {
    /// The caller keeps the unit, and will [give](WaitQueue::give) it back.
    pub fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Grant<'_> {
    fn drop(&mut self) {
        self.0.give();
    }
}

/// Future of [`WaitQueue::take`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Take<'q> {
    queue: &'q WaitQueue,
    waiter: Waiter<'q>,
    position: Option<u64>,
}

impl<'q> Take<'q> {
    /// Gives the position up, and what was granted to it to the next.
    fn leave(&mut self) {
        let Some(position) = self.position.take() else {
            return;
        };
        let (waker, granted) = {
            let mut inner = lock(&self.queue.inner);
            let waker = inner.waiting.remove(&position);
            (waker, inner.granted.remove(&position))
        };
        drop(waker);
        if granted {
            self.queue.give();
        }
    }

    /// The unit, if it is here; else the position is kept for `waker`.
    fn arrived(&mut self, waker: Waker) -> Option<Grant<'q>> {
        let mut inner = lock(&self.queue.inner);
        let replaced = match self.position {
            Some(position) if inner.granted.remove(&position) => {
                self.position = None;
                return Some(Grant(self.queue));
            }
            Some(position) => inner.waiting.insert(position, waker),
            None => {
                if let Some(left) = inner.free.checked_sub(1) {
                    inner.free = left;
                    return Some(Grant(self.queue));
                }
                let position = inner.next;
                inner.next += 1;
                self.position = Some(position);
                inner.waiting.insert(position, waker)
            }
        };
        drop(inner);
        drop(replaced);
        None
    }
}

impl<'q> Future for Take<'q> {
    type Output = Result<Grant<'q>, Interrupted>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Err(interrupted) = this.waiter.check() {
            this.leave();
            return Poll::Ready(Err(interrupted));
        }
        ready!(coop(this.waiter.task(), context));
        if let Some(grant) = this.arrived(context.waker().clone()) {
            return Poll::Ready(Ok(grant));
        }
        if let Err(interrupted) = this.waiter.park(context) {
            this.leave();
            return Poll::Ready(Err(interrupted));
        }
        Poll::Pending
    }
}

impl Drop for Take<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
