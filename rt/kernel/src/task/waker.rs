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

use super::cell::contained;
use super::record::Task;
use super::reference::TaskRef;
use super::word::Wake;

static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, release);

/// A waker that borrows the caller's reference, for the time of a poll: it is never dropped.
pub(crate) fn borrowed(task: &TaskRef) -> ManuallyDrop<Waker> {
    let data = std::ptr::from_ref::<Task>(task).cast();
    // SAFETY: the table keeps the contract of wakers, see the functions; `task` outlives the result
    // by the type of its use in `poll::run`, which drops neither.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &TABLE)) })
}

/// The record behind a waker of ours, with its counted reference.
#[inline]
pub(crate) fn task_of(waker: &Waker) -> Option<NonNull<Task>> {
    std::ptr::eq(waker.vtable(), &TABLE)
        .then(|| NonNull::new(waker.data().cast::<Task>().cast_mut()))
        .flatten()
}

/// The same, for as long as the waker is there.
#[inline]
pub(super) fn task(waker: &Waker) -> Option<&Task> {
    // SAFETY: the waker counts a reference, or borrows one that is.
    task_of(waker).map(|task| unsafe { task.as_ref() })
}

/// A reference to the task that a waker of ours wakes.
#[inline]
pub(crate) fn task_ref(waker: &Waker) -> Option<TaskRef> {
    task(waker).map(TaskRef::of)
}

/// Wakes a task: at most one queue gets it (TSK-11).
pub(crate) fn wake_task(task: &Task) {
    let wake = task.word.wake();
    if wake != Wake::Nothing {
        // SAFETY: the wake counted a reference for the queue.
        let queued = unsafe { TaskRef::from_counted(NonNull::from(task)) };
        crate::event::wake(task);
        enqueue(queued, wake == Wake::EnqueueFiber);
    }
}

/// The same by who has a reference, which is dropped, or goes to the queue. Something else of the
/// kernel is held around this.
pub(crate) fn wake_counted(task: TaskRef) {
    let wake = task.word.wake_counted();
    if wake != Wake::Nothing {
        crate::event::wake(&task);
        enqueue(task, wake == Wake::EnqueueFiber);
    }
}

/// Wakes by a waker that is used up. Something else of the kernel is held around this. A foreign
/// waker may panic, which ends here.
pub(crate) fn wake_last(waker: Waker) {
    match task_of(&waker) {
        Some(task) => {
            std::mem::forget(waker);
            // SAFETY: the waker counted a reference, which is ours now.
            wake_counted(unsafe { TaskRef::from_counted(task) });
        }
        None => drop(contained(|| waker.wake())),
    }
}

/// Gives a reference to the queue. Something else of the kernel is held around this: the task may
/// run and end elsewhere before this returns.
pub(crate) fn enqueue(task: TaskRef, fiber: bool) {
    if fiber {
        crate::region::enqueue_fiber(task);
    } else {
        let kernel = NonNull::from(task.kernel());
        // SAFETY: the kernel lives as long as what the caller holds around this.
        unsafe { kernel.as_ref() }.enqueue_task(task);
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
