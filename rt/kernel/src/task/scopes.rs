//! How many scopes a task opened whose futures are not dropped: at its end they were forgotten.

use crate::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// See the module. From 255 on it stays there, and the end of the task looks for scopes in vain.
#[derive(Default)]
pub(crate) struct Scopes(AtomicU8);

impl Scopes {
    /// The record belongs to a new task.
    pub(crate) fn renew(&self) {
        self.0.store(0, Relaxed);
    }

    /// It opened one.
    pub(crate) fn opened(&self) {
        self.count(|count| count.checked_add(1));
    }

    /// The future of one is dropped, on whatever thread.
    pub(crate) fn dropped(&self) {
        self.count(|count| (count < u8::MAX).then(|| count - 1));
    }

    fn count(&self, change: impl FnMut(u8) -> Option<u8>) {
        let _ = self.0.fetch_update(Relaxed, Relaxed, change);
    }

    /// There may be one.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        self.0.load(Relaxed) > 0
    }
}
