//! What the scope future of a region shares with the wakers of its fibers, under the lock of the
//! region.

use std::collections::VecDeque;
use std::task::Waker;

use crate::task::TaskRef;
use crate::task::cell::Frame;

/// See the module.
#[derive(Default)]
pub(crate) struct Scope {
    /// Wakes the task that polls the scope; stays while the scope is polled.
    pub(crate) waker: Option<Waker>,
    /// The scope is not being polled: who changes something wakes it. While it is polled, nobody
    /// need: it looks at the list and at the state before it waits.
    pub(crate) waits: bool,
    /// Fibers that were woken.
    pub(crate) ready: VecDeque<TaskRef>,
    /// The future of the region is there, and has the reference that the open region counts to
    /// itself.
    pub(crate) attached: bool,
    /// Nobody polls fibers any more: none is admitted, and a wake that comes late is dropped.
    pub(crate) gone: bool,
    /// Fibers are being polled; from the opening on, since the body is polled at once.
    pub(crate) busy: bool,
    /// Its opener ended while they were: whoever polls them gives the scope up.
    pub(crate) orphaned: bool,
    /// What its fibers left when it was taken for forgotten.
    pub(crate) frames: Vec<Frame>,
}

impl Scope {
    /// Its future polls it, and it has no fiber to poll.
    #[inline]
    pub(super) fn is_bare(&self) -> bool {
        self.ready.is_empty() && self.frames.is_empty() && !self.gone && !self.orphaned
    }

    /// For another region, with or without a future; what lists had room for stays.
    #[inline]
    pub(crate) fn reset(&mut self, attached: bool) {
        debug_assert!(self.ready.is_empty() && self.waker.is_none());
        (self.attached, self.busy) = (attached, attached);
        (self.gone, self.orphaned, self.waits) = (false, false, false);
    }
}
