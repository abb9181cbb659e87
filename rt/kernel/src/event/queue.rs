//! Events of the queues of runnable tasks.

use asr_trace::{Draft, Sub};

use super::emit;
use crate::kernel::Kernel;

pub(crate) fn queue_capacity(kernel: &Kernel, queue: u64, len: usize, limit: usize) {
    emit(kernel, |now| {
        let (len, limit) = (len as u64, limit as u64);
        Some(Draft::sub(Sub::QueueCapacity, now)?.words(queue, len, limit))
    });
}
