//! A first waiter that was called and does not look, because nobody polls him any more, stands in
//! the way of all others once they have overtaken him as often as they may (OBL-19).
//!
//! Protocol
//! 1. A call notes whom it woke, if that was a task (`Summons`). A look takes the note away.
//! 2. Who comes to the queue, or gives units that only the first may take, and finds that the task
//!    was polled since without a look, takes the first waiter out, and calls the next. So nobody is
//!    passed over who is polled when he is called: the bound on overtakes holds for all of those.
//! 3. A waiter of the same task cannot see that in the poll that the call led to. He asks for one
//!    more.
//! 4. Who is polled with no operation left for it in this poll (TSK-23) looks in the next, which it
//!    asks for: its note is written anew. That poll has to come through it, as this one did.
//! 5. Who was taken out queues anew if he is polled after all.
//!
//! If nobody comes, nobody is passed over: those who wait behind the first stay where they are. The
//! waker of a foreign combinator says nothing about a task, so its waiters are not passed over.
#![allow(unsafe_code, reason = "unlinks nodes of pinned futures")]

use std::pin::Pin;
use std::task::Waker;

use asr_kernel::sync::lock;
use asr_kernel::task::Summons;

use super::list::{List, Node, Place};
use super::queue::Queue;
use super::units::Units;

/// What comes to light under the lock of a queue, and is for after it.
#[derive(Default)]
pub(super) struct Aside {
    /// Who polls was called.
    pub(super) answered: Option<Summons>,
    /// Somebody was called in vain, and who is next.
    passed: Option<Summons>,
    pub(super) next: Option<Waker>,
    /// Who polls is to be polled again: then it is clear whether somebody else is not.
    pub(super) again: bool,
}

impl Aside {
    pub(super) fn settle(self) {
        if let Some(passed) = self.passed {
            passed.report();
        }
        if let Some(next) = self.next {
            next.wake();
        }
    }
}

/// The first waiter was called by a wake of the task behind `waker`, and has not looked.
pub(super) fn is_called(list: &List, waker: &Waker) -> bool {
    // SAFETY: who has the list has its lock.
    let summons = list.first().and_then(|first| unsafe { first.summons() });
    summons.is_some_and(|summons| summons.is_to(waker))
}

impl Units {
    /// Step 4: `waker` is about to be woken, or was.
    ///
    /// # Safety
    /// The node was used with this queue only.
    pub(super) unsafe fn put_off(&self, node: Pin<&Node>, waker: &Waker) {
        let before = {
            let _queue = lock(&self.queue);
            // SAFETY: the lock is held.
            unsafe { node.get_ref().call_again(waker) }
        };
        drop(before);
    }

    /// Step 2. The queue is locked.
    pub(super) fn pass_on(&self, queue: &mut Queue, aside: &mut Aside) {
        if aside.passed.is_some() || !self.word().is_called() {
            return;
        }
        let Some(first) = queue.list.first().map(std::ptr::from_ref) else {
            return;
        };
        // SAFETY: nodes in the list are there; the lock is held for all of it.
        let first = unsafe { &*first };
        // SAFETY: the lock is held.
        if !unsafe { first.summons() }.is_some_and(|summons| summons.is_missed()) {
            return;
        }
        // SAFETY: the lock is held, and the node is in the list.
        let second = unsafe { first.after() };
        let change = |now| Some(Queue::headed(now, second, queue.overtaken(now)));
        let (before, next) = self.modify(change).expect("always changes");
        let overtaken = queue.overtaken(before);
        // SAFETY: as above.
        unsafe {
            aside.passed = first.answer();
            queue.list.remove(first, Place::Out);
        }
        aside.next = queue.note(next, overtaken);
    }
}
