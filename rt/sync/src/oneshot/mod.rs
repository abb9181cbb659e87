//! Channels for one message (CHN-11): one allocation, one word.
//!
//! Each end belongs to a region, at first that of the context it was made with, and is closed when
//! that is finalized (CHN-27), and the other end with it (CHN-2): an end looks at its region, which
//! is both ends', when it is used. Only a receiver that waits in another region has to be told, and
//! the other of two ends that belong to different regions: only then a region knows of an end.
//!
//! | file | idea |
//! |---|---|
//! | `shared` | the word, and who frees what |
//! | `head` | what of it knows nothing of the message |
//! | `home` | ends and the regions to which they belong |
//! | `watch` | an end that a region has to tell |

mod head;
mod home;
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
        watch: None,
        raw: raw_sender,
        moved: None,
    };
    let receiver = Receiver {
        raw: raw_receiver,
        moved: None,
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
    /// By which the region that adopted it ends it. Dropped before `raw`.
    watch: Option<Watch>,
    raw: RawSender<T>,
    /// The region that adopted it.
    moved: Option<Home>,
}

impl<T> Sender<T> {
    /// Sends. Waits for nobody.
    ///
    /// # Errors
    /// The message, if the receiver is gone, or the region to which an end belongs.
    #[inline]
    pub fn send(mut self, value: T) -> Result<(), Closed<T>> {
        if self.home_closed() {
            return Err(Closed(value));
        }
        self.watch = None;
        self.raw.send(value)
    }

    /// The receiver is gone, or the region to which an end belongs.
    pub fn is_closed(&self) -> bool {
        self.raw.is_closed() || self.home_closed()
    }

    /// Moves this end to the region of `cx`: that closes it now when it is finalized, and the
    /// region before does no more (CHN-27). The receiver is told of it, wherever it waits. What was
    /// closed already stays so.
    ///
    /// # Errors
    /// `REGION_CLOSED` if the region is; nothing changed.
    pub fn adopt<C: Set>(&mut self, cx: &Cx<C>) -> Result<(), Error> {
        self.move_to(home_of(cx)?)
    }

    pub(crate) fn move_to(&mut self, home: Home) -> Result<(), Error> {
        if self.home_closed() {
            self.raw.shut();
        }
        self.watch = Some(self.raw.adopt(&home)?);
        self.moved = Some(home);
        Ok(())
    }

    /// The region of this end was finalized, or that of the other, as far as nobody tells of it.
    #[inline]
    fn home_closed(&self) -> bool {
        match &self.moved {
            None => self.raw.home().is_some_and(Home::is_closed),
            Some(home) => home.is_closed() || self.raw.other_home_closed(),
        }
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
}

impl<T> Receiver<T> {
    /// Waits for the message.
    ///
    /// # Errors
    /// `Closed` if the sender went without sending, or the region to which an end belongs was
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
    /// region before does no more (CHN-27). The sender is told of it. What was closed already stays
    /// so.
    ///
    /// # Errors
    /// `REGION_CLOSED` if the region is; nothing changed.
    pub fn adopt<C: Set>(&mut self, cx: &Cx<C>) -> Result<(), Error> {
        self.move_to(home_of(cx)?)
    }

    pub(crate) fn move_to(&mut self, home: Home) -> Result<(), Error> {
        if self.home().is_some_and(Home::is_closed) {
            self.raw.shut();
        }
        self.raw.adopt(&home)?;
        self.moved = Some(home);
        Ok(())
    }

    fn home(&self) -> Option<&Home> {
        self.moved.as_ref().or(self.raw.home())
    }

    /// It waits with `context`; true if its region was finalized, or is about to be. The tasks of
    /// the region have ended by then: only others have to be told.
    fn home_closes(&mut self, waiter: &Waiter<'_>, context: &Context<'_>) -> bool {
        if !self.raw.is_watched() {
            let elsewhere = |home: &&Home| home.region_id() != waiter.region_id();
            let Some(home) = self.home().filter(elsewhere).cloned() else {
                return false;
            };
            if self.raw.watch(&home).is_err() {
                return true;
            }
        }
        self.raw.wakes(context.waker())
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
        self.receiver.raw.unwatch(self.receiver.moved.is_none());
    }
}
