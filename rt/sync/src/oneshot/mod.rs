//! Channels for one message (CHN-11): one allocation, one word.
//!
//! Each end belongs to a region, at first that of the context it was made with, and is closed when
//! that is finalized (CHN-27): an end looks at its region when it is used. Only a receiver that
//! waits in another region has to be told, so only then the region knows of it.
//!
//! | file | idea |
//! |---|---|
//! | `shared` | the word, and who frees what |
//! | `watch` | a receiver that waits outside its region |

mod shared;
mod watch;

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asr_base::{Error, Status};
use asr_kernel::Cx;
use asr_kernel::cx::{Home, Set, Waiter};
use asr_trace::{End, Resource};

use crate::error::{Closed, RecvError, TryRecvError};
pub use shared::{RawReceiver, RawSender, raw};
use watch::Watch;

/// A channel for one message. Its ends belong to the region of `cx` (CHN-27).
pub fn oneshot<T, C: Set>(cx: &Cx<C>) -> (Sender<T>, Receiver<T>) {
    let (raw_sender, raw_receiver) = raw(Some(cx.home()));
    let sender = Sender {
        raw: raw_sender,
        moved: None,
    };
    let receiver = Receiver {
        raw: raw_receiver,
        moved: None,
        watch: None,
    };
    (sender, receiver)
}

/// The region of `cx`, to belong to.
fn home_of<C: Set>(cx: &Cx<C>) -> Result<Home, Error> {
    let home = cx.home();
    if home.is_closed() {
        let what = "a closed region has no more belongings";
        return Err(Error::new(Status::REGION_CLOSED, what));
    }
    Ok(home)
}

/// Who sends the message, or goes without.
pub struct Sender<T> {
    raw: RawSender<T>,
    /// The region that adopted it.
    moved: Option<Home>,
}

impl<T> Sender<T> {
    /// Sends. Waits for nobody.
    ///
    /// # Errors
    /// The message, if the receiver is gone, or the region to which this end belongs.
    #[inline]
    pub fn send(self, value: T) -> Result<(), Closed<T>> {
        if self.home_closed() {
            return Err(Closed(value));
        }
        self.raw.send(value)
    }

    /// The receiver is gone, or the region to which this end belongs.
    pub fn is_closed(&self) -> bool {
        self.raw.is_closed() || self.home_closed()
    }

    /// Moves this end to the region of `cx`: that closes it now when it is finalized, and the
    /// region before does no more (CHN-27). Kept beyond that region, it is closed when it is used;
    /// the receiver hears of it when it is dropped.
    ///
    /// # Errors
    /// `REGION_CLOSED` if the region is; nothing changed.
    pub fn adopt<C: Set>(&mut self, cx: &Cx<C>) -> Result<(), Error> {
        self.moved = Some(home_of(cx)?);
        Ok(())
    }

    #[inline]
    fn home_closed(&self) -> bool {
        let home = self.moved.as_ref().or(self.raw.home());
        home.is_some_and(Home::is_closed)
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
pub struct Receiver<T> {
    raw: RawReceiver<T>,
    /// The region that adopted it.
    moved: Option<Home>,
    /// By which its region tells it.
    watch: Option<Watch>,
}

impl<T> Receiver<T> {
    /// Waits for the message.
    ///
    /// # Errors
    /// `Closed` if the sender went without sending, or the region to which this end belongs was
    /// finalized before, and once the message was received; `Interrupted`.
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
        match self.raw.try_recv() {
            Ok(Some(value)) => Ok(value),
            Ok(None) if self.home().is_some_and(Home::is_closed) => {
                self.close();
                Err(TryRecvError::Closed)
            }
            Ok(None) => Err(TryRecvError::Empty),
            Err(_) => Err(TryRecvError::Closed),
        }
    }

    /// Moves this end to the region of `cx`: that closes it now when it is finalized, and the
    /// region before does no more (CHN-27).
    ///
    /// # Errors
    /// `REGION_CLOSED` if the region is; nothing changed.
    pub fn adopt<C: Set>(&mut self, cx: &Cx<C>) -> Result<(), Error> {
        self.moved = Some(home_of(cx)?);
        self.watch = None;
        Ok(())
    }

    fn home(&self) -> Option<&Home> {
        self.moved.as_ref().or(self.raw.home())
    }

    /// It waits with `context`; true if its region was finalized, or is about to be. The tasks of
    /// the region have ended by then: only others have to be told.
    fn home_closes(&mut self, waiter: &Waiter<'_>, context: &Context<'_>) -> bool {
        let home = self.moved.as_ref().or(self.raw.home());
        let Some(home) = home.filter(|home| home.region_id() != waiter.region_id()) else {
            return false;
        };
        if self.watch.is_none() {
            match Watch::new(home) {
                Ok(watch) => self.watch = Some(watch),
                Err(_) => return true,
            }
        }
        self.watch
            .as_ref()
            .is_some_and(|watch| watch.wakes(context.waker()))
    }

    /// Takes no message. One that was sent is dropped, and counted as undelivered.
    pub fn close(&mut self) {
        self.raw.close();
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
        let receiver = &mut this.receiver.raw;
        if this.waiter.check().is_err() {
            receiver.leave();
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        ready!(this.waiter.coop(context));
        if let Poll::Ready(received) = receiver.poll_recv(context.waker()) {
            return Poll::Ready(received.map_err(|_| RecvError::Closed));
        }
        if this.receiver.home_closes(&this.waiter, context) {
            this.receiver.close();
            return Poll::Ready(Err(RecvError::Closed));
        }
        let receiver = &mut this.receiver.raw;
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
        self.receiver.raw.leave();
        self.receiver.watch = None;
    }
}
