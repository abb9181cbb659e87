//! What became of outcomes that nobody gets.

use asr_trace::{Sub, text_number};

use super::{emit, sub_of_task};
use crate::task::Task;

/// The value of a task that had observed its cancel (TSK-6).
pub(crate) fn result_discarded(task: &Task) {
    emit(task.kernel(), |now| {
        sub_of_task(Sub::ResultDiscarded, now, task)
    });
}

/// A panic of a branch became an error (policy 0).
pub(crate) fn panic_absorbed(task: &Task, message: &str) {
    emit(task.kernel(), |now| {
        let draft = sub_of_task(Sub::PanicAbsorbed, now, task)?;
        Some(draft.words(0, text_number(message), 0))
    });
}

/// The branch that lost had a value.
pub(crate) fn race_discarded(task: &Task, branch: usize) {
    emit(task.kernel(), |now| {
        let draft = sub_of_task(Sub::RaceDiscarded, now, task)?;
        Some(draft.words(branch as u64, 0, 0))
    });
}
