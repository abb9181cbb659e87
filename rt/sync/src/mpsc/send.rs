//! The sending ends, and permits.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use asr_kernel::Cx;
use asr_kernel::cx::Set;
use asr_kernel::obligation::hold::SendPermit;
use asr_kernel::obligation::{AbortCause, Held, Hold};
use asr_trace::{End, Resource};
use pin_project_lite::pin_project;

use super::ring::Ring;
use crate::error::{Closed, SendError, TryReserveError, TrySendError, WaitError};
use crate::wait::{Acquire, Taken};

/// A sender of a channel. When the last is gone, and the last permit, the receiver gets what is
/// queued, and then `Closed`.
pub struct Sender<T> {
    ring: Arc<Ring<T>>,
}

impl<T> Sender<T> {
    pub(super) fn new(ring: Arc<Ring<T>>) -> Sender<T> {
        Sender { ring }
    }

    /// Waits for room for one message, and keeps it.
    ///
    /// # Errors
    /// `Closed`, `Interrupted`.
    ///
    /// # Cancel safety
    /// Checkpointing. Dropped or cancelled, it leaves no trace.
    #[inline]
    pub fn reserve<'a, C: Set>(&'a self, cx: &'a Cx<C>) -> Reserve<'a, T> {
        Reserve {
            ring: &self.ring,
            acquire: Acquire::new(self.ring.units(), 1, cx),
        }
    }

    /// The same; the permit lives without the sender, and keeps the channel open (CHN-8).
    ///
    /// # Errors
    /// As for [`reserve`](Sender::reserve).
    ///
    /// # Cancel safety
    /// As for [`reserve`](Sender::reserve); the sender goes with the future.
    pub async fn reserve_owned<C: Set>(self, cx: &Cx<C>) -> Result<OwnedPermit<'_, T>, WaitError> {
        Acquire::new(self.ring.units(), 1, cx).await?;
        let mut room = OwnedRoom {
            sender: self,
            holder: 0,
            used: false,
        };
        let hold = cx.holder().hold().map_err(|_| WaitError::Interrupted)?;
        room.holder = hold.mark();
        room.sender.ring.units().held().taken(room.holder);
        Ok(OwnedPermit { room, hold })
    }

    /// Waits for room, and sends.
    ///
    /// # Errors
    /// The message: `Closed`, `Interrupted`.
    ///
    /// # Cancel safety
    /// Checkpointing; nothing was sent unless it says so. A future that is dropped drops the
    /// message: who wants to keep it reserves first.
    #[inline]
    pub fn send<'a, C: Set>(&'a self, cx: &'a Cx<C>, value: T) -> Send<'a, T> {
        Send {
            ring: &self.ring,
            value: Some(value),
            acquire: Acquire::new(self.ring.units(), 1, cx),
        }
    }

    /// Sends, if there is room.
    ///
    /// # Errors
    /// The message: `Full`, `Closed`.
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        match self.ring.try_send(value) {
            Ok(None) => Ok(()),
            Ok(Some(value)) => Err(TrySendError::Full(value)),
            Err(Closed(value)) => Err(TrySendError::Closed(value)),
        }
    }

    /// Room for one message, if there is any.
    ///
    /// # Errors
    /// `Full`, `Closed`.
    pub fn try_reserve<'a, C: Set>(
        &'a self,
        cx: &'a Cx<C>,
    ) -> Result<Permit<'a, T>, TryReserveError> {
        match self.ring.units().try_take(1) {
            Taken::Done(_) => {}
            Taken::Short => return Err(TryReserveError::Full),
            Taken::Closed => return Err(TryReserveError::Closed),
        }
        match cx.holder().hold() {
            Ok(hold) => Ok(Permit {
                room: Room::new(&self.ring, &hold),
                hold,
            }),
            Err(_) => {
                // The context outlived its task.
                self.ring.units().give(1);
                Err(TryReserveError::Closed)
            }
        }
    }

    /// Ends the channel for all senders: the receiver gets what is queued, and then `Closed`.
    pub fn close(&self) {
        self.ring.end();
    }

    /// No more is sent: the receiver is gone, or somebody closed it.
    pub fn is_closed(&self) -> bool {
        self.ring.units().word().is_closed()
    }

    /// For how many messages there is room now.
    pub fn room(&self) -> usize {
        self.ring.units().word().free() as usize
    }

    /// For how many there is room when it is empty.
    pub fn capacity(&self) -> usize {
        self.ring.capacity()
    }

    /// How many senders wait for room.
    pub fn waiting(&self) -> usize {
        self.ring.units().waiting()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.ring.retain();
        Sender {
            ring: self.ring.clone(),
        }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.ring.release();
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&self.ring).finish()
    }
}

fn waits<T>(ring: &Ring<T>, acquire: &Acquire<'_>) {
    let what = |number| Resource::Channel(number, End::Send);
    acquire.waiter().waits_on(&ring.number, what);
    let units = ring.units();
    units.watch(acquire.waiter(), SendPermit::KIND, &ring.number, what);
}

pin_project! {
    /// Future of [`Sender::send`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Send<'a, T> {
        ring: &'a Ring<T>,
        value: Option<T>,
        #[pin]
        acquire: Acquire<'a>,
    }
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let ring = *this.ring;
        let polled = this
            .acquire
            .as_mut()
            .poll_first(context, || ring.units().try_take_position());
        let value = match polled {
            Poll::Pending => {
                waits(ring, &this.acquire);
                return Poll::Pending;
            }
            Poll::Ready(polled) => {
                let value = this.value.take().expect("polled after it was ready");
                match polled {
                    Ok(Some(position)) => {
                        return Poll::Ready(sent(ring.publish(position, value)));
                    }
                    Ok(None) => value,
                    Err(WaitError::Interrupted) => {
                        return Poll::Ready(Err(SendError::Interrupted(value)));
                    }
                    Err(_) => return Poll::Ready(Err(SendError::Closed(value))),
                }
            }
        };
        Poll::Ready(sent(ring.send_reserved(value)))
    }
}

#[inline]
fn sent<T>(sent: Result<(), Closed<T>>) -> Result<(), SendError<T>> {
    sent.map_err(|Closed(value)| SendError::Closed(value))
}

impl<T> fmt::Debug for Send<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Send").field(&self.ring).finish()
    }
}

pin_project! {
    /// Future of [`Sender::reserve`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Reserve<'a, T> {
        ring: &'a Ring<T>,
        #[pin]
        acquire: Acquire<'a>,
    }
}

impl<'a, T> Future for Reserve<'a, T> {
    type Output = Result<Permit<'a, T>, WaitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let ring = *this.ring;
        let polled = this.acquire.as_mut().poll(context);
        if polled.is_pending() {
            waits(ring, &this.acquire);
        }
        ready!(polled)?;
        match this.acquire.holder().hold() {
            Ok(hold) => {
                let room = Room::new(ring, &hold);
                Poll::Ready(Ok(Permit { room, hold }))
            }
            Err(_) => {
                // The context outlived its task.
                ring.units().give(1);
                Poll::Ready(Err(WaitError::Interrupted))
            }
        }
    }
}

impl<T> fmt::Debug for Reserve<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reserve").field(&self.ring).finish()
    }
}

/// A unit of room of a task, that goes back unless it is used.
struct Room<'a, T> {
    ring: &'a Ring<T>,
    holder: usize,
}

impl<'a, T> Room<'a, T> {
    #[inline]
    fn new(ring: &'a Ring<T>, hold: &Hold<'_, SendPermit>) -> Room<'a, T> {
        let holder = hold.mark();
        ring.units().held().taken(holder);
        Room { ring, holder }
    }

    fn send(self, value: T) -> Result<(), Closed<T>> {
        let ring = self.ring;
        ring.units().held().given(self.holder);
        std::mem::forget(self);
        ring.send_reserved(value)
    }
}

impl<T> Drop for Room<'_, T> {
    fn drop(&mut self) {
        let units = self.ring.units();
        units.held().given(self.holder);
        units.give(1);
    }
}

/// Room for one message, held by a task. Sending cannot wait; dropped, the room is free again, and
/// that is a leak on a normal path.
#[must_use = "a dropped permit is a leak"]
pub struct Permit<'a, T> {
    // The room goes first.
    room: Room<'a, T>,
    hold: Hold<'a, SendPermit>,
}

impl<T> Permit<'_, T> {
    /// Sends.
    ///
    /// # Errors
    /// The message, if the receiver has gone since (OBL-7).
    #[inline]
    pub fn send(self, value: T) -> Result<(), Closed<T>> {
        let Permit { room, hold } = self;
        resolve(room.send(value), hold)
    }

    /// Gives the room back.
    pub fn abort(self) {
        let Permit { room, hold } = self;
        drop(room);
        hold.abort(AbortCause::Verb);
    }
}

#[inline]
fn resolve<T>(sent: Result<(), Closed<T>>, hold: Hold<'_, SendPermit>) -> Result<(), Closed<T>> {
    match sent {
        Ok(()) => hold.commit(),
        Err(_) => hold.abort(AbortCause::Closed),
    }
    sent
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.room.ring).finish()
    }
}

/// A sender with a unit of room, which goes back unless it is used.
struct OwnedRoom<T> {
    sender: Sender<T>,
    holder: usize,
    used: bool,
}

impl<T> Drop for OwnedRoom<T> {
    fn drop(&mut self) {
        let units = self.sender.ring.units();
        units.held().given(self.holder);
        if !self.used {
            units.give(1);
        }
    }
}

/// A permit that keeps the channel open by itself.
#[must_use = "a dropped permit is a leak"]
pub struct OwnedPermit<'c, T> {
    room: OwnedRoom<T>,
    hold: Hold<'c, SendPermit>,
}

impl<T> OwnedPermit<'_, T> {
    /// As [`Permit::send`].
    ///
    /// # Errors
    /// The message, if the receiver has gone since (OBL-7).
    pub fn send(self, value: T) -> Result<(), Closed<T>> {
        let OwnedPermit { mut room, hold } = self;
        room.used = true;
        resolve(room.sender.ring.send_reserved(value), hold)
    }

    /// Gives the room back.
    pub fn abort(self) {
        let OwnedPermit { room, hold } = self;
        drop(room);
        hold.abort(AbortCause::Verb);
    }
}

impl<T> fmt::Debug for OwnedPermit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ring = &self.room.sender.ring;
        f.debug_tuple("OwnedPermit").field(ring).finish()
    }
}
