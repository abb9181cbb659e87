//! Who sleeps and who searches.
//!
//! Protocol (SCH-21)
//! 1. A worker that found nothing announces itself ([`announce`](Idle::announce)), then looks once
//!    more into every queue that it could run from, and sleeps only if all are empty.
//! 2. A producer queues, then asks for sleepers ([`wake_one`](Idle::wake_one)).
//! 3. The announcement and the question are sequentially consistent modifications of one word with
//!    a fence on the other side of each queue access: one of the two is later. Either the producer
//!    sees the sleeper, or the worker's second look comes after the push and sees it.
//!
//! While somebody searches nobody is woken: that one will find the work (SCH-47). A searcher that
//! gives up announces itself in the same step, so rule 3 covers it; one that finds work calls
//! [`found`](Idle::found) first and then looks whether there is more, for which it wakes another.
//! A woken worker begins as the searcher of its node, so that two pushes wake one.
//!
//! The word holds the number of sleepers and one bit for each node with a searcher; producers read
//! only that. The list of sleepers is under a lock, which only those take who sleep or wake.

use crate::sync::atomic::{AtomicU64, Ordering::*, fence};
use crate::sync::{Mutex, lock, rank};

/// Sleepers are counted from here on; below are the bits of the nodes.
const SLEEPER: u64 = 1 << 32;
/// Nodes that are told apart; others share the last bit.
const NODES: usize = 32;

/// How a worker stopped being a sleeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// By itself: nobody woke it.
    Alone,
    /// It was unparked for something that only it can do.
    Called,
    /// It was woken for work that anybody can do, and is the searcher of its node now.
    Searching,
}

#[derive(Debug)]
struct Sleepers {
    /// Asleep or about to be, the latest last.
    list: Vec<usize>,
    /// What [`Idle::leave`] tells each worker that was taken off the list.
    left: Vec<Left>,
}

/// See the module.
#[derive(Debug)]
pub struct Idle {
    word: AtomicU64,
    sleepers: Mutex<Sleepers, rank::SchedIdle>,
    /// The bit of each worker's node.
    bits: Box<[u64]>,
}

impl Idle {
    /// All awake; `nodes` has the node of each worker.
    pub fn new(nodes: &[usize]) -> Idle {
        Idle {
            word: AtomicU64::new(0),
            sleepers: Mutex::new(Sleepers {
                list: Vec::with_capacity(nodes.len()),
                left: vec![Left::Alone; nodes.len()],
            }),
            bits: nodes.iter().map(|&node| 1 << node.min(NODES - 1)).collect(),
        }
    }

    /// Begins to search, unless the node has a searcher.
    pub fn search(&self, worker: usize) -> bool {
        let bit = self.bits[worker];
        // Relaxed: a look that spares the modification; no decision to sleep rests on it.
        self.word.load(Relaxed) & bit == 0 && self.word.fetch_or(bit, SeqCst) & bit == 0
    }

    /// The searcher found work. It then looks whether there is more, and wakes another for that.
    pub fn found(&self, worker: usize) {
        // SeqCst: a producer that saw the bit woke nobody; its push is before this, and so before
        // the caller's next look.
        self.word.fetch_and(!self.bits[worker], SeqCst);
        fence(SeqCst);
    }

    /// The worker is about to sleep, and searches no more. It looks into its queues after this.
    pub fn announce(&self, worker: usize, searching: bool) {
        let mut sleepers = lock(&self.sleepers);
        sleepers.left[worker] = Left::Alone;
        sleepers.list.push(worker);
        let bit = if searching { self.bits[worker] } else { 0 };
        // The bit is ours, hence set: subtracting it clears it, in one step with the count.
        self.word.fetch_add(SLEEPER - bit, SeqCst);
        drop(sleepers);
        fence(SeqCst);
    }

    /// The worker sleeps no more, whatever the reason.
    pub fn leave(&self, worker: usize) -> Left {
        let mut sleepers = lock(&self.sleepers);
        if let Some(at) = sleepers.list.iter().position(|&it| it == worker) {
            sleepers.list.remove(at);
            self.word.fetch_sub(SLEEPER, SeqCst);
            return Left::Alone;
        }
        // Told once: who asks again without having slept, as for a worker that panicked awake,
        // would else take the bit away from the searcher of today.
        std::mem::replace(&mut sleepers.left[worker], Left::Alone)
    }

    /// Whether somebody sleeps and nobody searches: a hint.
    #[inline]
    pub fn may_wake(&self) -> bool {
        let word = self.word.load(Relaxed);
        word >= SLEEPER && word.is_multiple_of(SLEEPER)
    }

    /// After a push of work that anybody may take: the worker to unpark, unless all are awake or
    /// somebody searches. `choose` picks one of the sleepers, the latest last (SCH-22).
    #[inline]
    pub fn wake_one(&self, choose: impl FnOnce(&[usize]) -> usize) -> Option<usize> {
        // With the fence in `announce` or `found`: protocol rule 3.
        fence(SeqCst);
        if !self.may_wake() {
            return None;
        }
        self.take_one(choose)
    }

    #[cold]
    fn take_one(&self, choose: impl FnOnce(&[usize]) -> usize) -> Option<usize> {
        let mut sleepers = lock(&self.sleepers);
        if sleepers.list.is_empty() {
            return None;
        }
        let at = choose(&sleepers.list) % sleepers.list.len();
        let worker = sleepers.list[at];
        let bit = self.bits[worker];
        let mut word = self.word.load(Relaxed);
        loop {
            if !word.is_multiple_of(SLEEPER) {
                return None;
            }
            // Only searchers change the word without the lock.
            let next = word - SLEEPER + bit;
            match self.word.compare_exchange_weak(word, next, SeqCst, SeqCst) {
                Ok(_) => break,
                Err(seen) => word = seen,
            }
        }
        sleepers.list.remove(at);
        sleepers.left[worker] = Left::Searching;
        Some(worker)
    }

    /// After a push of work that only this worker can do: true if it is to be unparked.
    pub fn call(&self, worker: usize) -> bool {
        fence(SeqCst);
        if self.word.load(Relaxed) < SLEEPER {
            return false;
        }
        let mut sleepers = lock(&self.sleepers);
        let Some(at) = sleepers.list.iter().position(|&it| it == worker) else {
            return false;
        };
        sleepers.list.remove(at);
        sleepers.left[worker] = Left::Called;
        self.word.fetch_sub(SLEEPER, SeqCst);
        true
    }

    /// How many sleep.
    pub fn sleeping(&self) -> usize {
        (self.word.load(SeqCst) / SLEEPER) as usize
    }

    /// How many search.
    pub fn searching(&self) -> usize {
        (self.word.load(SeqCst) % SLEEPER).count_ones() as usize
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// SCH-47: a worker that was woken to search, found work, and panicked while awake, is
    /// forgotten without taking the bit of who searches now.
    #[test]
    fn sch_47_part_a_worker_is_told_once_that_it_searches() {
        let idle = Idle::new(&[0, 0]);
        idle.announce(0, false);
        assert_eq!(idle.wake_one(|_| 0), Some(0));
        assert_eq!(idle.leave(0), Left::Searching);
        idle.found(0);
        assert!(idle.search(1));
        assert_eq!(idle.leave(0), Left::Alone);
        assert!(!idle.search(0), "worker 1 searches");
    }
}
