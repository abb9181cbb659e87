//! Locks with a rank.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::metrics::{self, Span};
use crate::order::{self, Entry};
use crate::rank::Rank;

/// A lock of the runtime, of rank `R`.
pub struct Mutex<T, R: Rank> {
    rank: PhantomData<fn() -> R>,
    inner: parking_lot::Mutex<T>,
}

impl<T, R: Rank> Mutex<T, R> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> Mutex<T, R> {
        Mutex {
            rank: PhantomData,
            inner: parking_lot::Mutex::new(value),
        }
    }

    /// Waits for it.
    ///
    /// # Panics
    /// Where the order is checked: this thread holds a lock that the rank does not go under.
    #[inline]
    #[track_caller]
    pub fn lock(&self) -> MutexGuard<'_, T, R> {
        order::check(R::INFO);
        let (guard, span) = metrics::take(R::INFO, || self.inner.try_lock(), || self.inner.lock());
        MutexGuard {
            span,
            entry: Entry::new(R::INFO),
            guard,
            rank: PhantomData,
        }
    }

    /// Takes it if it is free.
    #[inline]
    #[track_caller]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T, R>> {
        let (guard, span) = metrics::attempt(R::INFO, || self.inner.try_lock())?;
        Some(MutexGuard {
            span,
            entry: Entry::new(R::INFO),
            guard,
            rank: PhantomData,
        })
    }

    /// What it guards, for its only owner.
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }

    /// Where that is. Whoever reads or writes there without the lock has to know that nobody else
    /// does.
    #[inline]
    pub fn data_ptr(&self) -> *mut T {
        self.inner.data_ptr()
    }
}

impl<T: Default, R: Rank> Default for Mutex<T, R> {
    fn default() -> Mutex<T, R> {
        Mutex::new(T::default())
    }
}

impl<T: fmt::Debug, R: Rank> fmt::Debug for Mutex<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A lock that is held until this is dropped.
///
/// The fields are dropped in their order: the hold is measured and forgotten while it lasts.
#[must_use = "dropped at once, it guards nothing"]
pub struct MutexGuard<'m, T, R: Rank> {
    pub(crate) span: Span,
    pub(crate) entry: Entry,
    pub(crate) guard: parking_lot::MutexGuard<'m, T>,
    rank: PhantomData<fn() -> R>,
}

impl<T, R: Rank> Deref for MutexGuard<'_, T, R> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T, R: Rank> DerefMut for MutexGuard<'_, T, R> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}

impl<T: fmt::Debug, R: Rank> fmt::Debug for MutexGuard<'_, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guard.fmt(f)
    }
}
