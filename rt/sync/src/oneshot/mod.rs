//! Channels for one message (CHN-11): one allocation, one word.
//!
//! | file | idea |
//! |---|---|
//! | `shared` | the word, and who frees what |

mod shared;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asr_kernel::Cx;
use asr_kernel::cx::{Set, Waiter};
use asr_trace::{End, Resource};

use crate::error::{Closed, RecvError, TryRecvError};
pub use shared::{RawReceiver, RawSender, raw};

/// A channel for one message.
pub fn oneshot<T, C: Set>(cx: &Cx<C>) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = raw(Some(cx.home()));
    (Sender(sender), Receiver(receiver))
}

/// Who sends the message, or goes without.
pub struct Sender<T>(RawSender<T>);

impl<T> Sender<T> {
    /// Sends. Waits for nobody.
    ///
    /// # Errors
    /// The message, if the receiver is gone.
    #[inline]
    pub fn send(self, value: T) -> Result<(), Closed<T>> {
        self.0.send(value)
    }

    /// The receiver is gone.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("closed", &self.is_closed())
            .finish()
    }
}

/// Who gets the message, or hears that none will come.
pub struct Receiver<T>(RawReceiver<T>);

impl<T> Receiver<T> {
    /// Waits for the message.
    ///
    /// # Errors
    /// `Closed` if the sender went without sending, and once the message was received;
    /// `Interrupted`.
    ///
    /// # Cancel safety
    /// Checkpointing. A pending cancel is preferred to the message, which stays (CAN-14).
    #[inline]
    pub fn recv<'a, C: Set>(&'a mut self, cx: &'a Cx<C>) -> Recv<'a, T> {
        Recv {
            receiver: self,
            waiter: cx.waiter(),
        }
    }

    /// The message, if it is there.
    ///
    /// # Errors
    /// `Empty`, `Closed`.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match self.0.try_recv() {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(TryRecvError::Empty),
            Err(_) => Err(TryRecvError::Closed),
        }
    }

    /// Takes no message. One that was sent is dropped, and counted as undelivered.
    pub fn close(&mut self) {
        self.0.close();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
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
        let receiver = &mut this.receiver.0;
        if this.waiter.check().is_err() {
            receiver.leave();
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        ready!(this.waiter.coop(context));
        if let Poll::Ready(received) = receiver.poll_recv(context.waker()) {
            return Poll::Ready(received.map_err(|_| RecvError::Closed));
        }
        if let Some(number) = receiver.number() {
            let what = |number| Resource::Channel(number, End::Receive);
            this.waiter.waits_on(number, what);
        }
        if this.waiter.park(context).is_err() {
            receiver.leave();
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        Poll::Pending
    }
}

impl<T> Drop for Recv<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.receiver.0.leave();
    }
}
