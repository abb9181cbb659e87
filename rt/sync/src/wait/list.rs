//! Nodes and the list of them.
//!
//! Invariants
//! 1. A node is linked in one list at most, from `push` to `remove`, and does not move or go away
//!    meanwhile: its future is pinned, and takes it out when it is dropped.
//! 2. Everything in a node is touched under the lock of the owner of its list only. Each function
//!    here says so as its safety condition; the owner holds the lock for the whole call.
#![allow(unsafe_code, reason = "an intrusive list")]

use std::cell::UnsafeCell;
use std::marker::PhantomPinned;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::Waker;

use asr_base::TaskId;
use asr_kernel::futurelock::Contended;
use asr_kernel::task::Summons;

/// Where a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In no list: it was never put in, or was taken out by its own future.
    Out,
    /// In the list.
    Waiting,
    /// Taken out by somebody who gave it what it waits for, with a word of how.
    Granted(u8),
    /// Taken out by a close.
    Closed,
}

/// A place in a queue. Lives in the future that waits.
#[derive(Debug)]
pub struct Node {
    inner: UnsafeCell<Inner>,
    _pinned: PhantomPinned,
}

#[derive(Debug)]
struct Inner {
    before: *const Node,
    after: *const Node,
    place: Place,
    waker: Option<Waker>,
    /// It was called, and has not looked yet.
    summons: Option<Summons>,
    need: u32,
    stamp: u64,
    /// The bits of the id of the task that waits; 0 if it did not say.
    who: u64,
}

// SAFETY: what is in a node is touched under the lock of its list only (invariant 2).
unsafe impl Send for Node {}
// SAFETY: as above.
unsafe impl Sync for Node {}

impl Default for Node {
    fn default() -> Node {
        Node::new()
    }
}

impl Node {
    /// A node in no list.
    #[inline]
    pub const fn new() -> Node {
        Node {
            inner: UnsafeCell::new(Inner {
                before: ptr::null(),
                after: ptr::null(),
                place: Place::Out,
                waker: None,
                summons: None,
                need: 0,
                stamp: 0,
                who: 0,
            }),
            _pinned: PhantomPinned,
        }
    }

    /// # Safety
    /// The caller holds the lock of the list of this node, and no other result of this function.
    #[allow(clippy::mut_from_ref, reason = "a cell; see the condition")]
    unsafe fn inner(&self) -> &mut Inner {
        // SAFETY: exclusive by the caller's promise.
        unsafe { &mut *self.inner.get() }
    }

    /// Where it is.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    pub unsafe fn place(&self) -> Place {
        // SAFETY: the caller's promise.
        unsafe { self.inner() }.place
    }

    /// Whose it is.
    ///
    /// # Safety
    /// The node is in no list.
    pub unsafe fn set_who(&self, task: TaskId) {
        // SAFETY: in no list, so nobody else looks at it.
        unsafe { self.inner() }.who = task.to_bits();
    }

    /// How many units it waits for.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    pub unsafe fn need(&self) -> u32 {
        // SAFETY: the caller's promise.
        unsafe { self.inner() }.need
    }

    /// What was given at `push`.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    pub unsafe fn stamp(&self) -> u64 {
        // SAFETY: the caller's promise.
        unsafe { self.inner() }.stamp
    }

    /// True if it wakes the same as `waker`.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    pub unsafe fn will_wake(&self, waker: &Waker) -> bool {
        // SAFETY: the caller's promise.
        let own = unsafe { self.inner() }.waker.as_ref();
        own.is_some_and(|own| own.will_wake(waker))
    }

    /// Its waker, which the caller wakes or drops after the lock.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    pub unsafe fn take_waker(&self) -> Option<Waker> {
        // SAFETY: the caller's promise.
        unsafe { self.inner() }.waker.take()
    }

    /// The same, to call the node.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    pub unsafe fn call(&self) -> Option<Waker> {
        // SAFETY: the caller's promise.
        let inner = unsafe { self.inner() };
        let waker = inner.waker.take()?;
        inner.summons = Summons::of(&waker);
        Some(waker)
    }

    /// If it was called and has not looked, it is as if `waker` called it now. The note before it,
    /// which the caller drops after the lock.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    #[must_use = "dropped after the lock"]
    pub unsafe fn call_again(&self, waker: &Waker) -> Option<Summons> {
        // SAFETY: the caller's promise.
        let summons = &mut unsafe { self.inner() }.summons;
        let before = summons.take()?;
        *summons = Summons::of(waker);
        Some(before)
    }

    /// What it was called with, if it has not looked since.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    pub unsafe fn summons(&self) -> Option<&Summons> {
        // SAFETY: the caller's promise.
        unsafe { self.inner() }.summons.as_ref()
    }

    /// It looks, or goes. The caller drops the result after the lock.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    #[must_use = "dropped after the lock"]
    pub unsafe fn answer(&self) -> Option<Summons> {
        // SAFETY: the caller's promise.
        unsafe { self.inner() }.summons.take()
    }

    /// Replaces the waker; the one before is dropped by the caller, after the lock.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node.
    #[must_use = "dropped after the lock"]
    pub unsafe fn set_waker(&self, waker: Waker) -> Option<Waker> {
        // SAFETY: the caller's promise.
        unsafe { self.inner() }.waker.replace(waker)
    }

    /// The node behind it.
    ///
    /// # Safety
    /// The caller holds the lock of the list of this node, and the node is in it.
    pub unsafe fn after(&self) -> Option<&Node> {
        // SAFETY: nodes in the list are there (invariant 1).
        unsafe { self.inner().after.as_ref() }
    }
}

/// Nodes in the order in which they came.
#[derive(Debug)]
pub struct List {
    first: *const Node,
    last: *const Node,
    contended: Option<Arc<Contended>>,
}

// SAFETY: the pointers are followed under the lock of the owner only.
unsafe impl Send for List {}

impl Default for List {
    fn default() -> List {
        List::new()
    }
}

impl List {
    /// Nobody.
    pub const fn new() -> List {
        List {
            first: ptr::null(),
            last: ptr::null(),
            contended: None,
        }
    }

    /// Nobody waits.
    pub fn is_empty(&self) -> bool {
        self.first.is_null()
    }

    /// Who came first.
    pub fn first(&self) -> Option<&Node> {
        // SAFETY: nodes in the list are there (invariant 1).
        unsafe { self.first.as_ref() }
    }

    /// How many wait. Walks the list.
    pub fn len(&self) -> usize {
        let mut count = 0;
        let mut at = self.first();
        while let Some(node) = at {
            count += 1;
            // SAFETY: who has the list has its lock.
            at = unsafe { node.after() };
        }
        count
    }

    /// Who is first is told to `contended` from now on.
    pub fn tell(&mut self, contended: Arc<Contended>) {
        self.contended = Some(contended);
        self.told();
    }

    fn told(&self) {
        if let Some(contended) = &self.contended {
            // SAFETY: who has the list has its lock.
            let who = self.first().map_or(0, |first| unsafe { first.inner() }.who);
            contended.waits(who);
        }
    }

    /// Puts a node at the end.
    ///
    /// # Safety
    /// The node is pinned, is in no list, and is taken out of this one before it goes away. The
    /// list is always used under the same lock.
    pub unsafe fn push(&mut self, node: &Node, waker: Waker, need: u32, stamp: u64) {
        // SAFETY: in no list, so nobody else looks at it.
        let inner = unsafe { node.inner() };
        *inner = Inner {
            before: self.last,
            after: ptr::null(),
            place: Place::Waiting,
            waker: Some(waker),
            summons: None,
            need,
            stamp,
            who: inner.who,
        };
        let link = ptr::from_ref(node);
        match NonNull::new(self.last.cast_mut()) {
            // SAFETY: nodes in the list are there, and this is another one.
            Some(last) => unsafe { last.as_ref().inner() }.after = link,
            None => self.first = link,
        }
        self.last = link;
        self.told();
    }

    /// Takes a node out. It is at `place` from now on.
    ///
    /// # Safety
    /// The caller holds the lock of this list, and the node is in it.
    pub unsafe fn remove(&mut self, node: &Node, place: Place) {
        // SAFETY: by the caller's promise; the reference ends before the neighbours are touched.
        let (before, after) = unsafe {
            let inner = node.inner();
            inner.place = place;
            (inner.before, inner.after)
        };
        match NonNull::new(before.cast_mut()) {
            // SAFETY: a neighbour in the list is there, and is another node.
            Some(before) => unsafe { before.as_ref().inner() }.after = after,
            None => self.first = after,
        }
        match NonNull::new(after.cast_mut()) {
            // SAFETY: as above.
            Some(after) => unsafe { after.as_ref().inner() }.before = before,
            None => self.last = before,
        }
        self.told();
    }
}
