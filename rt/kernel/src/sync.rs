//! The one place from which the runtime takes its atomics and locks, so that loom can replace them.

#[cfg(loom)]
pub use loom::sync::{Arc, Mutex, MutexGuard, atomic};

#[cfg(not(loom))]
pub use std::sync::{Arc, atomic};

#[cfg(not(loom))]
pub use parking_lot::{Mutex, MutexGuard};

/// Takes a lock of the runtime. No code of a user runs under one, so none is ever poisoned.
#[cfg(not(loom))]
#[inline]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// Takes a lock of the runtime.
#[cfg(loom)]
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no model panics under a lock")
}
