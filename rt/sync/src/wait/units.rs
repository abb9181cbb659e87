//! Units of something, and who waits for them.
//!
//! Protocol
//! 1. Taking and giving are one modification of the word each, while nobody waits.
//! 2. Who finds too few locks the queue and, in one modification that leaves the free units as
//!    they are, says that somebody waits; or takes them, if they came meanwhile. So each later gift
//!    finds the flag: the check after the registration is the registration (CHN-1).
//! 3. A gift that finds somebody waiting and not called yet calls the first: it wakes him. The
//!    units stay in the word. He takes them when he runs; a newcomer may be faster, and the first
//!    waiter then waits on at his place.
//! 4. Each newcomer who is faster takes one from `allow`. At 0 none is: the units are for the first
//!    waiter alone.
//! 5. Who leaves, with units or without, calls the next if there are enough for him. As units never
//!    lie elsewhere than in the word, none is lost with a waiter who goes (OBL-18).
//!
//! All writes of `WAITED`, `CALLED` and of more `allow` happen under the lock of the queue.
#![allow(unsafe_code, reason = "links nodes of pinned futures")]

use std::fmt;
use std::pin::Pin;
use std::task::{Poll, Waker};

use asr_kernel::sync::atomic::AtomicU64;
use asr_kernel::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use asr_kernel::sync::{Mutex, lock, rank};

use super::OVERTAKES_MAX;
use super::held::Held;
use super::list::{List, Node, Place};
use super::pass::{Aside, is_called};
use super::queue::Queue;
use super::word::{STEP, UNITS_MAX, Word};
use crate::error::Closed;

/// What an attempt to take units found.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// They are the caller's. The word before it.
    Done(Word),
    /// There are too few, or others are first.
    Short,
    /// No more are given out.
    Closed,
}

/// See the module.
pub struct Units {
    word: AtomicU64,
    held: Held,
    pub(super) queue: Mutex<Queue, rank::SyncUnits>,
}

impl Units {
    /// So many free units; at most [`UNITS_MAX`].
    pub fn new(free: u32) -> Units {
        debug_assert!(free <= UNITS_MAX);
        Units {
            word: AtomicU64::new(u64::from(free)),
            held: Held::new(),
            queue: Mutex::new(Queue {
                list: List::new(),
                overtaken: 0,
                given: 0,
            }),
        }
    }

    /// The word as it is now. Relaxed: a reading that others may have overtaken.
    pub fn word(&self) -> Word {
        Word(self.word.load(Relaxed))
    }

    /// Who holds units.
    #[inline]
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        lock(&self.queue).list.len()
    }

    /// Takes so many units as a newcomer.
    #[inline]
    pub fn try_take(&self, need: u32) -> Taken {
        self.take(need, 0)
    }

    /// Takes a unit as a newcomer, and the next position with it.
    #[inline]
    pub fn try_take_position(&self) -> Taken {
        self.take(1, STEP)
    }

    #[inline]
    fn take(&self, need: u32, step: u64) -> Taken {
        let mut now = Word(self.word.load(Relaxed));
        loop {
            if now.is_closed() {
                return Taken::Closed;
            }
            let Some(next) = now.taken(need) else {
                return Taken::Short;
            };
            let next = next.0.wrapping_add(step);
            // Acquire pairs with the Release of `give`: who has a unit sees what was done under it.
            match self
                .word
                .compare_exchange_weak(now.0, next, Acquire, Relaxed)
            {
                Ok(_) => return Taken::Done(now),
                Err(seen) => now = Word(seen),
            }
        }
    }

    /// The next position, for who has a unit. None once it is closed.
    #[inline]
    pub fn step(&self) -> Option<Word> {
        let step = |now: Word| (!now.is_closed()).then(|| Word(now.0.wrapping_add(STEP)));
        self.modify(step).map(|(before, _)| before)
    }

    /// Gives so many units back.
    #[inline]
    pub fn give(&self, count: u32) {
        // Release publishes what was done under the units to who takes them.
        let before = Word(self.word.fetch_add(u64::from(count), Release));
        if before.wants_look() {
            self.call();
        }
    }

    /// Calls the first waiter if there is enough for him; the next, if he was called in vain.
    #[cold]
    fn call(&self) {
        let mut aside = Aside::default();
        {
            let mut queue = lock(&self.queue);
            self.pass_on(&mut queue, &mut aside);
            if let Some(first) = queue.list.first() {
                // SAFETY: the lock is held.
                let need = unsafe { first.need() };
                let enough = |now: Word| now.wants_call() && now.free() >= need;
                let called = self.modify(|now| enough(now).then(|| now.called()));
                if called.is_some() {
                    // SAFETY: the lock is held.
                    aside.next = unsafe { first.call() };
                }
            }
        }
        aside.settle();
    }

    /// The words before and after a change, unless `change` wants none.
    #[inline]
    pub(super) fn modify(
        &self,
        mut change: impl FnMut(Word) -> Option<Word>,
    ) -> Option<(Word, Word)> {
        let mut now = Word(self.word.load(Relaxed));
        loop {
            let next = change(now)?;
            // AcqRel: it may take units as `take` does.
            match self
                .word
                .compare_exchange_weak(now.0, next.0, AcqRel, Relaxed)
            {
                Ok(_) => return Some((now, next)),
                Err(seen) => now = Word(seen),
            }
        }
    }

    /// Waits for so many units at `node`.
    ///
    /// # Safety
    /// The node is used with this queue only, and [`leave`](Units::leave) is called before it goes
    /// away, if this was ever called.
    pub unsafe fn poll(
        &self,
        node: Pin<&Node>,
        need: u32,
        waker: &Waker,
    ) -> Poll<Result<(), Closed>> {
        let mut aside = Aside::default();
        // SAFETY: the caller's promise.
        let polled = unsafe { self.poll_at(node.get_ref(), need, waker, &mut aside) };
        if polled.is_pending() && aside.again {
            waker.wake_by_ref();
        }
        aside.settle();
        polled
    }

    /// # Safety
    /// As for [`poll`](Units::poll); the node is pinned.
    unsafe fn poll_at(
        &self,
        node: &Node,
        need: u32,
        waker: &Waker,
        aside: &mut Aside,
    ) -> Poll<Result<(), Closed>> {
        let mut fresh = None;
        loop {
            let mut queue = lock(&self.queue);
            // SAFETY: the lock is held.
            let answered = unsafe { node.answer() };
            aside.answered = aside.answered.take().or(answered);
            // SAFETY: the lock is held.
            let place = unsafe { node.place() };
            if place == Place::Out || !is_first(&queue.list, node) {
                self.pass_on(&mut queue, aside);
                aside.again = is_called(&queue.list, waker);
            }
            let polled = match place {
                Place::Closed => Step::Closed,
                Place::Waiting if self.word().is_closed() => {
                    // It was closed, and this one is about to be told: there is nothing to take.
                    // SAFETY: the lock is held, and the node is in the list.
                    let own = unsafe {
                        queue.list.remove(node, Place::Closed);
                        node.take_waker()
                    };
                    drop(queue);
                    drop(own);
                    return Poll::Ready(Err(Closed(())));
                }
                Place::Waiting if !is_first(&queue.list, node) => Step::Short,
                Place::Waiting => self.take_first(&mut queue, node, need),
                _ if self.word().is_closed() => Step::Closed,
                _ => {
                    if let Some(waker) = fresh.take() {
                        // SAFETY: pinned, in no list, and taken out before it goes: the caller.
                        if unsafe { self.enter(&mut queue, node, need, waker) } {
                            return Poll::Ready(Ok(()));
                        }
                        return Poll::Pending;
                    }
                    Step::Short
                }
            };
            match polled {
                Step::Closed => return Poll::Ready(Err(Closed(()))),
                Step::Done(next) => {
                    drop(queue);
                    if let Some(next) = next {
                        next.wake();
                    }
                    return Poll::Ready(Ok(()));
                }
                Step::Short => {}
            }
            // SAFETY: the lock is held.
            if unsafe { node.will_wake(waker) } {
                return Poll::Pending;
            }
            if let Some(fresh) = fresh.take() {
                // SAFETY: the lock is held.
                let before = unsafe { node.set_waker(fresh) };
                drop(queue);
                drop(before);
                return Poll::Pending;
            }
            // To clone is code of others, unless it is a task's waker.
            drop(queue);
            fresh = Some(waker.clone());
        }
    }

    /// The first waiter looks: he takes the units, or is not called any more.
    fn take_first(&self, queue: &mut Queue, node: &Node, need: u32) -> Step {
        // SAFETY: the lock is held, and the node is in the list.
        let second = unsafe { node.after() };
        let change = |now: Word| {
            Some(match now.taken_first(need) {
                Some(next) => Queue::headed(next, second, queue.overtaken(now)),
                None => now.uncalled(),
            })
        };
        let (before, next) = self.modify(change).expect("always changes");
        if before.free() < need {
            return Step::Short;
        }
        let overtaken = queue.overtaken(before);
        // SAFETY: as above.
        unsafe { queue.list.remove(node, Place::Out) };
        Step::Done(queue.note(next, overtaken))
    }

    /// Takes the units after all, or queues. True if it took them.
    ///
    /// # Safety
    /// The node is pinned, in no list, and taken out before it goes away.
    unsafe fn enter(&self, queue: &mut Queue, node: &Node, need: u32, waker: Waker) -> bool {
        if queue.list.is_empty() {
            // `overtaken` counts from here: nobody was overtaken while nobody waited.
            let overtaken = queue.overtaken;
            let (before, next) = self
                .modify(|now| {
                    Some(match now.taken_first(need) {
                        Some(next) => next,
                        None => now.waited(need, OVERTAKES_MAX),
                    })
                })
                .expect("always changes");
            if before.free() >= need {
                return true;
            }
            queue.given = next.allow();
            // SAFETY: the caller's promise.
            unsafe { queue.list.push(node, waker, need, overtaken) };
            return false;
        }
        let stamp = queue.overtaken(self.word());
        // SAFETY: the caller's promise.
        unsafe { queue.list.push(node, waker, need, stamp) };
        false
    }

    /// Takes a node out, wherever it is. The next is called if there is enough for him.
    ///
    /// # Safety
    /// The node was used with this queue only.
    pub unsafe fn leave(&self, node: Pin<&Node>) {
        let node = node.get_ref();
        let (own, next) = {
            let mut queue = lock(&self.queue);
            // SAFETY: the lock is held.
            if unsafe { node.place() } != Place::Waiting {
                return;
            }
            // SAFETY: the lock is held, and the node is in the list.
            let own = unsafe { node.take_waker() };
            let next = if is_first(&queue.list, node) {
                // SAFETY: as above.
                let second = unsafe { node.after() };
                let change = |now: Word| Some(Queue::headed(now, second, queue.overtaken(now)));
                let (before, next) = self.modify(change).expect("always changes");
                let overtaken = queue.overtaken(before);
                // SAFETY: as above.
                unsafe { queue.list.remove(node, Place::Out) };
                queue.note(next, overtaken)
            } else {
                // SAFETY: as above.
                unsafe { queue.list.remove(node, Place::Out) };
                None
            };
            (own, next)
        };
        drop(own);
        if let Some(next) = next {
            next.wake();
        }
    }
}

enum Step {
    /// Taken; who is to be woken next.
    Done(Option<Waker>),
    Short,
    Closed,
}

fn is_first(list: &List, node: &Node) -> bool {
    list.first().is_some_and(|first| std::ptr::eq(first, node))
}

impl fmt::Debug for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        f.debug_struct("Units")
            .field("free", &word.free())
            .field("waited", &word.is_waited())
            .field("closed", &word.is_closed())
            .finish()
    }
}
