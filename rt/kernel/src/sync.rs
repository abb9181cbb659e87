//! The one place from which the runtime takes its atomics and locks, so that loom can replace them.
//!
//! Locks have a rank ([`asr_lock::rank`]): the order in which they are taken is checked in debug
//! builds and in builds with the lab. Under loom a lock is loom's, and keeps its rank for the type
//! only.
#![allow(unsafe_code, reason = "reaches into locks whose record has one owner")]

#[cfg(loom)]
pub use loom::sync::{Arc, atomic};

#[cfg(not(loom))]
pub use std::sync::{Arc, atomic};

use asr_lock::Rank;
#[cfg(not(loom))]
pub use asr_lock::{Mutex, MutexGuard};
#[cfg(loom)]
pub use model::{Mutex, MutexGuard};

pub use asr_lock::{held, rank};

/// Uses what a lock guards, without taking it.
///
/// # Safety
/// The caller owns what the lock is part of, alone: nobody else may take the lock meanwhile.
#[cfg(not(loom))]
#[inline]
pub(crate) unsafe fn owned<T, K: Rank, R>(mutex: &Mutex<T, K>, run: impl FnOnce(&mut T) -> R) -> R {
    // SAFETY: by the contract there is no other access.
    run(unsafe { &mut *mutex.data_ptr() })
}

/// The same under the model checker, which sees to it that the lock is free.
#[cfg(loom)]
pub(crate) unsafe fn owned<T, K: Rank, R>(mutex: &Mutex<T, K>, run: impl FnOnce(&mut T) -> R) -> R {
    run(&mut mutex.try_lock().expect("nobody else has it"))
}

/// Takes a lock of the runtime. No code of a user runs under one, so none is ever poisoned.
#[inline]
#[track_caller]
pub fn lock<T, K: Rank>(mutex: &Mutex<T, K>) -> MutexGuard<'_, T, K> {
    mutex.lock()
}

/// Lets somebody else go on who is about to change what the caller reads.
pub(crate) fn pause() {
    #[cfg(loom)]
    loom::thread::yield_now();
    // It is a few instructions away from that, unless its thread was taken off the processor.
    #[cfg(not(loom))]
    std::thread::yield_now();
}

/// Locks of loom, with the types of others.
#[cfg(loom)]
mod model {
    use std::fmt;
    use std::marker::PhantomData;
    use std::ops::{Deref, DerefMut};

    use super::Rank;

    /// A lock of a model.
    pub struct Mutex<T, K: Rank> {
        rank: PhantomData<fn() -> K>,
        inner: loom::sync::Mutex<T>,
    }

    impl<T, K: Rank> Mutex<T, K> {
        /// A free lock.
        pub fn new(value: T) -> Mutex<T, K> {
            Mutex {
                rank: PhantomData,
                inner: loom::sync::Mutex::new(value),
            }
        }

        /// Waits for it.
        pub fn lock(&self) -> MutexGuard<'_, T, K> {
            MutexGuard {
                rank: PhantomData,
                guard: self.inner.lock().expect("no model panics under a lock"),
            }
        }

        pub(super) fn try_lock(&self) -> Option<MutexGuard<'_, T, K>> {
            let guard = self.inner.try_lock().ok()?;
            Some(MutexGuard {
                rank: PhantomData,
                guard,
            })
        }
    }

    impl<T: Default, K: Rank> Default for Mutex<T, K> {
        fn default() -> Mutex<T, K> {
            Mutex::new(T::default())
        }
    }

    impl<T: fmt::Debug, K: Rank> fmt::Debug for Mutex<T, K> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.inner.fmt(f)
        }
    }

    /// A lock of a model that is held.
    #[derive(Debug)]
    pub struct MutexGuard<'m, T, K: Rank> {
        rank: PhantomData<fn() -> K>,
        guard: loom::sync::MutexGuard<'m, T>,
    }

    impl<T, K: Rank> Deref for MutexGuard<'_, T, K> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.guard
        }
    }

    impl<T, K: Rank> DerefMut for MutexGuard<'_, T, K> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.guard
        }
    }
}
