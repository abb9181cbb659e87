//! The inbox of one worker for tasks that only it may run (SCH-16): any thread puts tasks in, the
//! worker takes them out, oldest first, and no thief looks here.

use super::entry::Entry;
use super::injector::Injector;

/// See the module.
#[derive(Debug)]
pub struct Pinned<T: Entry>(Injector<T>);

impl<T: Entry> Default for Pinned<T> {
    fn default() -> Pinned<T> {
        Pinned::new()
    }
}

impl<T: Entry> Pinned<T> {
    /// Empty.
    pub fn new() -> Pinned<T> {
        Pinned(Injector::new())
    }

    /// Puts a task in. The caller unparks the owner (SCH-17).
    pub fn push(&self, entry: T) -> usize {
        self.0.push(entry)
    }

    /// Takes the oldest; for the owner.
    pub fn pop(&self) -> Option<T> {
        self.0.pop()
    }

    /// How many wait, as for [`Injector::len`].
    #[inline]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none does.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
