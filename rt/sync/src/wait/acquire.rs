//! Waiting for units as a task does: a cancel point that takes part in cooperation.
#![allow(unsafe_code, reason = "pins the node in the future")]

use std::pin::Pin;
use std::task::{Context, Poll};

use asr_kernel::Cx;
use asr_kernel::cx::{Set, Waiter};
use asr_kernel::obligation::Holder;

use super::list::Node;
use super::units::{Taken, Units};
use crate::error::WaitError;

/// Future of units. Whoever gets `Ok` has them.
///
/// # Cancel safety
/// Checkpointing. Dropped, it leaves no trace.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Acquire<'a> {
    units: &'a Units,
    waiter: Waiter<'a>,
    holder: Holder<'a>,
    need: u32,
    /// The node was handed to the queue.
    queued: bool,
    node: Node,
}

impl<'a> Acquire<'a> {
    /// So many units.
    #[inline]
    pub fn new<C: Set>(units: &'a Units, need: u32, cx: &'a Cx<C>) -> Acquire<'a> {
        Acquire {
            units,
            waiter: cx.waiter(),
            holder: cx.holder(),
            need,
            queued: false,
            node: Node::new(),
        }
    }

    /// The waiter.
    pub fn waiter(&self) -> &Waiter<'a> {
        &self.waiter
    }

    /// Who is to hold them.
    #[inline]
    pub fn holder(&self) -> Holder<'a> {
        self.holder
    }

    /// As `poll`, with another first attempt: the position is what it took, if it was that.
    #[inline]
    pub fn poll_first(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        attempt: impl FnOnce() -> Taken,
    ) -> Poll<Result<Option<usize>, WaitError>> {
        // SAFETY: the node is not moved out of `this`.
        let this = unsafe { self.get_unchecked_mut() };
        if this.waiter.check().is_err() {
            this.leave();
            return Poll::Ready(Err(WaitError::Interrupted));
        }
        if this.waiter.coop(context).is_pending() {
            this.put_off(context);
            return Poll::Pending;
        }
        if !this.queued {
            match attempt() {
                Taken::Done(before) => return Poll::Ready(Ok(Some(before.position()))),
                Taken::Closed => return Poll::Ready(Err(WaitError::Closed)),
                Taken::Short => {}
            }
        }
        this.wait(context).map_ok(|()| None)
    }

    /// It is polled, but has to look in a poll to come.
    #[cold]
    fn put_off(&self, context: &Context<'_>) {
        if self.queued {
            // SAFETY: `poll` pinned the future, and its node was used with these units.
            unsafe {
                let node = Pin::new_unchecked(&self.node);
                self.units.put_off(node, context.waker());
            }
        }
    }

    #[cold]
    fn leave(&mut self) {
        if self.queued {
            // SAFETY: `poll` pinned the future, and its node was used with these units.
            unsafe { self.units.leave(Pin::new_unchecked(&self.node)) };
            self.queued = false;
        }
    }

    #[cold]
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<Result<(), WaitError>> {
        if !self.queued {
            // SAFETY: it was not handed to the queue, or has left it.
            unsafe { self.node.set_who(self.waiter.task_id()) };
        }
        self.queued = true;
        // SAFETY: called by `poll` only, so the future is pinned; `drop` leaves.
        let node = unsafe { Pin::new_unchecked(&self.node) };
        // SAFETY: as above; the node is used with these units only.
        let polled = unsafe { self.units.poll(node, self.need, context.waker()) };
        if let Poll::Ready(result) = polled {
            self.queued = false;
            return Poll::Ready(result.map_err(|_| WaitError::Closed));
        }
        if self.waiter.park(context).is_err() {
            self.leave();
            return Poll::Ready(Err(WaitError::Interrupted));
        }
        Poll::Pending
    }
}

impl Future for Acquire<'_> {
    type Output = Result<(), WaitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let (units, need) = (self.units, self.need);
        self.poll_first(context, || units.try_take(need))
            .map_ok(|_| ())
    }
}

impl Drop for Acquire<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.queued {
            self.leave();
        }
    }
}
