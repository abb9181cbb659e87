//! The receiving end.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use asr_base::Error;
use asr_kernel::Cx;
use asr_kernel::cx::{Home, Set, Waiter};
use asr_trace::{End, Resource};

use super::ack::Deliveries;
use super::lodge;
use super::ring::{Cursor, Ring};
use crate::error::{RecvError, TryRecvError};

/// The one receiver of a channel. Dropped, it closes it.
pub struct Receiver<T> {
    pub(super) ring: Arc<Ring<T>>,
    cursor: Cursor,
    pub(super) deliveries: Deliveries<T>,
    /// Moves a message to the region of who receives it.
    pub(super) arrive: Option<fn(&mut T, &Home)>,
}

impl<T> Receiver<T> {
    pub(super) fn new(ring: Arc<Ring<T>>) -> Receiver<T> {
        Receiver {
            ring,
            cursor: Cursor::default(),
            deliveries: Deliveries::default(),
            arrive: None,
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
            receiver: Some(self),
            waiter: cx.waiter(),
        }
    }

    /// The next message, if one is there.
    ///
    /// # Errors
    /// `Empty`, `Closed`.
    #[inline]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        if let Some((value, _)) = self.deliveries.back.take() {
            self.ring.units().give(1);
            return Ok(value);
        }
        match self.ring.try_recv(&mut self.cursor) {
            Ok(Some(value)) => {
                self.ring.units().give(1);
                Ok(value)
            }
            Ok(None) => Err(TryRecvError::Empty),
            Err(_) => Err(TryRecvError::Closed),
        }
    }

    /// Takes no more messages: those that are queued are dropped, and counted as undelivered;
    /// senders that wait get theirs back.
    pub fn close(&mut self) {
        let mut dropped = self.ring.close(&mut self.cursor);
        dropped += u64::from(self.deliveries.back.take().is_some());
        if dropped > 0
            && let Some(home) = self.ring.home()
        {
            home.undelivered(&self.ring.number, dropped);
        }
    }

    /// Moves the channel to the region of `cx`: that closes it now when it is finalized, and the
    /// region before does no more (CHN-27).
    ///
    /// # Errors
    /// `REGION_CLOSED` if the region is; nothing changed.
    pub fn adopt<C: Set>(&mut self, cx: &Cx<C>) -> Result<(), Error>
    where
        T: Send + 'static,
    {
        self.move_to(&cx.home())
    }

    pub(crate) fn move_to(&mut self, home: &Home) -> Result<(), Error>
    where
        T: Send + 'static,
    {
        lodge(&self.ring, home)
    }

    /// How many messages are queued.
    pub fn len(&self) -> usize {
        self.ring.len(&self.cursor) + usize::from(self.deliveries.back.is_some())
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

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&self.ring).finish()
    }
}

/// Future of [`Receiver::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Recv<'a, T> {
    /// None once it was taken back.
    receiver: Option<&'a mut Receiver<T>>,
    waiter: Waiter<'a>,
}

impl<'a, T> Recv<'a, T> {
    /// The next message and how often it was delivered; its room stays taken.
    #[inline]
    pub(super) fn poll_delivery(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(T, u32), RecvError>> {
        let Some(receiver) = &mut self.receiver else {
            return Poll::Ready(Err(RecvError::Closed));
        };
        let Receiver {
            ring,
            cursor,
            deliveries,
            arrive,
        } = &mut **receiver;
        if self.waiter.check().is_err() {
            ring.leave(cursor);
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        ready!(self.waiter.coop(context));
        if let Some(back) = deliveries.back.take() {
            return Poll::Ready(Ok(back));
        }
        if let Poll::Ready(received) = ring.poll_recv(cursor, context.waker()) {
            let received = received.map(|mut value| {
                if let Some(arrive) = arrive {
                    arrive(&mut value, &self.waiter.home());
                }
                (value, 0)
            });
            return Poll::Ready(received.map_err(|_| RecvError::Closed));
        }
        let what = |number| Resource::Channel(number, End::Receive);
        self.waiter.waits_on(&ring.number, what);
        if self.waiter.park(context).is_err() {
            ring.leave(cursor);
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        Poll::Pending
    }

    /// What it borrowed, once it does not wait.
    pub(super) fn into_receiver(mut self) -> Option<&'a mut Receiver<T>> {
        self.receiver.take()
    }
}

impl<T> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (value, _) = ready!(this.poll_delivery(context))?;
        if let Some(receiver) = &this.receiver {
            receiver.ring.units().give(1);
        }
        Poll::Ready(Ok(value))
    }
}

impl<T> Drop for Recv<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(receiver) = &mut self.receiver {
            let Receiver { ring, cursor, .. } = &mut **receiver;
            ring.leave(cursor);
        }
    }
}
