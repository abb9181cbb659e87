//! Sleeping.

use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, Waker, ready};

use asr_base::{Interrupted, Time, TimerId};

use super::point::{Waiter, coop};
use crate::kernel::timers::Target;
use crate::task::{Phase, TaskRef};

/// Future of [`Cx::sleep`](crate::Cx::sleep). Holds at most one timer, which goes with it.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep<'c> {
    waiter: Waiter<'c>,
    deadline: Time,
    armed: Option<(TimerId, Wakes)>,
}

/// What a waker wakes, as [`Waker::will_wake`] compares it. Good for a comparison as long as the
/// timer holds the waker, which is until the deadline; so one clone does (TSK-14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wakes(usize, usize);

impl Wakes {
    fn of(waker: &Waker) -> Wakes {
        Wakes(waker.data().addr(), ptr::from_ref(waker.vtable()).addr())
    }
}

impl<'c> Sleep<'c> {
    pub(crate) fn new(task: &'c TaskRef, deadline: Time) -> Sleep<'c> {
        Sleep {
            waiter: Waiter::new(task),
            deadline,
            armed: None,
        }
    }

    /// When it ends.
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    fn disarm(&mut self) {
        if let Some((timer, _)) = self.armed.take() {
            self.waiter.task().kernel().timer_cancel(timer);
        }
    }
}

impl Future for Sleep<'_> {
    type Output = Result<(), Interrupted>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        if let Err(interrupted) = this.waiter.check() {
            this.disarm();
            return Poll::Ready(Err(interrupted));
        }
        let task = this.waiter.task();
        if task.word.load().phase() == Phase::Completed {
            // The context outlived its task: nothing is to go on under it (CAP-9).
            return Poll::Ready(Err(Interrupted));
        }
        if this.deadline <= task.kernel().now() {
            ready!(coop(task, context));
            this.disarm();
            return Poll::Ready(Ok(()));
        }
        let current = this.armed.as_ref();
        if current.is_none_or(|(_, wakes)| *wakes != Wakes::of(context.waker())) {
            this.disarm();
            let waker = context.waker();
            let target = Target::Wake(waker.clone());
            let Ok(timer) = task.kernel().timer_set(this.deadline, target) else {
                // The runtime has ended: nobody polls any more.
                return Poll::Ready(Err(Interrupted));
            };
            this.armed = Some((timer, Wakes::of(waker)));
        }
        match this.waiter.park(context) {
            Ok(()) => Poll::Pending,
            Err(interrupted) => {
                this.disarm();
                Poll::Ready(Err(interrupted))
            }
        }
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.disarm();
    }
}
