//! The waits of the kernel itself, by hand: so small that they lie in their slots (ABI-46).
//!
//! A yield keeps nothing, a sleep its task, its end and its timer. Both are for the task that is
//! polled, with its own waker; a poll with another waker, inside a combinator for instance, takes
//! the futures of [`Cx`](crate::Cx) instead.
//!
//! Invariant: the task of a slot lives as long as the slot (invariant 3 of [`slot`](super::slot)).
#![allow(unsafe_code, reason = "keeps operations in raw memory")]

use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use asr_abi::{OpSlot, Ret, Thread, status};
use asr_base::{Time, TimerId};

use super::inside;
use super::slot::{HEADER, OpTable, PENDING, poll, refused};
use crate::cancel;
use crate::cx::{Authority, coop};
use crate::kernel::timers::Target;
use crate::task::{Task, waker};
use crate::thread::adopt;
use crate::timer::Precision;

const DONE: Ret = Ret {
    value: 0,
    status: status::OK as u64,
};

const CANCELLED: Ret = Ret {
    value: 0,
    status: status::CANCELLED as u64,
};

/// Runs `with` on the task that is polled here and the context of that poll, if it is polled with
/// its own waker.
fn alone<T>(th: &Thread, with: impl FnOnce(&Task, &mut Context<'_>) -> T) -> Option<T> {
    // SAFETY: used in this call from compiled code only.
    let (cx, context) = unsafe { inside::current(th) }?;
    let own = waker::task_of(context.waker())?;
    ptr::eq(own.as_ptr(), &raw const **cx.task()).then(|| with(cx.task(), context))
}

static YIELD: OpTable = OpTable {
    name: || "yield_now",
    poll: |_, _| {
        let task = inside::task(adopt());
        let cancelled = task.is_some_and(|task| cancel::checkpoint(task).is_err());
        Poll::Ready(if cancelled { CANCELLED } else { DONE })
    },
    drop: |_| (),
};

/// Yields in a slot of the smallest class; none if this poll needs the future.
///
/// # Safety
/// As for [`start`](super::slot::start).
pub unsafe fn yield_now(th: &Thread, slot: *mut OpSlot) -> Option<Ret> {
    alone(th, |task, context| {
        if cancel::checkpoint(task).is_err() {
            return CANCELLED;
        }
        if slot.is_null() || !slot.is_aligned() {
            return refused(status::BAD_ARGUMENT);
        }
        context.waker().wake_by_ref();
        // SAFETY: the slot is ours.
        unsafe { head(slot, &YIELD) };
        PENDING
    })
}

struct Sleep {
    task: NonNull<Task>,
    end: Time,
    timer: Option<TimerId>,
}

// It fits into a slot of 64 bytes, whose class the table says.
const _: () = assert!(size_of::<Sleep>() <= 64 - HEADER && align_of::<Sleep>() <= 8);

static SLEEP: OpTable = OpTable {
    name: || "sleep",
    poll: |slot, context| {
        // SAFETY: `sleep` put it there.
        unsafe { (*slot.byte_add(HEADER).cast::<Sleep>()).poll(context) }
    },
    drop: |slot| {
        // SAFETY: as above, and only here it ends.
        unsafe { (*slot.byte_add(HEADER).cast::<Sleep>()).disarm() };
    },
};

impl Sleep {
    fn task(&self) -> &Task {
        // SAFETY: the invariant of this file.
        unsafe { self.task.as_ref() }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Ret> {
        // A copy of the pointer, so that the timer can be written meanwhile.
        let task = self.task;
        // SAFETY: the invariant of this file.
        let task = unsafe { task.as_ref() };
        if cancel::checkpoint(task).is_err() {
            return Poll::Ready(CANCELLED);
        }
        if self.end <= task.kernel().now() {
            return coop(task, context).map(|()| DONE);
        }
        if self.timer.is_none() {
            let target = Target::waking(context.waker());
            let set = task
                .kernel()
                .timer_set_as(self.end, Precision::Tick, target);
            let Ok(timer) = set else {
                // The runtime has ended: nobody polls any more.
                return Poll::Ready(CANCELLED);
            };
            self.timer = Some(timer);
        }
        Poll::Pending
    }

    fn disarm(&mut self) {
        if let Some(timer) = self.timer.take() {
            self.task().kernel().timer_cancel(timer);
        }
    }
}

/// Sleeps until `end` in a slot of 64 bytes; none if this poll needs the future.
///
/// # Safety
/// As for [`start`](super::slot::start).
pub unsafe fn sleep_until(th: &Thread, slot: *mut OpSlot, end: Time) -> Option<Ret> {
    let task = alone(th, |task, _| NonNull::from(task))?;
    if slot.is_null() || !slot.is_aligned() {
        return Some(refused(status::BAD_ARGUMENT));
    }
    let sleep = Sleep {
        task,
        end,
        timer: None,
    };
    // SAFETY: the slot has 64 bytes and holds no operation; what is put there is polled at once.
    unsafe {
        head(slot, &SLEEP);
        slot.byte_add(HEADER).cast::<Sleep>().write(sleep);
        Some(poll(th, slot))
    }
}

/// # Safety
/// The slot is a frame's that is polled, and holds no operation.
unsafe fn head(slot: *mut OpSlot, table: &'static OpTable) {
    // SAFETY: by the contract.
    unsafe {
        (&raw mut (*slot).vt).write(ptr::from_ref(table).cast());
        (&raw mut (*slot).value).write(0.into());
        (&raw mut (*slot).cancelled).write(0.into());
    }
}
