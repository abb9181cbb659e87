//! The global queue: what becomes runnable outside of the workers, and what a full ring gives up.
//!
//! The list is under a short lock. The length beside it is a hint that lets a worker with an empty
//! injector skip the lock; it is stored under the lock, so it is exact for whoever comes after in
//! the order of the lock. A producer that then looks for sleepers, and a worker that announces its
//! sleep and then looks here, each put a sequentially consistent fence between the two (SCH-21);
//! one of the fences is the later, and its side sees the other.

use super::entry::Entry;
use super::list::List;
use crate::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use crate::sync::{Mutex, lock, rank};

/// The most that one worker takes at once.
pub const BATCH: usize = 32;

/// See the module.
pub struct Injector<T: Entry> {
    list: Mutex<List<T>, rank::SchedInjector>,
    len: AtomicUsize,
}

impl<T: Entry> Default for Injector<T> {
    fn default() -> Injector<T> {
        Injector::new()
    }
}

impl<T: Entry> Injector<T> {
    /// Empty.
    pub fn new() -> Injector<T> {
        Injector {
            list: Mutex::new(List::new()),
            len: AtomicUsize::new(0),
        }
    }

    /// How many wait; see the module for who may rely on it.
    #[inline]
    pub fn len(&self) -> usize {
        self.len.load(Relaxed)
    }

    /// Whether none does.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts a task at the end. Returns how many wait after it.
    pub fn push(&self, entry: T) -> usize {
        let mut list = lock(&self.list);
        let again = list.push(entry);
        let len = list.len();
        self.len.store(len, Relaxed);
        drop(list);
        // A second entry of a task that waits here already goes after the lock.
        drop(again);
        len
    }

    /// Puts several at the end, in their order, under one lock. Returns how many wait after them.
    pub fn push_batch(&self, entries: impl Iterator<Item = T>) -> usize {
        let mut surplus = None;
        let mut list = lock(&self.list);
        for entry in entries {
            // The list has an entry of its own for the same record, so this drop is never the last
            // reference: nothing of a user runs under the lock.
            surplus = list.push(entry).err();
        }
        let len = list.len();
        self.len.store(len, Relaxed);
        drop(list);
        drop(surplus);
        len
    }

    /// The oldest.
    pub fn pop(&self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let mut list = lock(&self.list);
        let popped = list.pop();
        self.len.store(list.len(), Relaxed);
        popped
    }

    /// The oldest of up to `most`, at most [`BATCH`]; those that follow it go to `rest` in order,
    /// after the lock is given back.
    pub fn pop_batch(&self, most: usize, mut rest: impl FnMut(T)) -> Option<T> {
        if self.is_empty() || most == 0 {
            return None;
        }
        let mut taken: [Option<T>; BATCH] = [const { None }; BATCH];
        let mut list = lock(&self.list);
        for place in taken.iter_mut().take(most) {
            *place = list.pop();
        }
        self.len.store(list.len(), Relaxed);
        drop(list);
        let mut taken = taken.into_iter().flatten();
        let first = taken.next();
        taken.for_each(&mut rest);
        first
    }

    /// The share of one of so many workers: no worker takes what leaves the others idle.
    #[inline]
    pub fn share(&self, workers: usize) -> usize {
        (self.len() / workers.max(1) + 1).min(BATCH)
    }
}

impl<T: Entry> std::fmt::Debug for Injector<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Injector")
            .field("len", &self.len())
            .finish()
    }
}
