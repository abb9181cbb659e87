//! Mutexes of tasks: one permit, and what it guards (CHN-16 to CHN-18).
//!
//! A wait for the lock has to be polled: in a loop around a `select`, a wait that is kept, and not
//! polled while another branch runs, is called when it is first, and does not come. When its task
//! was polled without it, whoever comes next goes ahead of it, and that is reported, with the name
//! of the task, as `futurelock.detected` (OBL-19); it queues anew if it is polled after all. Those
//! who wait behind it already are served when somebody comes or the task itself waits here again:
//! until then they wait, so drop a wait that is not polled. A wait that is polled by a foreign
//! combinator with a waker of its own is never passed over.
//!
//! Poison is written under the lock and read under it, so it needs no ordering of its own.
#![allow(unsafe_code, reason = "guards memory by hand")]

use std::fmt;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use asr_base::{Duration, Time};
use asr_kernel::Cx;
use asr_kernel::cx::{Set, Waiter};
use asr_kernel::obligation::hold::SyncPermit;
use asr_kernel::obligation::{AbortCause, Held, Hold, Holder, holder_panicked};
use asr_kernel::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use asr_trace::Resource;
use pin_project_lite::pin_project;

use crate::cell::UnsafeCell;
use crate::error::{LockError, TryLockError, WaitError};
use crate::wait::{Acquire, Taken, Units};

/// A holder left something half done.
const POISONED: u8 = 1;
/// The holder is at something that must not be left half done.
const CRITICAL: u8 = 2;
/// The thread was panicking when the lock was taken: a drop then says nothing of the holder.
const PANICKING: u8 = 4;

/// Something that one task uses at a time.
pub struct Mutex<T> {
    units: Units,
    /// Of the holder's, and what he leaves behind.
    flags: AtomicU8,
    number: AtomicU64,
    contended: AtomicU64,
    waited_ns: AtomicU64,
    longest_ns: AtomicU64,
    value: UnsafeCell<T>,
}

// SAFETY: the value is used by the holder of the one permit only, and given out by value.
unsafe impl<T: Send> Send for Mutex<T> {}
// SAFETY: as above: `&Mutex` gives out `&mut T`, to one task at a time.
unsafe impl<T: Send> Sync for Mutex<T> {}

/// How often and how long tasks waited for a lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockStats {
    /// How many had to wait.
    pub contended: u64,
    /// How long those that got it waited, together.
    pub waited: Duration,
    /// The longest of these waits.
    pub longest: Duration,
}

impl<T> Mutex<T> {
    /// A free lock.
    pub fn new(value: T) -> Mutex<T> {
        Mutex {
            units: Units::new(1),
            flags: AtomicU8::new(0),
            number: AtomicU64::new(0),
            contended: AtomicU64::new(0),
            waited_ns: AtomicU64::new(0),
            longest_ns: AtomicU64::new(0),
            value: UnsafeCell::new(value),
        }
    }

    /// What it guarded.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T> Mutex<T> {
    /// Waits for the lock.
    ///
    /// # Errors
    /// `Poisoned` with the guard, `Interrupted`.
    ///
    /// # Cancel safety
    /// Checkpointing. Dropped or cancelled, it leaves no trace.
    #[inline]
    pub fn lock<'a, C: Set>(&'a self, cx: &'a Cx<C>) -> Lock<'a, T> {
        Lock {
            mutex: self,
            since: Time::MAX,
            acquire: Acquire::new(&self.units, 1, cx),
        }
    }

    /// The lock, if it is free.
    ///
    /// # Errors
    /// `Held`, `Poisoned` with the guard, `Closed` if the task of the context has ended.
    pub fn try_lock<'a, C: Set>(
        &'a self,
        cx: &'a Cx<C>,
    ) -> Result<MutexGuard<'a, T>, TryLockError<MutexGuard<'a, T>>> {
        let Taken::Done(_) = self.units.try_take(1) else {
            return Err(TryLockError::Held);
        };
        match self.guard(cx.holder()) {
            Ok(guard) => Ok(guard),
            Err(LockError::Poisoned(guard)) => Err(TryLockError::Poisoned(guard)),
            Err(LockError::Interrupted) => Err(TryLockError::Closed),
        }
    }

    /// The value, without the lock: nobody else has the mutex.
    pub fn get_mut(&mut self) -> &mut T {
        // SAFETY: `&mut self`: there is no guard.
        self.value.with_mut(|value| unsafe { &mut *value })
    }

    /// A holder panicked, or was cancelled in a critical section, and nobody cleared it.
    pub fn is_poisoned(&self) -> bool {
        self.flags.load(Relaxed) & POISONED != 0
    }

    /// How many tasks wait.
    pub fn waiting(&self) -> usize {
        self.units.waiting()
    }

    /// Somebody holds it.
    pub fn is_locked(&self) -> bool {
        self.units.word().free() == 0
    }

    /// How often and how long tasks waited so far.
    pub fn stats(&self) -> LockStats {
        LockStats {
            contended: self.contended.load(Relaxed),
            waited: Duration::from_nanos(self.waited_ns.load(Relaxed)),
            longest: Duration::from_nanos(self.longest_ns.load(Relaxed)),
        }
    }

    /// The permit was taken. On `Interrupted` it is free again.
    #[inline]
    fn guard<'a>(
        &'a self,
        holder: Holder<'a>,
    ) -> Result<MutexGuard<'a, T>, LockError<MutexGuard<'a, T>>> {
        let Ok(hold) = holder.hold() else {
            // The context outlived its task.
            self.units.give(1);
            return Err(LockError::Interrupted);
        };
        self.units.held().taken(hold.mark());
        let guard = MutexGuard {
            mutex: self,
            hold: ManuallyDrop::new(hold),
        };
        if std::thread::panicking() {
            guard.flag(PANICKING, true);
        }
        if self.is_poisoned() {
            return Err(LockError::Poisoned(guard));
        }
        Ok(guard)
    }

    /// A task begins to wait.
    #[cold]
    fn waits(&self, waiter: &Waiter<'_>, since: &mut Time) {
        if *since == Time::MAX {
            *since = waiter.now();
            self.contended.fetch_add(1, Relaxed);
        }
        waiter.waits_on(&self.number, Resource::Lock);
        waiter.waits_for_holder(self.units.held().holder());
        (self.units).watch(waiter, SyncPermit::KIND, &self.number, Resource::Lock);
    }

    /// And has it now.
    #[cold]
    fn waited(&self, waiter: &Waiter<'_>, since: Time) {
        let waited = waiter.now().since(since).as_nanos();
        let waited = u64::try_from(waited).unwrap_or(u64::MAX);
        self.waited_ns.fetch_add(waited, Relaxed);
        self.longest_ns.fetch_max(waited, Relaxed);
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex")
            .field("locked", &self.is_locked())
            .field("poisoned", &self.is_poisoned())
            .finish_non_exhaustive()
    }
}

pin_project! {
    /// Future of [`Mutex::lock`].
    #[must_use = "futures do nothing unless polled"]
    pub struct Lock<'a, T> {
        mutex: &'a Mutex<T>,
        // When it began to wait; `MAX` before that.
        since: Time,
        #[pin]
        acquire: Acquire<'a>,
    }
}

impl<'a, T> Future for Lock<'a, T> {
    type Output = Result<MutexGuard<'a, T>, LockError<MutexGuard<'a, T>>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let mutex = *this.mutex;
        let polled = this.acquire.as_mut().poll(context);
        let waiter = this.acquire.waiter();
        if polled.is_pending() {
            mutex.waits(waiter, this.since);
        }
        match ready!(polled) {
            Ok(()) => {}
            Err(WaitError::Interrupted | WaitError::Closed | WaitError::BadArgument) => {
                return Poll::Ready(Err(LockError::Interrupted));
            }
        }
        if *this.since != Time::MAX {
            mutex.waited(waiter, *this.since);
        }
        Poll::Ready(mutex.guard(this.acquire.holder()))
    }
}

impl<T> fmt::Debug for Lock<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lock").field(&self.mutex).finish()
    }
}

/// The lock, held by a task. Dropped, it is free again: that is its verb.
#[must_use = "dropped, the lock is free again"]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// Gone only while the guard is dropped.
    hold: ManuallyDrop<Hold<'a, SyncPermit>>,
}

// SAFETY: shared, a guard gives out `&T`.
unsafe impl<T: Sync> Sync for MutexGuard<'_, T> {}

impl<T> MutexGuard<'_, T> {
    /// Says that what is guarded is half done until further notice: a holder who is cancelled now
    /// leaves the lock poisoned.
    pub fn set_critical(&mut self, critical: bool) {
        self.flag(CRITICAL, critical);
    }

    /// What is guarded is in order again.
    pub fn clear_poison(&mut self) {
        self.flag(POISONED, false);
    }

    /// Gives the lock back.
    pub fn unlock(self) {}

    fn flag(&self, flag: u8, on: bool) {
        // Only the holder writes, so load and store need not be one step.
        let flags = self.mutex.flags.load(Relaxed);
        let next = if on { flags | flag } else { flags & !flag };
        self.mutex.flags.store(next, Relaxed);
    }

    /// Poisons the lock if it is given back in an unfinished state (CHN-17).
    #[cold]
    fn unwound(&self) {
        let flags = self.mutex.flags.load(Relaxed);
        let panics = holder_panicked() && flags & PANICKING == 0;
        if panics || flags & CRITICAL != 0 {
            self.flag(POISONED, true);
        }
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard has the one permit.
        self.mutex.value.with(|value| unsafe { &*value })
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the guard has the one permit, and is borrowed alone.
        self.mutex.value.with_mut(|value| unsafe { &mut *value })
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: not used again.
        let hold = unsafe { ManuallyDrop::take(&mut self.hold) };
        let unwound = hold.is_unwound();
        if unwound {
            self.unwound();
        }
        if self.mutex.flags.load(Relaxed) & !POISONED != 0 {
            self.flag(CRITICAL | PANICKING, false);
        }
        self.mutex.units.held().given_all();
        self.mutex.units.give(1);
        if unwound {
            hold.abort(AbortCause::Unwound);
        } else {
            hold.commit();
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
