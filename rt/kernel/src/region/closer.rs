//! Waiting for a close.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use asr_base::{Error, Outcome, Status};
use asr_trace::Resource;

use super::close;
use super::handle::is_within;
use super::record::RegionRef;
use crate::cancel;
use crate::cx::Waiter;
use crate::task::TaskRef;

/// Future of [`RegionHandle::close`](super::RegionHandle::close).
#[must_use = "the close begins when it is polled"]
pub struct Close<'c> {
    region: &'c RegionRef,
    waiter: Waiter<'c>,
    begun: bool,
    /// Which waker was registered last.
    registered: Option<(usize, usize)>,
}

impl<'c> Close<'c> {
    pub(super) fn new(region: &'c RegionRef, task: &'c TaskRef) -> Close<'c> {
        Close {
            region,
            waiter: Waiter::new(task),
            begun: false,
            registered: None,
        }
    }
}

impl Future for Close<'_> {
    type Output = Outcome<(), Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let task = this.waiter.task();
        if !this.begun {
            if is_within(task.region(), this.region) {
                let what = "a task of the region waits for its close";
                return Poll::Ready(Outcome::Err(Error::new(Status::CYCLE, what)));
            }
            this.begun = true;
            close::close(this.region);
        }
        // A cancel that comes while this waits wakes it, and is passed on (REG-11).
        let _ = this.waiter.park(context);
        cancel::pass_on(task, this.region);
        // Cloned outside the lock, because a waker may be anybody's code, and only when another is
        // registered (TSK-14): one that is stays until the close, so its address names it.
        let identity = identity(context.waker());
        let fresh = (this.registered != Some(identity)).then(|| context.waker().clone());
        let mut inner = this.region.lock();
        if close::is_closed(this.region) {
            drop(inner);
            let outcome = this.region.outcome();
            return Poll::Ready(outcome.expect("stored before the word says so"));
        }
        let mut displaced = None;
        if let Some(waker) = fresh {
            match place(&inner.closers, this.registered) {
                Some(at) => displaced = Some(std::mem::replace(&mut inner.closers[at], waker)),
                None => inner.closers.push(waker),
            }
            this.registered = Some(identity);
        }
        drop(inner);
        drop(displaced);
        task.wait_for(Resource::Region(this.region.id()));
        Poll::Pending
    }
}

impl Drop for Close<'_> {
    /// Who no longer waits is not woken, and leaves nothing behind.
    fn drop(&mut self) {
        if self.registered.is_none() {
            return;
        }
        let mut inner = self.region.lock();
        let at = place(&inner.closers, self.registered);
        let gone = at.map(|at| inner.closers.swap_remove(at));
        drop(inner);
        drop(gone);
    }
}

/// Where a waker is that was registered. One of several that wake the same is as good as another.
fn place(closers: &[Waker], registered: Option<(usize, usize)>) -> Option<usize> {
    let registered = registered?;
    closers
        .iter()
        .position(|waker| identity(waker) == registered)
}

/// What `Waker::will_wake` compares.
fn identity(waker: &Waker) -> (usize, usize) {
    (
        waker.data().addr(),
        std::ptr::from_ref(waker.vtable()).addr(),
    )
}
