//! A lock for short sections of the runtime itself, that says how much it is fought for (CHN-18).
//!
//! It blocks its thread, so nobody waits for anything under it. Wait and hold times cost two looks
//! at the clock per lock; they are measured only where the option `measured` asks for them.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Instant;

use asr_base::Duration;
use asr_kernel::sync::atomic::{AtomicU64, Ordering::Relaxed};
use parking_lot::{Mutex, MutexGuard};

/// See the module.
#[derive(Default)]
pub struct ContendedMutex<T> {
    measured: bool,
    locked: AtomicU64,
    contended: AtomicU64,
    waited: Times,
    held: Times,
    value: Mutex<T>,
}

/// A sum of times, and the longest.
#[derive(Default)]
struct Times {
    total_ns: AtomicU64,
    longest_ns: AtomicU64,
}

impl Times {
    fn add(&self, since: Instant) {
        let ns = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.total_ns.fetch_add(ns, Relaxed);
        self.longest_ns.fetch_max(ns, Relaxed);
    }

    fn read(&self) -> (Duration, Duration) {
        let read = |ns: &AtomicU64| Duration::from_nanos(ns.load(Relaxed));
        (read(&self.total_ns), read(&self.longest_ns))
    }
}

/// How much a lock is fought for. Times are zero where they are not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContendedStats {
    /// How often it was taken.
    pub locked: u64,
    /// How often somebody else had it.
    pub contended: u64,
    /// What was waited, together.
    pub waited: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
    /// How long it was held, together.
    pub held: Duration,
    /// The longest hold.
    pub longest_hold: Duration,
}

impl<T> ContendedMutex<T> {
    /// A lock that counts.
    pub fn new(value: T) -> ContendedMutex<T> {
        ContendedMutex {
            measured: false,
            locked: AtomicU64::new(0),
            contended: AtomicU64::new(0),
            waited: Times::default(),
            held: Times::default(),
            value: Mutex::new(value),
        }
    }

    /// With the option `lock-metrics`: it measures waits and holds as well.
    #[must_use]
    pub fn measured(mut self) -> ContendedMutex<T> {
        self.measured = true;
        self
    }

    /// Takes the lock. Blocks the thread while somebody else has it.
    pub fn lock(&self) -> ContendedGuard<'_, T> {
        let guard = self.value.try_lock().unwrap_or_else(|| self.wait());
        self.locked.fetch_add(1, Relaxed);
        ContendedGuard {
            held: self.measured.then(|| (&self.held, Instant::now())),
            guard,
        }
    }

    #[cold]
    fn wait(&self) -> MutexGuard<'_, T> {
        self.contended.fetch_add(1, Relaxed);
        let since = self.measured.then(Instant::now);
        let guard = self.value.lock();
        if let Some(since) = since {
            self.waited.add(since);
        }
        guard
    }

    /// What was counted so far.
    pub fn stats(&self) -> ContendedStats {
        let (waited, longest_wait) = self.waited.read();
        let (held, longest_hold) = self.held.read();
        ContendedStats {
            locked: self.locked.load(Relaxed),
            contended: self.contended.load(Relaxed),
            waited,
            longest_wait,
            held,
            longest_hold,
        }
    }
}

impl<T> fmt::Debug for ContendedMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContendedMutex")
            .field(&self.stats())
            .finish()
    }
}

/// The lock, held by a thread.
#[must_use = "dropped, the lock is free again"]
pub struct ContendedGuard<'a, T> {
    held: Option<(&'a Times, Instant)>,
    guard: MutexGuard<'a, T>,
}

impl<T> Deref for ContendedGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T> DerefMut for ContendedGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T> Drop for ContendedGuard<'_, T> {
    fn drop(&mut self) {
        if let Some((times, since)) = self.held {
            times.add(since);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for ContendedGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
