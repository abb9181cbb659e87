//! A channel without a bound: senders never wait.
//!
//! Messages go through a list under a short lock. The receiver takes the whole list when its own is
//! used up, so it locks once per batch; a sender wakes it only if it waits.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker, ready};

use asr_base::Error;
use asr_kernel::Cx;
use asr_kernel::cx::{Lodging, Set, Waiter};
use asr_kernel::region::Belongs;
use asr_kernel::sync::atomic::{AtomicU64, AtomicUsize, Ordering::AcqRel, Ordering::Relaxed};
use asr_kernel::sync::{Mutex, lock, rank};
use asr_trace::{End, Resource};

use crate::error::{Closed, RecvError, TryRecvError};

struct Shared<T> {
    inner: Mutex<Inner<T>, rank::SyncChannel>,
    senders: AtomicUsize,
    number: AtomicU64,
    lodging: Mutex<Option<Lodging>, rank::SyncLodging>,
}

struct Inner<T> {
    queued: VecDeque<T>,
    /// The receiver, while it waits.
    waker: Option<Waker>,
    /// No more messages: the receiver is gone, or all senders, or somebody closed it.
    closed: bool,
}

/// A channel whose senders never wait, for as many messages as there is memory. It belongs to the
/// region of `cx`, as a bounded one does.
///
/// # Errors
/// `REGION_CLOSED` if the region is.
pub fn unbounded<T: Send + 'static, C: Set>(
    cx: &Cx<C>,
) -> Result<(UnboundedSender<T>, UnboundedReceiver<T>), Error> {
    let shared = Arc::new(Shared {
        inner: Mutex::new(Inner {
            queued: VecDeque::new(),
            waker: None,
            closed: false,
        }),
        senders: AtomicUsize::new(1),
        number: AtomicU64::new(0),
        lodging: Mutex::new(None),
    });
    let belongs: Weak<dyn Belongs> = Arc::<Shared<T>>::downgrade(&shared);
    let lodging = cx.home().admit(belongs)?;
    lock(&shared.lodging).replace(lodging);
    let sender = UnboundedSender(shared.clone());
    let receiver = UnboundedReceiver {
        shared,
        taken: VecDeque::new(),
    };
    Ok((sender, receiver))
}

impl<T> Shared<T> {
    fn end(&self) {
        let waker = {
            let mut inner = lock(&self.inner);
            inner.closed = true;
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T: Send> Belongs for Shared<T> {
    fn home_closed(&self) {
        self.end();
    }
}

/// A sender of an unbounded channel.
pub struct UnboundedSender<T>(Arc<Shared<T>>);

impl<T> UnboundedSender<T> {
    /// Sends.
    ///
    /// # Errors
    /// The message, if the channel is closed.
    pub fn send(&self, value: T) -> Result<(), Closed<T>> {
        let waker = {
            let mut inner = lock(&self.0.inner);
            if inner.closed {
                drop(inner);
                return Err(Closed(value));
            }
            inner.queued.push_back(value);
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Ends the channel for all senders: the receiver gets what is queued, and then `Closed`.
    pub fn close(&self) {
        self.0.end();
    }

    /// No more is sent: the receiver is gone, or somebody closed it.
    pub fn is_closed(&self) -> bool {
        lock(&self.0.inner).closed
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> UnboundedSender<T> {
        // Relaxed: made from one that is there.
        self.0.senders.fetch_add(1, Relaxed);
        UnboundedSender(self.0.clone())
    }
}

impl<T> Drop for UnboundedSender<T> {
    fn drop(&mut self) {
        // AcqRel: the last one sees what the others sent, and its end comes after.
        if self.0.senders.fetch_sub(1, AcqRel) == 1 {
            self.0.end();
        }
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedSender").finish_non_exhaustive()
    }
}

/// The one receiver of an unbounded channel. Dropped, it closes it.
pub struct UnboundedReceiver<T> {
    shared: Arc<Shared<T>>,
    /// What it took and has not given out.
    taken: VecDeque<T>,
}

impl<T> UnboundedReceiver<T> {
    /// The next message, in the order of sends.
    ///
    /// # Errors
    /// `Closed` once all senders are gone and each message was received; `Interrupted`.
    ///
    /// # Cancel safety
    /// Checkpointing. A pending cancel is preferred to a message, which stays queued (CAN-14).
    pub fn recv<'a, C: Set>(&'a mut self, cx: &'a Cx<C>) -> UnboundedRecv<'a, T> {
        UnboundedRecv {
            receiver: self,
            waiter: cx.waiter(),
            waits: false,
        }
    }

    /// The next message, if one is there.
    ///
    /// # Errors
    /// `Empty`, `Closed`.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.next(None)
    }

    /// The next message; if there is none, `waker` stays to be woken.
    fn next(&mut self, waker: Option<Waker>) -> Result<T, TryRecvError> {
        if let Some(value) = self.taken.pop_front() {
            return Ok(value);
        }
        let mut inner = lock(&self.shared.inner);
        std::mem::swap(&mut inner.queued, &mut self.taken);
        if let Some(value) = self.taken.pop_front() {
            return Ok(value);
        }
        if inner.closed {
            return Err(TryRecvError::Closed);
        }
        let before = waker.and_then(|waker| inner.waker.replace(waker));
        drop(inner);
        drop(before);
        Err(TryRecvError::Empty)
    }

    fn leave(&mut self) {
        let waker = lock(&self.shared.inner).waker.take();
        drop(waker);
    }

    /// Takes no more messages: those that are queued are dropped, and counted as undelivered.
    pub fn close(&mut self) {
        let (queued, waker) = {
            let mut inner = lock(&self.shared.inner);
            inner.closed = true;
            (std::mem::take(&mut inner.queued), inner.waker.take())
        };
        let taken = std::mem::take(&mut self.taken);
        let dropped = queued.len() + taken.len();
        drop((queued, taken, waker));
        if dropped > 0 {
            let Shared {
                lodging, number, ..
            } = &*self.shared;
            let home = lock(lodging).as_ref().map(|lodging| lodging.home().clone());
            if let Some(home) = home {
                home.undelivered(number, dropped as u64);
            }
        }
    }

    /// How many messages are queued.
    pub fn len(&self) -> usize {
        self.taken.len() + lock(&self.shared.inner).queued.len()
    }

    /// None is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Drop for UnboundedReceiver<T> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<T> fmt::Debug for UnboundedReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedReceiver")
            .field("queued", &self.len())
            .finish()
    }
}

/// Future of [`UnboundedReceiver::recv`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct UnboundedRecv<'a, T> {
    receiver: &'a mut UnboundedReceiver<T>,
    waiter: Waiter<'a>,
    waits: bool,
}

impl<T> UnboundedRecv<'_, T> {
    fn leave(&mut self) {
        if std::mem::take(&mut self.waits) {
            self.receiver.leave();
        }
    }
}

impl<T> Future for UnboundedRecv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        if this.waiter.check().is_err() {
            this.leave();
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        ready!(this.waiter.coop(context));
        let waker = if this.receiver.taken.is_empty() {
            Some(context.waker().clone())
        } else {
            None
        };
        match this.receiver.next(waker) {
            Ok(value) => return Poll::Ready(Ok(value)),
            Err(TryRecvError::Closed) => return Poll::Ready(Err(RecvError::Closed)),
            Err(TryRecvError::Empty) => this.waits = true,
        }
        let what = |number| Resource::Channel(number, End::Receive);
        this.waiter.waits_on(&this.receiver.shared.number, what);
        if this.waiter.park(context).is_err() {
            this.leave();
            return Poll::Ready(Err(RecvError::Interrupted));
        }
        Poll::Pending
    }
}

impl<T> Drop for UnboundedRecv<'_, T> {
    fn drop(&mut self) {
        self.leave();
    }
}
