//! What a driver may do to a task on purpose, to test how the program takes it (LAB-9, LAB-11).
//!
//! Asked only for tasks that are watched, which they are from their start if
//! [`Config::watch`](crate::Config) says so: a bit in the word, next to that of a cancel, so that a
//! checkpoint of a task that is not watched costs the one load it costs anyway (CAN-11).
//! Finalizers are left alone.

use std::panic::resume_unwind;
use std::sync::atomic::Ordering::Relaxed;

use asr_base::{CancelKind, CancelReason, Duration, Origin};
use asr_trace::{Draft, Kind};

use crate::cancel;
use crate::cx::{Caps, Cx};
use crate::kernel::timers::Target;
use crate::obligation;
use crate::task::{Task, TaskRef, waker};

/// Where a task is when the driver is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// About to be polled.
    BeforePoll,
    /// Just polled.
    AfterPoll,
    /// At its cancel point of this number, from 1.
    Cancel(u32),
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// A cancel of kind User.
    Cancel,
    /// It is polled so much later; only before a poll.
    Delay(Duration),
    /// No poll is left in its budget.
    Exhaust,
    /// Every live task is woken for nothing.
    WakeStorm,
    /// It panics.
    Panic,
    /// It holds a token that nobody will resolve.
    Leak,
}

impl Injection {
    /// Its number in events.
    pub fn number(self) -> u64 {
        match self {
            Injection::Cancel => 0,
            Injection::Delay(_) => 1,
            Injection::Exhaust => 2,
            Injection::WakeStorm => 3,
            Injection::Panic => 4,
            Injection::Leak => 5,
        }
    }
}

/// Asks the driver, and does what it says. True if the poll is put off. Called where a panic is one
/// of the task.
pub(crate) fn at(task: &TaskRef, point: Point) -> bool {
    let mut later = false;
    for injection in task.kernel().injections(task, point) {
        written(task, injection);
        later |= apply(task, injection);
    }
    later
}

/// A cancel point of a watched task.
pub(crate) fn at_cancel_point(task: &Task) {
    let number = task.side_or_new().points.fetch_add(1, Relaxed) + 1;
    at(&TaskRef::of(task), Point::Cancel(number));
}

fn apply(task: &TaskRef, injection: Injection) -> bool {
    let kernel = task.kernel();
    match injection {
        Injection::Cancel => {
            let origin = Origin::Task(task.id());
            let reason = CancelReason::new(CancelKind::User, origin, kernel.now());
            let reason = reason.with_literal("injected");
            cancel::request_task(task, cancel::request(kernel, reason));
        }
        Injection::Delay(pause) => {
            let at = kernel.now().saturating_add(pause);
            let wake = Target::Wake(task.clone());
            return kernel.timer_set(at, wake).is_ok();
        }
        Injection::Exhaust => task.polls_left.store(0, Relaxed),
        Injection::WakeStorm => {
            for task in kernel.tasks() {
                waker::wake_task(&task);
            }
        }
        Injection::Panic => resume_unwind(Box::new("injected")),
        Injection::Leak => {
            let cx: Cx = Cx::of(task.clone(), Caps::ALL);
            // Refused where the budget of the region is used up: then there is nothing to leak.
            let _ = cx.reserve_raw(obligation::Kind::SEND_PERMIT, None);
        }
    }
    false
}

fn written(task: &TaskRef, injection: Injection) {
    let value = match injection {
        Injection::Delay(pause) => u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX),
        _ => 0,
    };
    let kernel = task.kernel();
    kernel.trace().emit(|| {
        Draft::new(Kind::Chaos, kernel.now())
            .task(task.id())
            .region(task.region_id())
            .words(injection.number(), value, 0)
    });
}
