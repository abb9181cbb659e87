//! Condition variables over locks with a rank.

use std::time::Duration;

use crate::mutex::MutexGuard;
use crate::order;
use crate::rank::Rank;

/// What threads wait on while they give a lock back.
#[derive(Debug, Default)]
pub struct Condvar {
    inner: parking_lot::Condvar,
}

impl Condvar {
    /// Nobody waits.
    pub const fn new() -> Condvar {
        Condvar {
            inner: parking_lot::Condvar::new(),
        }
    }

    /// Gives the lock back, waits for a notification, and takes the lock again.
    ///
    /// # Panics
    /// Where the order is checked: this thread holds another lock too.
    #[track_caller]
    pub fn wait<T, R: Rank>(&self, guard: &mut MutexGuard<'_, T, R>) {
        pause(guard);
        self.inner.wait(&mut guard.guard);
        resume(guard);
    }

    /// The same, for so long at most. True if the time was over.
    ///
    /// # Panics
    /// Where the order is checked: this thread holds another lock too.
    #[track_caller]
    pub fn wait_for<T, R: Rank>(&self, guard: &mut MutexGuard<'_, T, R>, limit: Duration) -> bool {
        pause(guard);
        let timed_out = self.inner.wait_for(&mut guard.guard, limit).timed_out();
        resume(guard);
        timed_out
    }

    /// Wakes one who waits.
    #[inline]
    pub fn notify_one(&self) {
        self.inner.notify_one();
    }

    /// Wakes all who wait.
    #[inline]
    pub fn notify_all(&self) {
        self.inner.notify_all();
    }
}

#[track_caller]
fn pause<T, R: Rank>(guard: &mut MutexGuard<'_, T, R>) {
    order::check_wait(&guard.entry);
    guard.entry.pause();
    guard.span.pause();
}

#[track_caller]
fn resume<T, R: Rank>(guard: &mut MutexGuard<'_, T, R>) {
    guard.span.resume();
    guard.entry.resume();
}
