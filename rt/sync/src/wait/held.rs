//! Who holds what others wait for, so that a holder who is not polled is found (OBL-19).
//!
//! A holder notes its name when it has units, and takes the note away before it gives them back: a
//! note is never that of somebody who has none. Of several holders the last one stands here. Who
//! waits is noted by the list, under its lock.

use std::sync::{Arc, OnceLock};

use asr_kernel::cx::Waiter;
use asr_kernel::futurelock::Contended;
use asr_kernel::obligation::Kind;
use asr_kernel::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use asr_kernel::sync::lock;
use asr_trace::Resource;

use super::units::Units;

/// See the module.
#[derive(Debug)]
pub struct Held {
    /// The mark of a task; 0 is nobody.
    holder: AtomicUsize,
    /// Made when somebody waits for the first time, where futurelocks are looked for.
    contended: OnceLock<Arc<Contended>>,
}

impl Held {
    pub(super) fn new() -> Held {
        Held {
            holder: AtomicUsize::new(0),
            contended: OnceLock::new(),
        }
    }

    /// This task has units now. Relaxed, as all here: names order nothing.
    #[inline]
    pub fn taken(&self, holder: usize) {
        self.note(holder);
    }

    /// This task is about to give units back.
    #[inline]
    pub fn given(&self, holder: usize) {
        if self.holder.load(Relaxed) == holder {
            self.note(0);
        }
    }

    /// The same, where there is one holder at a time.
    #[inline]
    pub fn given_all(&self) {
        self.note(0);
    }

    /// Who holds some, if that is known; 0 if not.
    pub fn holder(&self) -> usize {
        self.holder.load(Relaxed)
    }

    #[inline]
    fn note(&self, holder: usize) {
        self.holder.store(holder, Relaxed);
        if let Some(contended) = self.contended.get() {
            contended.holds(holder);
        }
    }
}

impl Units {
    /// A task waits, and is in the list: whoever holds what it waits for is watched.
    #[cold]
    pub fn watch(
        &self,
        waiter: &Waiter<'_>,
        kind: Kind,
        number: &AtomicU64,
        what: impl FnOnce(u64) -> Resource,
    ) {
        let held = self.held();
        if held.contended.get().is_none() {
            let Some(fresh) = waiter.contended(kind, number, what) else {
                return;
            };
            let mut queue = lock(&self.queue);
            if held.contended.set(fresh.clone()).is_ok() {
                fresh.holds(held.holder.load(Relaxed));
                queue.list.tell(fresh);
            }
        }
        waiter.arm_futurelocks();
    }
}
