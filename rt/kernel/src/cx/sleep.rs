//! Sleeping.

use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, Waker, ready};

use asr_base::{Interrupted, Time, TimerId};

use super::point::{Waiter, coop};
use crate::kernel::timers::Target;
use crate::task::{Phase, TaskRef};
use crate::timer::Precision;

/// Future of [`Cx::sleep`](crate::Cx::sleep). Holds at most one timer, which goes with it.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Sleep<'c> {
    waiter: Waiter<'c>,
    deadline: Time,
    timer: Timer,
}

#[derive(Debug)]
enum Timer {
    /// None yet, or no more; the next one is this precise.
    Unarmed(Precision),
    Armed(TimerId, Wakes),
}

const _: () = assert!(size_of::<Timer>() == 24);

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
            timer: Timer::Unarmed(Precision::Tick),
        }
    }

    /// When it ends.
    pub fn deadline(&self) -> Time {
        self.deadline
    }

    /// Ends on time. Sleeps else end together with others, up to one tick later, which is 1 ms if
    /// the configuration does not say otherwise: to wake up for one alone costs more than all else
    /// about it (SCH-27).
    pub fn precise(mut self) -> Sleep<'c> {
        self.disarm();
        self.timer = Timer::Unarmed(Precision::Precise);
        self
    }

    fn disarm(&mut self) {
        if let Timer::Armed(timer, _) = self.timer {
            self.timer = Timer::Unarmed(Precision::of(timer));
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
        let wakes = Wakes::of(context.waker());
        if matches!(this.timer, Timer::Armed(_, armed) if armed != wakes) {
            this.disarm();
        }
        if let Timer::Unarmed(precision) = this.timer {
            let target = Target::waking(context.waker());
            let set = task.kernel().timer_set_as(this.deadline, precision, target);
            let Ok(timer) = set else {
                // The runtime has ended: nobody polls any more.
                return Poll::Ready(Err(Interrupted));
            };
            this.timer = Timer::Armed(timer, wakes);
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
