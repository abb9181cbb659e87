//! `bracket(acquire, use, release)`: release runs exactly once if and only if acquire returned Ok
//! (REG-19).
//!
//! Protocol
//! 1. Acquire runs as any code of the task. If it does not return Ok, or is dropped, its own
//!    destructors roll it back, and there is nothing to release.
//! 2. From the very poll in which acquire returns Ok, [`Held`] has the resource.
//! 3. Use borrows it. Whatever comes of that, a panic included, 4 follows.
//! 4. Release runs masked, under a cleanup budget of its own, and is escalated by the region's mode
//!    (CAN-22).
//!
//! A destructor cannot wait. So if the bracket is dropped in 3, [`Held`] registers the release as a
//! finalizer of the region (REG-21): while the task lives, the finalizers of its region have not
//! run. If it is dropped in 4, the release is on its way and has the context of the task: it goes
//! on as a finalizer of the task, whose context is good until that has ended.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll};

use asr_base::{CancelKind, Error, Failure, Outcome, PanicPayload, combine};

use super::finalizer::{Current, Finalizer};
use super::record::{Region, RegionRef};
use super::word::State;
use crate::cx::{Authority, Caps, Cx, Set, mask};
use crate::task::{Task, TaskRef, end};
use crate::{cancel, event};

/// [`Cx::bracket`].
pub(crate) async fn bracket<C, R, T, A, U, D, Fut>(
    cx: &Cx<C>,
    acquire: A,
    work: U,
    release: D,
) -> Outcome<T, Error>
where
    C: Set,
    R: Send + 'static,
    A: Future<Output = Result<R, Failure>>,
    U: AsyncFnOnce(&mut R) -> Result<T, Failure>,
    D: FnOnce(Cx<C>, R) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let task = cx.task();
    let resource = match acquire.await {
        Ok(resource) => resource,
        Err(failure) => return with_reason(task, Outcome::from(Err(failure))),
    };
    let mut held = Held {
        task: task.clone(),
        caps: cx.raw_caps(),
        stage: Stage::Acquired(resource, release),
        release: start::<C, R, D, Fut>,
    };
    let used = match &mut held.stage {
        Stage::Acquired(resource, _) => contained(task, async { work(resource).await }).await,
        _ => unreachable!("just acquired"),
    };
    held.begin();
    let released = poll_fn(|context| held.poll(context)).await;
    let (value, used) = split(used);
    match combine(used, released) {
        Outcome::Ok(()) => Outcome::Ok(value.expect("an Ok has its value")),
        Outcome::Err(error) => Outcome::Err(error),
        Outcome::Cancelled(reason) => Outcome::Cancelled(reason),
        Outcome::Panicked(payload) => Outcome::Panicked(payload),
    }
}

/// Makes the release a finalizer.
fn start<C, R, D, Fut>(caps: Caps, resource: R, release: D) -> Finalizer
where
    C: Set,
    R: Send + 'static,
    D: FnOnce(Cx<C>, R) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    // The call is part of the future, so that a panic in it is one of the release.
    let run = move |cx: Cx<C>| async move { release(cx, resource).await };
    Finalizer::future(caps, run)
}

/// A resource that must be released.
struct Held<R, D> {
    task: TaskRef,
    caps: Caps,
    stage: Stage<R, D>,
    release: fn(Caps, R, D) -> Finalizer,
}

enum Stage<R, D> {
    Acquired(R, D),
    Releasing(Current),
    Released,
}

impl<R, D> Held<R, D> {
    fn take(&mut self) -> Option<Finalizer> {
        match std::mem::replace(&mut self.stage, Stage::Released) {
            Stage::Acquired(resource, release) => {
                Some((self.release)(self.caps, resource, release))
            }
            Stage::Releasing(current) => Some(current.into_finalizer(&self.task)),
            Stage::Released => None,
        }
    }

    /// Step 4 begins.
    fn begin(&mut self) {
        let kind = cancel_kind(&self.task);
        if let Some(Finalizer::Async(run)) = self.take() {
            let future = run(self.task.clone());
            self.stage = Stage::Releasing(Current::new(&self.task, kind, future));
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Outcome<(), Error>> {
        let Stage::Releasing(current) = &mut self.stage else {
            return Poll::Ready(Outcome::Ok(()));
        };
        let polled = {
            let _mask = mask::enter_cleanup(&self.task);
            current.poll(&self.task, 0, context)
        };
        let Some(outcome) = polled else {
            return Poll::Pending;
        };
        let Stage::Releasing(current) = std::mem::replace(&mut self.stage, Stage::Released) else {
            unreachable!("looked at above");
        };
        let left = current.end(&self.task, 0);
        Poll::Ready(with_reason(&self.task, combine(outcome, left)))
    }
}

impl<R, D> Drop for Held<R, D> {
    fn drop(&mut self) {
        let begun = matches!(self.stage, Stage::Releasing(_));
        let Some(finalizer) = self.take() else { return };
        let left = match begun {
            true => end::defer(&self.task, finalizer).err(),
            false => Some(finalizer),
        };
        if let Some(finalizer) = left {
            leave(self.task.region(), finalizer);
        }
    }
}

/// Registers a finalizer with the nearest region, from this one up, that still runs some. Once the
/// root is closed nothing runs any more, and the finalizer is dropped.
fn leave(region: &Region, finalizer: Finalizer) {
    let mut at = Some(RegionRef::of(region));
    while let Some(region) = at {
        let mut inner = region.lock();
        if region.word.state() != State::Closed && !inner.finalizers_done {
            let number = inner.finalizers.push(finalizer);
            drop(inner);
            event::finalizer_registered(&region, None, number);
            return;
        }
        drop(inner);
        at = region.parent().map(RegionRef::of);
    }
}

/// Runs what may panic to its end.
async fn contained<T>(
    task: &Task,
    future: impl Future<Output = Result<T, Failure>>,
) -> Outcome<T, Error> {
    let mut future = pin!(future);
    let caught =
        poll_fn(
            |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                Ok(polled) => polled.map(Ok),
                Err(panic) => Poll::Ready(Err(panic)),
            },
        );
    match caught.await {
        Ok(result) => with_reason(task, Outcome::from(result)),
        Err(panic) => {
            let message = task.side().and_then(|side| side.message());
            let (task, region) = (task.id(), task.region().id());
            let payload = PanicPayload::capture(Some(task), Some(region), message, None, panic);
            Outcome::Panicked(payload)
        }
    }
}

/// A cancel that was observed gets its reason.
fn with_reason<T>(task: &Task, outcome: Outcome<T, Error>) -> Outcome<T, Error> {
    match outcome {
        Outcome::Cancelled(given) if given.is_placeholder() => {
            Outcome::Cancelled(cancel::reason(task))
        }
        other => other,
    }
}

fn cancel_kind(task: &Task) -> CancelKind {
    let reason = task.side().and_then(|side| side.reason());
    reason.map_or(CancelKind::User, |reason| reason.kind())
}

fn split<T>(outcome: Outcome<T, Error>) -> (Option<T>, Outcome<(), Error>) {
    let summary = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
    (outcome.ok(), summary)
}
