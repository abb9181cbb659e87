//! A stack of objects linked through themselves: pushed by any thread, taken whole (HEAL-19).
//!
//! Taking whole is what makes it simple: no pop of a single node, so no node can come back between
//! a reader's load and its swap (no ABA). Nothing is allocated.
#![allow(unsafe_code, reason = "follows the links of raw nodes")]

use std::ptr;

use asr_kernel::sync::atomic::{AtomicPtr, Ordering::*};

/// Something with a link.
pub trait Linked {
    /// Sets the link. Only the owner of the node calls it.
    fn set_next(&self, next: *mut Self);
    /// Reads the link. Only the owner of the node calls it.
    fn next(&self) -> *mut Self;
}

impl Linked for asr_abi::ObjectHeader {
    fn set_next(&self, next: *mut Self) {
        // Relaxed: published by the release of the push.
        self.link.store(next, std::sync::atomic::Ordering::Relaxed);
    }

    fn next(&self) -> *mut Self {
        self.link.load(std::sync::atomic::Ordering::Relaxed)
    }
}

/// The stack.
pub struct Stack<N> {
    head: AtomicPtr<N>,
}

impl<N: Linked> Stack<N> {
    /// Empty.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Stack {
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Empty.
    #[cfg(loom)]
    pub fn new() -> Self {
        Stack {
            head: AtomicPtr::new(ptr::null_mut()),
        }
    }

    /// Pushes a node.
    ///
    /// # Safety
    /// The caller owns the node, which stays alive and in no other stack until it was taken.
    pub unsafe fn push(&self, node: *mut N) {
        let mut head = self.head.load(Relaxed);
        loop {
            // SAFETY: owned by the caller.
            unsafe { (*node).set_next(head) };
            // Release: publishes the link, and what the pusher did to the node; pairs with `take`.
            match self
                .head
                .compare_exchange_weak(head, node, Release, Relaxed)
            {
                Ok(_) => return,
                Err(found) => head = found,
            }
        }
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.head.load(Acquire).is_null()
    }

    /// Takes all nodes, oldest first.
    pub fn take(&self) -> Taken<N> {
        // Acquire: pairs with the release of each push; a push that follows another one continues
        // its release sequence, so one acquire sees all of them.
        let mut node = self.head.swap(ptr::null_mut(), Acquire);
        let mut reversed: *mut N = ptr::null_mut();
        while !node.is_null() {
            // SAFETY: taken nodes are alive and owned by the taker.
            let next = unsafe { (*node).next() };
            // SAFETY: as above.
            unsafe { (*node).set_next(reversed) };
            reversed = node;
            node = next;
        }
        Taken { node: reversed }
    }
}

impl<N: Linked> Default for Stack<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Nodes taken from a stack; each is owned by whoever gets it from the iterator.
pub struct Taken<N> {
    node: *mut N,
}

impl<N: Linked> Iterator for Taken<N> {
    type Item = *mut N;

    fn next(&mut self) -> Option<*mut N> {
        if self.node.is_null() {
            return None;
        }
        let node = self.node;
        // SAFETY: taken nodes are alive; the link is read before the node is given away.
        self.node = unsafe { (*node).next() };
        Some(node)
    }
}
