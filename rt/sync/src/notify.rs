//! Notify: one stored permit at most (CHN-23).
//!
//! The word says empty, stored or waited. It is `WAITED` exactly while somebody is in the list, and
//! changes to and from that under the lock of the list; a permit is stored and taken without it.
//! So who stores finds either no waiter, and the next to come takes the permit instead of waiting,
//! or the flag, and then the lock shows whom to wake.
#![allow(unsafe_code, reason = "links nodes of pinned futures")]

use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use asr_kernel::Cx;
use asr_kernel::cx::{Set, Waiter};
use asr_kernel::sync::atomic::AtomicU64;
use asr_kernel::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use asr_kernel::sync::{Mutex, lock, rank};
use asr_trace::Resource;

use crate::error::Interrupted;
use crate::wait::{List, Node, Place, Wakers};

const EMPTY: u64 = 0;
const STORED: u64 = 1;
const WAITED: u64 = 2;

/// How a node was granted.
const ONE: u8 = 1;
const ALL: u8 = 2;

/// Wakes tasks that wait for something to happen.
#[derive(Debug)]
pub struct Notify {
    word: AtomicU64,
    queue: Mutex<Queue, rank::SyncNotify>,
    number: AtomicU64,
}

#[derive(Debug)]
struct Queue {
    list: List,
    /// How many ever waited: `notify_all` is for those before it.
    entered: u64,
}

impl Default for Notify {
    fn default() -> Notify {
        Notify::new()
    }
}

impl Notify {
    /// With no permit stored.
    pub fn new() -> Notify {
        Notify {
            word: AtomicU64::new(EMPTY),
            queue: Mutex::new(Queue {
                list: List::new(),
                entered: 0,
            }),
            number: AtomicU64::new(0),
        }
    }

    /// Wakes who waits longest, or stores a permit for the next to come. A second permit is not
    /// stored.
    pub fn notify_one(&self) {
        let mut now = self.word.load(Relaxed);
        while now != WAITED {
            // AcqRel: what was done before is seen by who takes the permit; a permit that was
            // stored already is stored anew, or what was done since would not be.
            match self
                .word
                .compare_exchange_weak(now, STORED, AcqRel, Relaxed)
            {
                Ok(_) => return,
                Err(seen) => now = seen,
            }
        }
        self.notify_first();
    }

    #[cold]
    fn notify_first(&self) {
        let waker = {
            let mut queue = lock(&self.queue);
            self.grant_first(&mut queue)
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The permit goes to the first waiter, or is stored.
    fn grant_first(&self, queue: &mut Queue) -> Option<Waker> {
        let Some(first) = queue.list.first() else {
            // Not waited, and nobody can begin to wait: the lock is held.
            // AcqRel: as in `notify_one`.
            self.word.swap(STORED, AcqRel);
            return None;
        };
        let first: *const Node = first;
        // SAFETY: the lock is held, and the node is in the list.
        let waker = unsafe {
            let waker = (*first).take_waker();
            queue.list.remove(&*first, Place::Granted(ONE));
            waker
        };
        self.unwaited(queue);
        waker
    }

    /// If nobody waits any more, the word says so.
    fn unwaited(&self, queue: &Queue) {
        if queue.list.is_empty() {
            // AcqRel: a modification, so that the chain of those who stored is not broken.
            self.word.swap(EMPTY, AcqRel);
        }
    }

    /// Wakes everybody who waits now, and stores nothing.
    pub fn notify_all(&self) {
        if self.word.fetch_or(0, AcqRel) != WAITED {
            return;
        }
        let mut wakers = Wakers::new();
        let mut queue = lock(&self.queue);
        let limit = queue.entered;
        loop {
            let mut done = true;
            while let Some(first) = queue.list.first() {
                // SAFETY: the lock is held.
                if unsafe { first.stamp() } >= limit {
                    break;
                }
                if wakers.is_full() {
                    done = false;
                    break;
                }
                let first: *const Node = first;
                // SAFETY: the lock is held, and the node is in the list.
                unsafe {
                    wakers.push((*first).take_waker());
                    queue.list.remove(&*first, Place::Granted(ALL));
                }
                self.unwaited(&queue);
            }
            drop(queue);
            wakers.wake();
            if done {
                return;
            }
            queue = lock(&self.queue);
        }
    }

    /// Waits to be notified.
    ///
    /// # Cancel safety
    /// Checkpointing. A permit that was given to a wait that ends otherwise passes to the next.
    pub fn notified<'a, C: Set>(&'a self, cx: &'a Cx<C>) -> Notified<'a> {
        Notified {
            notify: self,
            waiter: cx.waiter(),
            queued: false,
            node: Node::new(),
        }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        lock(&self.queue).list.len()
    }

    /// Takes a stored permit.
    pub fn try_take(&self) -> bool {
        // Acquire: what was done before it was stored.
        let taken = self.word.compare_exchange(STORED, EMPTY, Acquire, Relaxed);
        taken.is_ok()
    }

    /// Waits at `node`.
    ///
    /// # Safety
    /// The node is used with this only, and [`leave`](Notify::leave) is called before it goes away,
    /// if this was ever called.
    #[doc(hidden)]
    pub unsafe fn poll(&self, node: Pin<&Node>, waker: &Waker) -> Poll<()> {
        let node = node.get_ref();
        let fresh = waker.clone();
        let unused = {
            let mut queue = lock(&self.queue);
            // SAFETY: the lock is held.
            match unsafe { node.place() } {
                Place::Granted(_) => return Poll::Ready(()),
                // SAFETY: the lock is held.
                Place::Waiting => unsafe { node.set_waker(fresh) },
                Place::Out | Place::Closed => {
                    let mut now = self.word.load(Relaxed);
                    loop {
                        let next = if now == STORED { EMPTY } else { WAITED };
                        match self.word.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                            Ok(STORED) => return Poll::Ready(()),
                            Ok(_) => break,
                            Err(seen) => now = seen,
                        }
                    }
                    let stamp = queue.entered;
                    queue.entered += 1;
                    // SAFETY: pinned, in no list, taken out before it goes: the caller.
                    unsafe { queue.list.push(node, fresh, 1, stamp) };
                    None
                }
            }
        };
        drop(unused);
        Poll::Pending
    }

    /// Takes a node out. A permit that it was given and has not returned passes on.
    ///
    /// # Safety
    /// The node was used with this only.
    #[doc(hidden)]
    pub unsafe fn leave(&self, node: Pin<&Node>) {
        let node = node.get_ref();
        let (own, next) = {
            let mut queue = lock(&self.queue);
            // SAFETY: the lock is held.
            match unsafe { node.place() } {
                Place::Waiting => {
                    // SAFETY: the lock is held, and the node is in the list.
                    let own = unsafe {
                        let own = node.take_waker();
                        queue.list.remove(node, Place::Out);
                        own
                    };
                    self.unwaited(&queue);
                    (own, None)
                }
                Place::Granted(ONE) => (None, self.grant_first(&mut queue)),
                _ => (None, None),
            }
        };
        drop(own);
        if let Some(next) = next {
            next.wake();
        }
    }
}

/// Future of [`Notify::notified`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Notified<'a> {
    notify: &'a Notify,
    waiter: Waiter<'a>,
    queued: bool,
    node: Node,
}

impl Notified<'_> {
    fn leave(&mut self) {
        if std::mem::take(&mut self.queued) {
            // SAFETY: `poll` pinned the future, and its node was used with this only.
            unsafe { self.notify.leave(Pin::new_unchecked(&self.node)) };
        }
    }
}

impl Future for Notified<'_> {
    type Output = Result<(), Interrupted>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the node is not moved out of `this`.
        let this = unsafe { self.get_unchecked_mut() };
        if let Err(interrupted) = this.waiter.check() {
            this.leave();
            return Poll::Ready(Err(interrupted));
        }
        ready!(this.waiter.coop(context));
        if !this.queued && this.notify.try_take() {
            return Poll::Ready(Ok(()));
        }
        this.queued = true;
        // SAFETY: the future is pinned, and its drop leaves.
        let node = unsafe { Pin::new_unchecked(&this.node) };
        // SAFETY: as above; the node is used with this only.
        if unsafe { this.notify.poll(node, context.waker()) }.is_ready() {
            this.queued = false;
            return Poll::Ready(Ok(()));
        }
        this.waiter.waits_on(&this.notify.number, Resource::Lock);
        if let Err(interrupted) = this.waiter.park(context) {
            this.leave();
            return Poll::Ready(Err(interrupted));
        }
        Poll::Pending
    }
}

impl Drop for Notified<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
