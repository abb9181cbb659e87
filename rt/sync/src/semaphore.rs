//! Semaphores: permits that are obligations (CHN-21).
//!
//! A wait that is kept and not polled is passed over, as one for a [`mutex`](crate::mutex) is.
//!
//! What is free stands in one word and nowhere else, so available and held always add up to the
//! total: a permit that is given back to somebody who waits is free until he takes it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asr_base::{Error, Status};
use asr_kernel::Cx;
use asr_kernel::cx::Set;
use asr_kernel::obligation::hold::SyncPermit;
use asr_kernel::obligation::{Held, Hold};
use asr_kernel::sync::atomic::AtomicU64;
use asr_trace::Resource;
use pin_project_lite::pin_project;

use crate::error::{TryAcquireError, WaitError};
use crate::wait::{Acquire, Taken, UNITS_MAX, Units};

/// So many permits, and who waits for them.
#[derive(Debug)]
pub struct Semaphore {
    units: Units,
    total: u32,
    number: AtomicU64,
}

impl Semaphore {
    /// With so many permits.
    ///
    /// # Errors
    /// `BAD_ARGUMENT` for none, or more than [`UNITS_MAX`].
    pub fn new(permits: u32) -> Result<Semaphore, Error> {
        if !(1..=UNITS_MAX).contains(&permits) {
            let what = format!("a semaphore has 1 to {UNITS_MAX} permits");
            return Err(Error::new(Status::BAD_ARGUMENT, what));
        }
        Ok(Semaphore {
            units: Units::new(permits),
            total: permits,
            number: AtomicU64::new(0),
        })
    }

    /// How many there are, held or not.
    pub fn total(&self) -> u32 {
        self.total
    }

    /// How many nobody holds.
    pub fn available(&self) -> u32 {
        self.units.word().free()
    }

    /// How many tasks wait.
    pub fn waiting(&self) -> usize {
        self.units.waiting()
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// `Closed`, `Interrupted`.
    ///
    /// # Cancel safety
    /// Checkpointing. Dropped or cancelled, it leaves no trace.
    #[inline]
    pub fn acquire<'a, C: Set>(&'a self, cx: &'a Cx<C>) -> AcquirePermit<'a> {
        self.acquire_many(cx, 1)
    }

    /// Waits for so many permits at once. They are given as one; who waits for fewer and came later
    /// is not served before.
    ///
    /// # Errors
    /// As for [`acquire`](Semaphore::acquire); `BadArgument` for none, or more than there are.
    ///
    /// # Cancel safety
    /// As for [`acquire`](Semaphore::acquire).
    #[inline]
    pub fn acquire_many<'a, C: Set>(&'a self, cx: &'a Cx<C>, count: u32) -> AcquirePermit<'a> {
        AcquirePermit {
            semaphore: self,
            count,
            acquire: Acquire::new(&self.units, count, cx),
        }
    }

    /// A permit, if one is free.
    ///
    /// # Errors
    /// `Empty` if not, `Closed`.
    #[inline]
    pub fn try_acquire<'a, C: Set>(&'a self, cx: &'a Cx<C>) -> Result<Permit<'a>, TryAcquireError> {
        self.try_acquire_many(cx, 1)
    }

    /// So many permits, if they are free.
    ///
    /// # Errors
    /// As for [`try_acquire`](Semaphore::try_acquire); `BadArgument` for none, or more than there
    /// are.
    pub fn try_acquire_many<'a, C: Set>(
        &'a self,
        cx: &'a Cx<C>,
        count: u32,
    ) -> Result<Permit<'a>, TryAcquireError> {
        if !(1..=self.total).contains(&count) {
            return Err(TryAcquireError::BadArgument);
        }
        match self.units.try_take(count) {
            Taken::Done(_) => {}
            Taken::Short => return Err(TryAcquireError::Empty),
            Taken::Closed => return Err(TryAcquireError::Closed),
        }
        match cx.holder().hold() {
            Ok(hold) => Ok(Permit::new(self, count, hold)),
            Err(_) => {
                // The context outlived its task.
                self.units.give(count);
                Err(TryAcquireError::Closed)
            }
        }
    }

    /// Gives out no more permits: who waits gets `Closed`, who holds some keeps them. False if it
    /// was closed before.
    pub fn close(&self) -> bool {
        !self.units.close().is_closed()
    }

    /// It was closed.
    pub fn is_closed(&self) -> bool {
        self.units.word().is_closed()
    }
}

pin_project! {
    /// Future of [`Semaphore::acquire`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct AcquirePermit<'a> {
        semaphore: &'a Semaphore,
        count: u32,
        #[pin]
        acquire: Acquire<'a>,
    }
}

impl<'a> Future for AcquirePermit<'a> {
    type Output = Result<Permit<'a>, WaitError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let (semaphore, count) = (*this.semaphore, *this.count);
        if count == 0 || count > semaphore.total {
            return Poll::Ready(Err(WaitError::BadArgument));
        }
        let polled = this.acquire.as_mut().poll(context);
        if polled.is_pending() {
            let waiter = this.acquire.waiter();
            waiter.waits_on(&semaphore.number, Resource::Lock);
            let units = &semaphore.units;
            units.watch(waiter, SyncPermit::KIND, &semaphore.number, Resource::Lock);
        }
        ready!(polled)?;
        match this.acquire.holder().hold() {
            Ok(hold) => Poll::Ready(Ok(Permit::new(semaphore, count, hold))),
            Err(_) => {
                semaphore.units.give(count);
                Poll::Ready(Err(WaitError::Interrupted))
            }
        }
    }
}

/// Permits that a task holds. Dropped, they are free again: that is their verb.
#[derive(Debug)]
#[must_use = "dropped, the permits are free again"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    count: u32,
    /// None only while it is dropped.
    hold: Option<Hold<'a, SyncPermit>>,
}

impl<'a> Permit<'a> {
    #[inline]
    fn new(semaphore: &'a Semaphore, count: u32, hold: Hold<'a, SyncPermit>) -> Permit<'a> {
        semaphore.units.held().taken(hold.mark());
        Permit {
            semaphore,
            count,
            hold: Some(hold),
        }
    }

    /// How many.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Gives them back.
    pub fn release(self) {}
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        let units = &self.semaphore.units;
        let Some(hold) = self.hold.take() else { return };
        units.held().given(hold.mark());
        units.give(self.count);
        hold.release();
    }
}
