//! Wakers: a counted reference to the record, nothing else.
//!
//! TSK-13: a waker of a completed task finds `Completed` in the word and does nothing; the record
//! is not given to another task while a waker refers to it, and its memory lives as long as the
//! kernel, which lives as long as one record is owned. So clone, wake and drop are harmless on any
//! thread, after shutdown too.
#![allow(unsafe_code, reason = "a waker is a raw pointer with a table")]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::task::{RawWaker, RawWakerVTable, Waker};

use super::record::{Task, TaskRef};
use super::word::Wake;

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// A waker that borrows the caller's reference, for the time of a poll: it is never dropped.
pub(crate) fn borrowed(task: &TaskRef) -> ManuallyDrop<Waker> {
    let data = std::ptr::from_ref::<Task>(task).cast();
    // SAFETY: the table keeps the contract of wakers, see the functions; `task` outlives the result
    // by the type of its use in `poll::run`, which drops neither.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &TABLE)) })
}

/// A waker of its own.
pub(crate) fn owned(task: TaskRef) -> Waker {
    let data = task.into_raw().as_ptr().cast_const().cast();
    // SAFETY: as above; the counted reference goes with the waker.
    unsafe { Waker::from_raw(RawWaker::new(data, &TABLE)) }
}

/// The record behind a waker of ours, with its counted reference.
pub(crate) fn task_of(waker: &Waker) -> Option<NonNull<Task>> {
    std::ptr::eq(waker.vtable(), &TABLE)
        .then(|| NonNull::new(waker.data().cast::<Task>().cast_mut()))
        .flatten()
}

/// Wakes a task: at most one queue gets it (TSK-11).
pub(crate) fn wake_task(task: &Task) {
    let wake = task.word.wake();
    if wake == Wake::Nothing {
        return;
    }
    // SAFETY: the wake counted a reference for the queue.
    let queued = unsafe { TaskRef::from_counted(NonNull::from(task)) };
    crate::event::wake(task);
    if wake == Wake::EnqueueFiber {
        crate::region::enqueue_fiber(queued);
    } else {
        task.kernel().enqueue_task(queued);
    }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: the waker that is cloned counts a reference.
    unsafe { &*data.cast::<Task>() }.word.retain();
    RawWaker::new(data, &TABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: the waker's reference is taken over, and dropped at the end.
    unsafe {
        wake_by_ref(data);
        release(data);
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: the waker counts a reference.
    wake_task(unsafe { &*data.cast::<Task>() });
}

unsafe fn release(data: *const ()) {
    let task = NonNull::new(data.cast::<Task>().cast_mut());
    // SAFETY: the waker counted a reference, which nobody else drops.
    drop(task.map(|task| unsafe { TaskRef::from_counted(task) }));
}
