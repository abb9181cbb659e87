//! What the scope future of a region shares with the wakers of its fibers, under a lock of its own.

use std::collections::VecDeque;
use std::task::Waker;

use crate::task::TaskRef;
use crate::task::cell::Frame;

/// See the module.
#[derive(Default)]
pub(crate) struct Scope {
    /// Wakes the task that polls the scope.
    pub(crate) waker: Option<Waker>,
    /// Fibers that were woken.
    pub(crate) ready: VecDeque<TaskRef>,
    /// Nobody polls fibers any more: a wake that comes late is dropped.
    pub(crate) gone: bool,
    /// Fibers are being polled.
    pub(crate) busy: bool,
    /// Its opener ended while they were: whoever polls them gives the scope up.
    pub(crate) orphaned: bool,
    /// What its fibers left when it was taken for forgotten.
    pub(crate) frames: Vec<Frame>,
}

impl Scope {
    /// For another region; what lists had room for stays.
    pub(crate) fn reset(&mut self) {
        debug_assert!(self.ready.is_empty() && self.waker.is_none());
        (self.gone, self.orphaned) = (false, false);
    }
}
