//! Handles and joining.
//!
//! Invariants
//! 1. `joiner` holds nothing or one encoded waker, owned by the word: whoever swaps it out drops or
//!    wakes it. So each join is woken once.
//! 2. The joiner stores its waker, then looks for `Completed`; the completer sets `Completed`, then
//!    swaps the waker out. Both are modifications of `joiner`, so one is later: either the
//!    completer takes the waker, or the joiner's swap reads what the completer's swap released, and
//!    with it `Completed`.
//!
//! A waker of ours is stored as the address of its record, without a further allocation (TSK-26);
//! any other is boxed, and its address marked with the lowest bit.
#![allow(unsafe_code, reason = "stores wakers as tagged pointers")]

use std::fmt;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll, Waker};

use asr_base::{Error, Interrupted, Outcome, Status, TaskId};

use super::cell;
use super::record::Task;
use super::reference::TaskRef;
use super::waker;
use super::word::Phase;
use asr_trace::Resource;

use crate::cx::{Authority, Waiter, coop};
use crate::sync::atomic::Ordering::*;

const FOREIGN: usize = 1;

/// The one right to the output of a task (TSK-16). Dropping it neither cancels nor detaches the
/// task: its outcome goes to the region (TSK-17).
#[must_use = "an outcome nobody joins goes to the region only"]
pub struct JoinHandle<T> {
    task: ManuallyDrop<TaskRef>,
    output: PhantomData<T>,
}

// SAFETY: the handle gives out the `T` by value, on whatever thread it is.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: a shared handle gives out nothing of type `T`.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    /// `task` has a cell with output type `T`, and this is its only handle.
    pub(crate) unsafe fn new(task: TaskRef) -> JoinHandle<T> {
        JoinHandle {
            task: ManuallyDrop::new(task),
            output: PhantomData,
        }
    }

    /// The task.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// The reference of the handle, which is still counted; the output is still the handle's.
    pub(crate) fn into_task(self) -> TaskRef {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: not used again.
        unsafe { ManuallyDrop::take(&mut this.task) }
    }

    pub(crate) fn task(&self) -> &TaskRef {
        &self.task
    }

    /// True once the outcome stands.
    pub fn is_finished(&self) -> bool {
        self.task.word.load().phase() == Phase::Completed
    }

    /// How far the task is.
    pub fn phase(&self) -> Phase {
        self.task.word.load().phase()
    }

    /// Requests a cancel of kind User. The task cleans up and ends as any cancelled task (TSK-20);
    /// join it to see it end.
    ///
    /// A handle does not know who uses it: the reason names the region that owns the task.
    pub fn abort(&self) {
        crate::cancel::abort(&self.task, None);
    }

    /// The same, on behalf of the task of `cx`, which the reason names (VAL-13).
    pub fn abort_by<C: Authority>(&self, cx: &C) {
        crate::cancel::abort(&self.task, Some(cx.task()));
    }

    /// Waits for the outcome. The handle is used up (TSK-15, TSK-16).
    ///
    /// A task that joins itself gets `Err` of kind `CYCLE` at once (TSK-19).
    ///
    /// # Cancel safety
    /// A cancel point of the joiner. `Interrupted` gives the joiner's cancel only: the joined task
    /// is not cancelled, and its region decides on it (TSK-18).
    pub fn join<C>(self, cx: &C) -> Join<'_, T>
    where
        C: Authority,
    {
        Join {
            handle: Some(self),
            waiter: Waiter::new(cx.task()),
        }
    }

    /// The outcome if it stands.
    ///
    /// # Errors
    /// The handle, if the task is not complete.
    pub fn try_join(self) -> Result<Outcome<T, Error>, JoinHandle<T>> {
        if self.is_finished() {
            Ok(self.take())
        } else {
            Err(self)
        }
    }

    /// Gives up the outcome, if it stands, as that of a branch that lost: a value is dropped here,
    /// and reported as `race.discarded` (CMB-9).
    ///
    /// # Errors
    /// The handle, if the task is not complete.
    pub fn discard(self, branch: usize) -> Result<(), JoinHandle<T>> {
        let task = TaskRef::clone(&self.task);
        if self.try_join()?.is_ok() {
            crate::event::race_discarded(&task, branch);
        }
        Ok(())
    }

    fn take(self) -> Outcome<T, Error> {
        let cell = self.task.cell().expect("a task with a handle has a cell");
        // SAFETY: the task is complete, its one handle has the output, and `new` fixed the type.
        let outcome = unsafe { cell::take::<T>(cell) };
        let mut this = ManuallyDrop::new(self);
        // SAFETY: not used again; the drop of the handle, which would look at the output, is off.
        unsafe { ManuallyDrop::take(&mut this.task) }.drop_handle();
        outcome
    }

    /// Registers the waker; true if the task is complete by then.
    pub(crate) fn wait(&self, waker: &Waker) -> bool {
        if self.is_finished() {
            return true;
        }
        let joiner = &self.task.joiner;
        if same_task(joiner.load(Relaxed), waker) {
            return self.is_finished();
        }
        // Taken out, the stored waker is ours to look at: the completer finds nothing meanwhile,
        // and invariant 2 holds for the swap that puts one back.
        let stored = match joiner.load(Relaxed).is_null() {
            true => ptr::null_mut(),
            false => joiner.swap(ptr::null_mut(), AcqRel),
        };
        let next = if same_foreign(stored, waker) {
            stored
        } else {
            release(stored, false);
            encode(waker.clone())
        };
        release(joiner.swap(next, AcqRel), false);
        self.is_finished()
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if self.task.word.drop_handle() {
            // The reference went with it.
            return;
        }
        if let Some(cell) = self.task.cell() {
            // SAFETY: complete, and the output is that of its one handle.
            unsafe { cell::empty(cell) };
        }
        // SAFETY: the handle is gone after this.
        unsafe { ManuallyDrop::take(&mut self.task) }.drop_handle();
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinHandle").field(&self.id()).finish()
    }
}

/// Future of [`JoinHandle::join`].
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct Join<'c, T> {
    handle: Option<JoinHandle<T>>,
    waiter: Waiter<'c>,
}

impl<T> Unpin for Join<'_, T> {}

impl<T> Future for Join<'_, T> {
    type Output = Result<Outcome<T, Error>, Interrupted>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let Some(handle) = &this.handle else {
            return Poll::Ready(Ok(Outcome::Err(Error::new(
                Status::ALREADY_RESOLVED,
                "polled again after it returned the outcome",
            ))));
        };
        let task = this.waiter.task();
        if *handle.task == *task {
            this.handle = None;
            return Poll::Ready(Ok(Outcome::Err(Error::new(
                Status::CYCLE,
                "a task waits for itself",
            ))));
        }
        if let Err(interrupted) = this.waiter.check() {
            this.handle = None;
            return Poll::Ready(Err(interrupted));
        }
        if !handle.wait(context.waker()) {
            task.wait_for(Resource::Task(handle.task.id()));
            let Err(interrupted) = this.waiter.park(context) else {
                return Poll::Pending;
            };
            this.handle = None;
            return Poll::Ready(Err(interrupted));
        }
        std::task::ready!(coop(task, context));
        let handle = this.handle.take().expect("looked at above");
        crate::event::joined(task, &handle.task);
        Poll::Ready(Ok(handle.take()))
    }
}

/// The task is complete: wakes who joins, and drops an output that nobody wants.
pub(crate) fn completed(task: &Task, handle_gone: bool) {
    if handle_gone {
        if let Some(cell) = task.cell() {
            // SAFETY: complete, and its handle was gone before.
            unsafe { cell::empty(cell) };
        }
        // Relaxed: what the handle did was acquired with the news that it is gone.
        if task.joiner.load(Relaxed).is_null() {
            return;
        }
    }
    // AcqRel: invariant 2.
    release(task.joiner.swap(ptr::null_mut(), AcqRel), true);
}

/// Drops a waker that was registered. The caller has the record alone.
pub(crate) fn forget(task: &Task) {
    let stored = task.joiner.load(Relaxed);
    if !stored.is_null() {
        task.joiner.store(ptr::null_mut(), Relaxed);
        release(stored, false);
    }
}

fn encode(waker: Waker) -> *mut () {
    if let Some(task) = waker::task_of(&waker) {
        // The waker's counted reference goes with the pointer.
        std::mem::forget(waker);
        return task.as_ptr().cast();
    }
    Box::into_raw(Box::new(waker))
        .cast::<()>()
        .map_addr(|address| address | FOREIGN)
}

/// Whether the stored waker is that of the same task (TSK-14). Compares addresses only: nothing is
/// read through `stored`, which the completer may be taking at this moment.
fn same_task(stored: *mut (), waker: &Waker) -> bool {
    !stored.is_null() && waker::task_of(waker).is_some_and(|task| task.as_ptr().cast() == stored)
}

/// Whether a foreign waker, swapped out by the caller, wakes the same as `waker` (TSK-14).
fn same_foreign(stored: *mut (), waker: &Waker) -> bool {
    if stored.addr() & FOREIGN == 0 {
        return false;
    }
    let boxed = stored
        .map_addr(|address| address & !FOREIGN)
        .cast::<Waker>();
    // SAFETY: encoded from a box that the caller owns now.
    unsafe { &*boxed }.will_wake(waker)
}

fn release(stored: *mut (), wake: bool) {
    if stored.addr() & FOREIGN != 0 {
        let boxed = stored
            .map_addr(|address| address & !FOREIGN)
            .cast::<Waker>();
        // SAFETY: encoded from a box, and swapped out once.
        let waker = *unsafe { Box::from_raw(boxed) };
        if wake {
            waker.wake();
        }
    } else if let Some(task) = NonNull::new(stored.cast::<Task>()) {
        // SAFETY: encoded with its counted reference, and swapped out once.
        let task = unsafe { TaskRef::from_counted(task) };
        if wake {
            // The record of the task that is joined is held around this.
            waker::wake_counted(task);
        }
    }
}
