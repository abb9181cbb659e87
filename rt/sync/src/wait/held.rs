//! Who holds what others wait for, so that a holder who is not polled is found (OBL-19).
//!
//! A holder notes its name when it has units, and takes the note away before it gives them back: a
//! note is never that of somebody who has none. Of several holders the last one stands here. Who
//! waits is noted by the list, under its lock.

use std::sync::{Arc, OnceLock};

use asr_base::TaskId;
use asr_kernel::cx::Waiter;
use asr_kernel::futurelock::Contended;
use asr_kernel::obligation::Kind;
use asr_kernel::sync::atomic::{AtomicU64, Ordering::Relaxed};
use asr_kernel::sync::lock;
use asr_trace::Resource;

use super::units::Units;

/// See the module.
#[derive(Debug)]
pub struct Held {
    /// The bits of an id; 0 is nobody.
    holder: AtomicU64,
    /// Made when somebody waits for the first time, where futurelocks are looked for.
    contended: OnceLock<Arc<Contended>>,
}

impl Held {
    pub(super) fn new() -> Held {
        Held {
            holder: AtomicU64::new(0),
            contended: OnceLock::new(),
        }
    }

    /// This task has units now. Relaxed, as all here: names order nothing.
    #[inline]
    pub fn taken(&self, holder: TaskId) {
        self.note(holder.to_bits());
    }

    /// This task is about to give units back.
    #[inline]
    pub fn given(&self, holder: TaskId) {
        if self.holder.load(Relaxed) == holder.to_bits() {
            self.note(0);
        }
    }

    /// Who holds some, if that is known.
    pub fn holder(&self) -> Option<TaskId> {
        TaskId::from_bits(self.holder.load(Relaxed))
    }

    #[inline]
    fn note(&self, holder: u64) {
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
