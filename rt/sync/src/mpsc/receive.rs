//! The receiving end.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use asr_kernel::Cx;
use asr_kernel::cx::{Set, Waiter};
use asr_trace::{End, Resource};

use super::ring::{Cursor, Ring};
use crate::error::{RecvError, TryRecvError};

/// The one receiver of a channel. Dropped, it closes it.
#[derive(Debug)]
pub struct Receiver<T> {
    ring: Arc<Ring<T>>,
    cursor: Cursor,
}

impl<T> Receiver<T> {
    pub(super) fn new(ring: Arc<Ring<T>>) -> Receiver<T> {
        Receiver {
            ring,
            cursor: Cursor::default(),
        }
    }

    /// The next message, in the order of commits.
    ///
    /// # Errors
    /// `Closed` once all senders and permits are gone and each message was received; `Interrupted`.
    ///
    /// # Cancel safety
    /// Checkpointing. A pending cancel is preferred to a message, which stays queued (CAN-14).
    #[inline]
    pub fn recv<'a, C: Set>(&'a mut self, cx: &'a Cx<C>) -> Recv<'a, T> {
        Recv {
            receiver: self,
            waiter: cx.waiter(),
        }
    }

    /// The next message, if one is there.
    ///
    /// # Errors
    /// `Empty`, `Closed`.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.ring.try_recv(&mut self.cursor) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(TryRecvError::Empty),
            Err(_) => Err(TryRecvError::Closed),
        }
    }

    /// Takes no more messages: those that are queued are dropped, and counted as undelivered;
    /// senders that wait get theirs back.
    pub fn close(&mut self) {
        let dropped = self.ring.close(&mut self.cursor);
        if let Some(home) = self.ring.home.as_ref().filter(|_| dropped > 0) {
            home.undelivered(&self.ring.number, dropped);
        }
    }

    /// How many messages are queued.
    pub fn len(&self) -> usize {
        self.ring.len(&self.cursor)
    }

    /// None is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many messages there is room for, those for which there is a permit included.
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
    }
}

/// Future of [`Receiver::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a, T> {
    receiver: &'a mut Receiver<T>,
    waiter: Waiter<'a>,
}

impl<T> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Receiver { ring, cursor } = &mut *this.receiver;
        if this.waiter.check().is_err() {
            ring.leave(cursor);
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        ready!(this.waiter.coop(context));
        if let Poll::Ready(received) = ring.poll_recv(cursor, context.waker()) {
            return Poll::Ready(received.map_err(|_| RecvError::Closed));
        }
        let what = |number| Resource::Channel(number, End::Receive);
        this.waiter.waits_on(&ring.number, what);
        if this.waiter.park(context).is_err() {
            ring.leave(cursor);
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        Poll::Pending
    }
}

impl<T> Drop for Recv<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let Receiver { ring, cursor } = &mut *self.receiver;
        ring.leave(cursor);
    }
}
