//! Events of the scheduler.

use asr_base::{Duration, TaskId};
use asr_trace::{Draft, Sub};

use super::emit;
use crate::kernel::Kernel;

/// A poll that has lasted so long, and where its future was spawned (SCH-45).
pub(crate) fn long_poll(kernel: &Kernel, task: TaskId, site: u64, lasted: Duration) {
    kernel.stats().long_polls.add(1);
    emit(kernel, |now| {
        let lasted = u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX);
        let draft = Draft::sub(Sub::LongPoll, now)?.task(task);
        Some(draft.words(site, lasted, 0))
    });
}
