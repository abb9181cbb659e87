//! Receiving with an acknowledgement (CHN-9, CHN-10).
//!
//! An item that was delivered keeps its place in the channel until it is acknowledged: its room is
//! not free, and no other item is delivered. So an item that comes back comes back to the head, and
//! the order of the others is what it was.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asr_kernel::Cx;
use asr_kernel::cx::Set;
use asr_kernel::obligation::hold::Ack;
use asr_kernel::obligation::{AbortCause, Hold, Holder};

use super::receive::{Receiver, Recv};
use crate::error::{RecvError, quietly};

/// How often an item is delivered before it goes to the dead letters, unless the receiver is told
/// otherwise: a consumer that fails now and then gets through, one that cannot is soon found out.
pub const MAX_DELIVERIES: u32 = 16;

/// Where items go that nobody takes.
pub type DeadLetters<T> = Box<dyn FnMut(T) + Send>;

/// What a receiver knows of deliveries.
pub(super) struct Deliveries<T> {
    /// An item that came back, and how often it was delivered.
    pub(super) back: Option<(T, u32)>,
    /// How often it may be delivered.
    max: u32,
    dead: Option<DeadLetters<T>>,
}

impl<T> Default for Deliveries<T> {
    fn default() -> Deliveries<T> {
        Deliveries {
            back: None,
            max: MAX_DELIVERIES,
            dead: None,
        }
    }
}

impl<T> Receiver<T> {
    /// The next item, to be acknowledged.
    ///
    /// # Errors
    /// As for [`recv`](Receiver::recv).
    ///
    /// # Cancel safety
    /// As for [`recv`](Receiver::recv).
    pub fn recv_ack<'a, C: Set>(&'a mut self, cx: &'a Cx<C>) -> RecvAck<'a, T> {
        RecvAck {
            holder: cx.holder(),
            recv: Some(self.recv(cx)),
        }
    }

    /// How often an item is delivered, at least once, before it goes to the dead letters.
    pub fn set_max_deliveries(&mut self, max: u32) {
        self.deliveries.max = max.max(1);
    }

    /// Where items go that were given back too often. Without it they are delivered again.
    pub fn set_dead_letters(&mut self, sink: impl FnMut(T) + Send + 'static) {
        self.deliveries.dead = Some(Box::new(sink));
    }

    /// An item comes back.
    fn give_back(&mut self, item: T, count: u32) {
        let Deliveries { back, max, dead } = &mut self.deliveries;
        match dead {
            Some(sink) if count >= *max => {
                self.ring.units().give(1);
                // In a destructor, it may be, of a task that panics.
                quietly(|| sink(item));
            }
            _ => *back = Some((item, count)),
        }
    }
}

/// Future of [`Receiver::recv_ack`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct RecvAck<'a, T> {
    holder: Holder<'a>,
    /// None once it is done.
    recv: Option<Recv<'a, T>>,
}

impl<'a, T> Future for RecvAck<'a, T> {
    type Output = Result<Delivery<'a, T>, RecvError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(recv) = &mut this.recv else {
            return Poll::Ready(Err(RecvError::Closed));
        };
        let (item, count) = match ready!(recv.poll_delivery(context)) {
            Ok(delivered) => delivered,
            Err(error) => {
                this.recv = None;
                return Poll::Ready(Err(error));
            }
        };
        let receiver = this.recv.take().and_then(Recv::into_receiver);
        let Some(receiver) = receiver else {
            return Poll::Ready(Err(RecvError::Closed));
        };
        match this.holder.hold() {
            Ok(hold) => Poll::Ready(Ok(Delivery {
                receiver,
                item: Some(item),
                count: count + 1,
                hold: Some(hold),
            })),
            Err(_) => {
                // The context outlived its task.
                receiver.deliveries.back = Some((item, count));
                Poll::Ready(Err(RecvError::Interrupted))
            }
        }
    }
}

/// An item that wants an answer. Dropped, it goes back, and that is a leak on a normal path.
#[must_use = "a dropped delivery is given back"]
pub struct Delivery<'a, T> {
    receiver: &'a mut Receiver<T>,
    /// None only while it is taken apart.
    item: Option<T>,
    count: u32,
    hold: Option<Hold<'a, Ack>>,
}

impl<T> Delivery<'_, T> {
    /// How often the item was delivered, this time included.
    pub fn deliveries(&self) -> u32 {
        self.count
    }

    /// It is done with: its room is free.
    pub fn ack(mut self) -> T {
        // First: if the waker of a sender panics below, the item is not given back too.
        let item = self.item.take().expect("taken apart only by value");
        if let Some(hold) = self.hold.take() {
            hold.commit();
        }
        self.receiver.ring.units().give(1);
        item
    }

    /// It goes back to the head of the channel, or, after too many deliveries, to the dead letters.
    pub fn nack(mut self) {
        self.back();
        if let Some(hold) = self.hold.take() {
            hold.abort(AbortCause::Verb);
        }
    }

    fn back(&mut self) {
        if let Some(item) = self.item.take() {
            self.receiver.give_back(item, self.count);
        }
    }
}

impl<T> Deref for Delivery<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.item.as_ref().expect("taken apart only by value")
    }
}

impl<T> DerefMut for Delivery<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.item.as_mut().expect("taken apart only by value")
    }
}

impl<T> Drop for Delivery<'_, T> {
    fn drop(&mut self) {
        // The token goes with its field, after this.
        self.back();
    }
}

impl<T: fmt::Debug> fmt::Debug for Delivery<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("item", &self.item)
            .field("deliveries", &self.count)
            .finish()
    }
}
