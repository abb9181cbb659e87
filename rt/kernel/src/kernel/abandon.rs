//! Giving a kernel up: what a failed run leaves behind is dropped, not run.
//!
//! Protocol
//! 1. Finalizers are taken away first: they are code of the program, and nothing of it runs now but
//!    destructors.
//! 2. Each task that has a cell of its own ends where it stands: its future is dropped between
//!    polls, as at the end of a cleanup budget. Body and fibers of a scope lie in such a future and
//!    end with it.
//! 3. Every region begins its close; the last child to end closes it (region word), so the counts
//!    that records and regions keep of each other all go to zero.
//! 4. A destructor may hold the handle of an open region and spawn; so the whole is repeated until
//!    nothing lives, a bounded number of times.

use super::Kernel;
use crate::region::close;
use crate::sync::atomic::Ordering::AcqRel;
use crate::task::Tier;
use crate::task::end::{self, InCell};

/// Destructors that go on spawning are left alone after so many rounds.
const ROUNDS: usize = 64;

impl Kernel {
    /// Drops the futures of all live tasks, the outcomes nobody joined, finalizers and timers. True
    /// if nothing is left. The caller is the driver: it runs no task meanwhile, and drops the tasks
    /// of its queues afterwards.
    pub fn abandon(&self) -> bool {
        self.shutdown.swap(true, AcqRel);
        drop(self.trace.clear());
        for _ in 0..ROUNDS {
            let regions = self.regions();
            if regions.is_empty() {
                break;
            }
            for region in &regions {
                let finalizers = std::mem::take(&mut region.lock().finalizers);
                end::contained(|| drop(finalizers));
            }
            for task in self.tasks() {
                if matches!(task.tier(), Tier::Task | Tier::Finalizer) {
                    // One that stood in the middle of a poll, because the sink of the events
                    // panicked there, is lost; the others are not.
                    end::contained(|| end::abandoned(task, &mut InCell));
                }
            }
            for region in regions {
                close::close(&region);
            }
        }
        self.timers.clear();
        self.regions().is_empty()
    }
}
