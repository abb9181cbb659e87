//! The limit of the queues of runnable tasks, which only warns (SCH-30): nothing is ever dropped.
//!
//! A crossing is from at most half of the limit to more than the limit, so that a queue that stands
//! at its limit is reported once. Drivers say how long their queues are when they take from them.

use super::Kernel;
use crate::event;
use crate::sync::atomic::Ordering::Relaxed;

impl Kernel {
    /// The driver's queue of this number holds so many tasks. The first one that is too long since
    /// all were short is reported as `queue.capacity`.
    #[inline]
    pub fn queue_holds(&self, queue: u64, len: usize) {
        if len > self.config.queue_capacity {
            self.queue_too_long(queue, len);
        }
    }

    #[cold]
    fn queue_too_long(&self, queue: u64, len: usize) {
        // Relaxed, here and below: the flag orders nothing, and one of several that find it clear
        // sets it.
        if !self.queues_long.load(Relaxed) && !self.queues_long.swap(true, Relaxed) {
            self.stats.queue_warnings.add(1);
            event::queue_capacity(self, queue, len, self.config.queue_capacity);
        }
    }

    /// No queue of the driver holds more than what `longest` counts, asked only after a report: the
    /// next that is too long may be reported again.
    #[inline]
    pub fn queues_hold(&self, longest: impl FnOnce() -> usize) {
        if self.queues_long.load(Relaxed) && longest() <= self.config.queue_capacity / 2 {
            self.queues_long.store(false, Relaxed);
        }
    }
}
