//! Masks: lexical, bounded in depth and in polls (CAN-15 to CAN-17), and commit sections (REG-20).
//!
//! A mask counts while its future is polled, so it covers that future only: another branch of the
//! same task, polled next to it, is not masked. The count goes back on every way out of the poll,
//! a panic included, because a guard holds it.

use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};

use asr_base::{Error, Status};
use pin_project_lite::pin_project;

use crate::event;
use crate::task::{Task, TaskRef};

/// One level of mask, for as long as it lives.
pub(crate) struct Guard<'t>(&'t Task);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let depth = self.0.masks.load(Relaxed);
        self.0.masks.store(depth.saturating_sub(1), Relaxed);
    }
}

/// Enters a mask. Only the task itself masks itself, so load and store need not be one step.
pub(crate) fn enter(task: &Task) -> Result<Guard<'_>, Error> {
    let depth = task.masks.load(Relaxed);
    if depth >= task.kernel().config().mask_depth_max {
        let what = format!("{depth} masks are around this one");
        return Err(Error::new(Status::MASK_LIMIT, what));
    }
    task.masks.store(depth + 1, Relaxed);
    Ok(Guard(task))
}

/// The same for cleanup that the runtime runs: it is masked however many masks are around.
pub(crate) fn enter_cleanup(task: &Task) -> Guard<'_> {
    let depth = task.masks.load(Relaxed);
    task.masks.store(depth.saturating_add(1), Relaxed);
    Guard(task)
}

pin_project! {
    /// Future of [`Cx::mask`](crate::Cx::mask).
    #[must_use = "futures do nothing unless polled"]
    pub struct Masked<'c, F> {
        task: &'c TaskRef,
        bound: u32,
        polls: u32,
        #[pin]
        future: Option<F>,
    }
}

impl<'c, F> Masked<'c, F> {
    pub(crate) fn new(task: &'c TaskRef, bound: u32, future: F) -> Masked<'c, F> {
        Masked {
            task,
            bound,
            polls: 0,
            future: Some(future),
        }
    }
}

impl<F: Future> Future for Masked<'_, F> {
    type Output = Result<F::Output, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let task: &TaskRef = this.task;
        let Some(future) = this.future.as_mut().as_pin_mut() else {
            return Poll::Ready(Err(resolved()));
        };
        let over = *this.polls >= *this.bound;
        let unmasked = over && task.region().escalation().is_bounded();
        let guard = if unmasked { None } else { Some(enter(task)?) };
        if *this.polls == 0 {
            event::mask_begin(task, *this.bound);
        }
        if *this.polls == *this.bound {
            event::mask_overrun(task, *this.bound, this.polls.saturating_add(1));
        }
        *this.polls = this.polls.saturating_add(1);
        let polled = future.poll(context);
        drop(guard);
        polled.map(|output| {
            this.future.set(None);
            event::mask_end(task);
            Ok(output)
        })
    }
}

/// TSK-15.
fn resolved() -> Error {
    Error::new(Status::ALREADY_RESOLVED, "polled again after it ended")
}

pin_project! {
    /// Future of [`Cx::commit_section`](crate::Cx::commit_section).
    #[must_use = "futures do nothing unless polled"]
    pub struct CommitSection<'c, F> {
        task: &'c TaskRef,
        bound: u32,
        polls: u32,
        #[pin]
        body: Option<F>,
    }
}

impl<'c, F> CommitSection<'c, F> {
    pub(crate) fn new(task: &'c TaskRef, bound: u32, body: F) -> CommitSection<'c, F> {
        CommitSection {
            task,
            bound,
            polls: 0,
            body: Some(body),
        }
    }
}

impl<F: Future> Future for CommitSection<'_, F> {
    type Output = Result<F::Output, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let task: &TaskRef = this.task;
        let Some(body) = this.body.as_mut().as_pin_mut() else {
            return Poll::Ready(Err(resolved()));
        };
        let over = *this.polls >= *this.bound;
        if *this.polls == *this.bound {
            event::commit_overrun(task, *this.bound, this.polls.saturating_add(1));
        }
        if over && task.region().escalation().is_bounded() {
            // What the body holds is aborted, and no leak: the section failed.
            crate::obligation::unwound(|| this.body.set(None));
            if *this.polls > 0 {
                event::mask_end(task);
            }
            let what = format!("the section used its {} polls", this.bound);
            return Poll::Ready(Err(Error::new(Status::TIMED_OUT, what)));
        }
        let guard = enter(task)?;
        if *this.polls == 0 {
            event::mask_begin(task, *this.bound);
        }
        *this.polls = this.polls.saturating_add(1);
        let polled = body.poll(context);
        drop(guard);
        polled.map(|output| {
            this.body.set(None);
            event::mask_end(task);
            Ok(output)
        })
    }
}
