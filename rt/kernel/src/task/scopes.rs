//! How many scopes a task opened whose futures may be there still: at its end they were forgotten.
//!
//! Counted by the task in its own polls only, so a change is a load and a store. A scope that is
//! opened elsewhere marks the word (`Word::opened_elsewhere`); one whose future is dropped
//! elsewhere, or half-way, stays counted. A task that counts some looks for them at its end, maybe
//! in vain.

use crate::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// See the module. From 255 on it stays there.
#[derive(Default)]
pub(crate) struct Scopes(AtomicU8);

impl Scopes {
    /// The record belongs to a new task.
    pub(crate) fn renew(&self) {
        self.0.store(0, Relaxed);
    }

    /// The task opened one.
    #[inline]
    pub(crate) fn opened(&self) {
        self.0
            .store(self.0.load(Relaxed).saturating_add(1), Relaxed);
    }

    /// One was closed, and is dropped next.
    #[inline]
    pub(crate) fn closed(&self) {
        let count = self.0.load(Relaxed);
        if count < u8::MAX {
            self.0.store(count.saturating_sub(1), Relaxed);
        }
    }

    /// There may be one.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.0.load(Relaxed) > 0
    }
}
