//! What the two ends share.
//!
//! Each end sets its `DONE` once, as the last that it does with the memory, and whoever finds the
//! other's frees it. The value is the sender's before `VALUE` is set, with its `DONE`, and the
//! receiver's after. The rest is in `head`.
#![allow(unsafe_code, reason = "frees what two ends share")]

use std::mem::{ManuallyDrop, MaybeUninit};
use std::ptr::NonNull;
use std::task::{Poll, Waker};

use asr_kernel::cx::Home;
use asr_kernel::sync::atomic::AtomicU64;
use asr_kernel::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

use super::head::{CLOSED, Head, MOVED, RECEIVER_DONE, SENDER_DONE, TAKEN, VALUE, WAITED};
use super::watch::Watch;

use crate::cell::UnsafeCell;
use crate::error::Closed;
use crate::wait::spin;

pub(super) struct Shared<T> {
    pub(super) head: Head,
    value: UnsafeCell<MaybeUninit<T>>,
}

impl<T> Shared<T> {
    /// # Safety
    /// There is a value, it is the caller's, and nobody takes it after this.
    unsafe fn take_value(&self) -> T {
        // SAFETY: the caller's promise.
        self.value
            .with(|cell| unsafe { (*cell).assume_init_read() })
    }
}

/// The two ends, for models too.
pub fn raw<T>(home: Option<Home>) -> (RawSender<T>, RawReceiver<T>) {
    let shared = Box::new(Shared {
        head: Head::new(home),
        value: UnsafeCell::new(MaybeUninit::uninit()),
    });
    let shared = NonNull::from(Box::leak(shared));
    let receiver = RawReceiver {
        shared: Some(shared),
        waits: false,
        own: None,
        other: None,
    };
    (RawSender(shared), receiver)
}

/// The sending end.
pub struct RawSender<T>(pub(super) NonNull<Shared<T>>);

/// The receiving end.
pub struct RawReceiver<T> {
    /// None once it is done.
    pub(super) shared: Option<NonNull<Shared<T>>>,
    /// `WAITED` may be set.
    waits: bool,
    /// Of its own region.
    pub(super) own: Option<Watch>,
    /// Of the region that the channel was made in, for a sender that belongs to it still.
    pub(super) other: Option<Watch>,
}

// SAFETY: the value goes from thread to thread by value; the rest is atomic, or owned as the module
// says.
unsafe impl<T: Send> Send for RawSender<T> {}
// SAFETY: a shared sender only reads the word.
unsafe impl<T: Send> Sync for RawSender<T> {}
// SAFETY: as for the sender.
unsafe impl<T: Send> Send for RawReceiver<T> {}
// SAFETY: a shared receiver only looks where its region is.
unsafe impl<T: Send> Sync for RawReceiver<T> {}

pub(super) fn head<T>(shared: NonNull<Shared<T>>) -> NonNull<Head> {
    // SAFETY: only computes where it is; the memory is there while an end is not done.
    unsafe { NonNull::new_unchecked(&raw mut (*shared.as_ptr()).head) }
}

/// # Safety
/// Both ends are done.
unsafe fn free<T>(shared: NonNull<Shared<T>>) {
    // SAFETY: made by `raw`, and freed by whoever found the other end done: once.
    drop(unsafe { Box::from_raw(shared.as_ptr()) });
}

impl<T> RawSender<T> {
    pub(super) fn shared(&self) -> &Shared<T> {
        // SAFETY: this end is not done.
        unsafe { self.0.as_ref() }
    }

    /// The region that it was made in.
    pub(super) fn home(&self) -> Option<&Home> {
        self.shared().head.home.as_ref()
    }

    /// The receiver is done, or a region has closed the channel.
    pub fn is_closed(&self) -> bool {
        self.shared().head.word.load(Relaxed) & (RECEIVER_DONE | CLOSED) != 0
    }

    /// Sends.
    ///
    /// # Errors
    /// The message, if the receiver is done, or a region has closed the channel.
    #[inline]
    pub fn send(self, value: T) -> Result<(), Closed<T>> {
        let this = ManuallyDrop::new(self);
        let shared = this.shared();
        // SAFETY: the value is the sender's before `VALUE` is set.
        shared
            .value
            .with_mut(|cell| unsafe { (*cell).write(value) });
        let mut back = None;
        // SAFETY: the value is there; this end uses the memory no more, unless the other is done.
        if unsafe { finish(this.0, VALUE | SENDER_DONE, &mut back) } {
            return back.map_or(Ok(()), |value| Err(Closed(value)));
        }
        // SAFETY: the receiver is done, and never looked at it: still the sender's.
        let value = back.unwrap_or_else(|| unsafe { shared.take_value() });
        // SAFETY: both ends are done.
        unsafe { free(this.0) };
        Err(Closed(value))
    }
}

impl<T> Drop for RawSender<T> {
    fn drop(&mut self) {
        // SAFETY: this end uses the memory no more, unless the other is done.
        unsafe {
            if !finish(self.0, SENDER_DONE, &mut None) {
                free(self.0);
            }
        }
    }
}

/// Sets the sender's last bits, and wakes the receiver. A value that may not go through any more is
/// put `back`. False if the receiver is done: the memory is the caller's.
///
/// # Safety
/// The sender is not done, and uses the memory no more, unless this is false. With `VALUE` there
/// is one.
#[inline]
unsafe fn finish<T>(at: NonNull<Shared<T>>, mut bits: u8, back: &mut Option<T>) -> bool {
    // SAFETY: this end is not done.
    let shared = unsafe { at.as_ref() };
    let word = &shared.head.word;
    let mut now = word.load(Relaxed);
    let mut waker = None;
    loop {
        if now & CLOSED != 0 && bits & VALUE != 0 {
            bits = SENDER_DONE;
            // SAFETY: `VALUE` was not set, and never will be.
            *back = Some(unsafe { shared.take_value() });
        }
        let next = if now & WAITED != 0 {
            now & !WAITED | TAKEN
        } else {
            now & !TAKEN | bits
        };
        // AcqRel: Release publishes the value; Acquire has the waker, or the receiver's end.
        match word.compare_exchange_weak(now, next, AcqRel, Relaxed) {
            Err(seen) => now = seen,
            Ok(_) if now & WAITED == 0 => break,
            Ok(_) => {
                // SAFETY: `WAITED` was set after the waker and turned into `TAKEN` here.
                waker = shared.head.waker.with_mut(|own| unsafe { (*own).take() });
                now = next;
            }
        }
    }
    // The memory may be gone from here on.
    if let Some(waker) = waker {
        waker.wake();
    }
    now & RECEIVER_DONE == 0
}

impl<T> RawReceiver<T> {
    /// The region that it was made in, before it is done.
    pub(super) fn home(&self) -> Option<&Home> {
        // SAFETY: this end is not done.
        self.shared
            .and_then(|shared| unsafe { shared.as_ref() }.head.home.as_ref())
    }

    /// Where the number of the channel is kept, before it is done.
    pub(super) fn number(&self) -> Option<&AtomicU64> {
        // SAFETY: this end is not done.
        self.shared
            .map(|shared| unsafe { &shared.as_ref().head.number })
    }

    /// The message, if it is there.
    ///
    /// # Errors
    /// `Closed` if it will not come, or was received.
    pub fn try_recv(&mut self) -> Result<Option<T>, Closed> {
        let at = self.shared.ok_or(Closed(()))?;
        // SAFETY: this end is not done.
        let shared = unsafe { at.as_ref() };
        // Acquire pairs with the Release of `finish`.
        let now = shared.head.word.load(Acquire);
        if now & (SENDER_DONE | CLOSED) == 0 {
            return Ok(None);
        }
        if now & SENDER_DONE == 0 {
            self.close();
            return Err(Closed(()));
        }
        self.unwatch(true);
        self.shared = None;
        self.waits = false;
        // SAFETY: sent, and received once: this end is done.
        let value = (now & VALUE != 0).then(|| unsafe { shared.take_value() });
        // SAFETY: both ends are done.
        unsafe { free(at) };
        value.map(Some).ok_or(Closed(()))
    }

    /// The same, or `waker` is woken when there is something to see.
    #[inline]
    pub fn poll_recv(&mut self, waker: &Waker) -> Poll<Result<T, Closed>> {
        loop {
            match self.try_recv() {
                Ok(Some(value)) => return Poll::Ready(Ok(value)),
                Err(closed) => return Poll::Ready(Err(closed)),
                Ok(None) => {}
            }
            if self.waits && !self.take_back() {
                continue;
            }
            let Some(at) = self.shared else {
                return Poll::Ready(Err(Closed(())));
            };
            // SAFETY: this end is not done.
            let shared = unsafe { at.as_ref() };
            // Relaxed: a sender who took the waker is done, or about to be; `try_recv` looks again.
            if !spin(|| shared.head.word.load(Relaxed) & TAKEN == 0) {
                // It was stopped half-way.
                waker.wake_by_ref();
                return Poll::Pending;
            }
            let now = shared.head.word.load(Relaxed);
            if now & !MOVED != 0 {
                continue;
            }
            // SAFETY: both flags are clear, and no sender waits: the waker is the receiver's.
            let kept = shared.head.waker.with(|own| unsafe { (*own).as_ref() });
            if !kept.is_some_and(|kept| kept.will_wake(waker)) {
                let fresh = Some(waker.clone());
                // SAFETY: as above.
                let before = shared
                    .head
                    .waker
                    .with_mut(|own| unsafe { std::mem::replace(&mut *own, fresh) });
                drop(before);
            }
            // Release publishes the waker to who finds the flag. The word says no more than who
            // moved: no end is done, and none is closed.
            if shared
                .head
                .word
                .compare_exchange(now, now | WAITED, AcqRel, Relaxed)
                .is_ok()
            {
                self.waits = true;
                return Poll::Pending;
            }
        }
    }

    /// Clears `WAITED`. False if the sender did.
    fn take_back(&mut self) -> bool {
        self.waits = false;
        let Some(at) = self.shared else { return false };
        // SAFETY: this end is not done.
        let word = unsafe { &at.as_ref().head.word };
        let mut now = WAITED;
        loop {
            // Acquire: the waker may have been the sender's meanwhile.
            match word.compare_exchange(now, now & !WAITED, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(seen) if seen & WAITED == 0 => return false,
                Err(seen) => now = seen,
            }
        }
    }

    /// The receiver waits no more: nothing of it stays.
    #[inline]
    pub fn leave(&mut self) {
        if self.waits && self.take_back() {
            let Some(at) = self.shared else { return };
            // SAFETY: this end is not done.
            let shared = unsafe { at.as_ref() };
            // SAFETY: `WAITED` was cleared by the receiver: the waker is his.
            drop(shared.head.waker.with_mut(|own| unsafe { (*own).take() }));
        }
    }

    /// Takes no message. True if one that was sent was dropped.
    pub fn close(&mut self) -> bool {
        self.leave();
        self.unwatch(true);
        let Some(at) = self.shared.take() else {
            return false;
        };
        // SAFETY: this end is not done.
        let shared = unsafe { at.as_ref() };
        // AcqRel: Acquire has the value; Release is the last use of the memory, if it is.
        let before = shared.head.word.fetch_or(RECEIVER_DONE, AcqRel);
        if before & SENDER_DONE == 0 {
            return false;
        }
        let sent = before & VALUE != 0;
        // SAFETY: sent, and never received.
        let value = sent.then(|| unsafe { shared.take_value() });
        if let Some(home) = shared.head.home.as_ref().filter(|_| sent) {
            home.undelivered(&shared.head.number, 1);
        }
        // SAFETY: both ends are done.
        unsafe { free(at) };
        drop(value);
        sent
    }
}

impl<T> Drop for RawReceiver<T> {
    fn drop(&mut self) {
        self.close();
    }
}
