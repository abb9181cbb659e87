//! Locks with a rank that many may read.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::metrics::{self, Span};
use crate::order::{self, Entry};
use crate::rank::Rank;

/// A lock of the runtime of rank `R`, which one writer or many readers hold. Readers only ever
/// try: what is read on hot paths waits for nobody.
pub struct RwLock<T, R: Rank> {
    rank: PhantomData<fn() -> R>,
    inner: parking_lot::RwLock<T>,
}

impl<T, R: Rank> RwLock<T, R> {
    /// A free lock around `value`.
    pub const fn new(value: T) -> RwLock<T, R> {
        RwLock {
            rank: PhantomData,
            inner: parking_lot::RwLock::new(value),
        }
    }

    /// Waits until nobody reads or writes.
    ///
    /// # Panics
    /// Where the order is checked: this thread holds a lock that the rank does not go under.
    #[inline]
    #[track_caller]
    pub fn write(&self) -> WriteGuard<'_, T, R> {
        order::check(R::INFO);
        let (guard, span) =
            metrics::take(R::INFO, || self.inner.try_write(), || self.inner.write());
        WriteGuard {
            _span: span,
            _entry: Entry::new(R::INFO),
            guard,
            rank: PhantomData,
        }
    }

    /// Reads, if nobody writes.
    #[inline]
    #[track_caller]
    pub fn try_read(&self) -> Option<ReadGuard<'_, T, R>> {
        let (guard, span) = metrics::attempt(R::INFO, || self.inner.try_read())?;
        Some(ReadGuard {
            _span: span,
            _entry: Entry::new(R::INFO),
            guard,
            rank: PhantomData,
        })
    }
}

impl<T: Default, R: Rank> Default for RwLock<T, R> {
    fn default() -> RwLock<T, R> {
        RwLock::new(T::default())
    }
}

impl<T: fmt::Debug, R: Rank> fmt::Debug for RwLock<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A lock that is read until this is dropped. The fields are dropped in their order.
#[must_use = "dropped at once, it guards nothing"]
pub struct ReadGuard<'m, T, R: Rank> {
    _span: Span,
    _entry: Entry,
    guard: parking_lot::RwLockReadGuard<'m, T>,
    rank: PhantomData<fn() -> R>,
}

/// A lock that is written until this is dropped. The fields are dropped in their order.
#[must_use = "dropped at once, it guards nothing"]
pub struct WriteGuard<'m, T, R: Rank> {
    _span: Span,
    _entry: Entry,
    guard: parking_lot::RwLockWriteGuard<'m, T>,
    rank: PhantomData<fn() -> R>,
}

impl<T, R: Rank> Deref for ReadGuard<'_, T, R> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T, R: Rank> Deref for WriteGuard<'_, T, R> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.guard
    }
}

impl<T, R: Rank> DerefMut for WriteGuard<'_, T, R> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.guard
    }
}
