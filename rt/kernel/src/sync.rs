//! The one place from which the runtime takes its atomics and locks, so that loom can replace them.
#![allow(unsafe_code, reason = "reaches into locks whose record has one owner")]

#[cfg(loom)]
pub use loom::sync::{Arc, Mutex, MutexGuard, atomic};

#[cfg(not(loom))]
pub use std::sync::{Arc, atomic};

#[cfg(not(loom))]
pub use parking_lot::Mutex;

#[cfg(all(not(loom), not(debug_assertions)))]
pub use parking_lot::MutexGuard;

#[cfg(all(not(loom), debug_assertions))]
pub use counted::MutexGuard;

/// Uses what a lock guards, without taking it.
///
/// # Safety
/// The caller owns what the lock is part of, alone: nobody else may take the lock meanwhile.
#[cfg(not(loom))]
#[inline]
pub(crate) unsafe fn owned<T, R>(mutex: &Mutex<T>, run: impl FnOnce(&mut T) -> R) -> R {
    // SAFETY: by the contract there is no other access.
    run(unsafe { &mut *mutex.data_ptr() })
}

/// The same under the model checker, which sees to it that the lock is free.
#[cfg(loom)]
pub(crate) unsafe fn owned<T, R>(mutex: &Mutex<T>, run: impl FnOnce(&mut T) -> R) -> R {
    run(&mut mutex.try_lock().expect("nobody else has it"))
}

/// Takes a lock of the runtime. No code of a user runs under one, so none is ever poisoned.
#[cfg(all(not(loom), not(debug_assertions)))]
#[inline]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Takes a lock of the runtime. Debug builds count how many the thread holds.
#[cfg(all(not(loom), debug_assertions))]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    MutexGuard::new(mutex.lock())
}

/// Takes a lock of the runtime.
#[cfg(loom)]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no model panics under a lock")
}

/// How many locks of the runtime this thread holds; 0 where they are not counted.
#[inline]
pub fn held() -> usize {
    #[cfg(all(not(loom), debug_assertions))]
    return counted::HELD.get();
    #[cfg(any(loom, not(debug_assertions)))]
    return 0;
}

/// Guards that count themselves (SCH-19).
#[cfg(all(not(loom), debug_assertions))]
mod counted {
    use std::cell::Cell;
    use std::ops::{Deref, DerefMut};

    thread_local! {
        pub(super) static HELD: Cell<usize> = const { Cell::new(0) };
    }

    /// A lock of the runtime that is held.
    #[derive(Debug)]
    pub struct MutexGuard<'m, T>(parking_lot::MutexGuard<'m, T>);

    impl<'m, T> MutexGuard<'m, T> {
        pub(super) fn new(guard: parking_lot::MutexGuard<'m, T>) -> MutexGuard<'m, T> {
            HELD.set(HELD.get() + 1);
            MutexGuard(guard)
        }
    }

    impl<T> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            HELD.set(HELD.get() - 1);
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}
