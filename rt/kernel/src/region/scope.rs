//! The Rust form of a region: a body, and fibers that borrow from around it.
//!
//! Body and fibers live inside the future of the scope and are polled by it (TSK-2, REG-35). Each
//! has a record, a word and wakers of its own; a wake puts it on the scope's ready list and wakes
//! the task that polls the scope.
//!
//! Why a borrow cannot escape. A fiber may borrow what outlives `'env`, and the future of the
//! region has `'env` in its type and in its destructor, so it is not used, nor dropped, after
//! `'env`. The future of a fiber lies in a cell behind its record, with its lifetime erased. Every
//! such cell is emptied before the region's future ends: when the region closes normally every
//! fiber has ended, which drops its future; when the region's future is dropped half-way,
//! [`Guard::drop`] drops what is left, and under the lock sees to it that nothing is added. A
//! future that is forgotten is never dropped, but then its fibers are never polled or dropped
//! either: they end with the task that opened the region, and their cells stay as they are
//! (`abandon::forgotten`). The memory of other cells may outlive all that (a waker refers to the
//! record); it holds nothing then.

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use asr_base::{Error, Failure, Origin, Outcome};

use asr_trace::Resource;

use super::abandon::{self, Guard};
use super::close;
use super::config::RegionConfig;
use super::handle::{RegionHandle, start};
use super::open::{self, Opener, Spawn};
use super::record::{Region, RegionRef};
use super::refused::SpawnError;
use crate::cancel;
use crate::cx::{Authority, Cx, May, Set, Waiter, caps};
use crate::obligation;
use crate::task::cell::contained;
use crate::task::end::Place;
use crate::task::{JoinHandle, Task, TaskRef, Tier, cell, poll};

/// Fibers that a scope polls before it lets its own task yield.
const POLLS_PER_TURN: usize = 64;

/// The inside of a region, for its body and its fibers: the capability to start fibers
/// (`FiberCap`). They may borrow what outlives `'env`, so a scope that is used for borrowing fibers
/// cannot go into a task, which borrows nothing.
///
/// What tasks of the region may keep is its handle, which the scope derefs to.
pub struct Scope<'env, C = crate::cx::All> {
    handle: RegionHandle<C>,
    /// Invariant: a longer or shorter `'env` would admit other borrows.
    env: PhantomData<fn(&'env ()) -> &'env ()>,
}

impl<C> Clone for Scope<'_, C> {
    fn clone(&self) -> Self {
        Scope {
            handle: self.handle.clone(),
            env: PhantomData,
        }
    }
}

impl<C> std::fmt::Debug for Scope<'_, C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Scope").field(&self.handle.region).finish()
    }
}

impl<C> std::ops::Deref for Scope<'_, C> {
    type Target = RegionHandle<C>;

    fn deref(&self) -> &RegionHandle<C> {
        &self.handle
    }
}

impl<'env, C: Set> Scope<'env, C> {
    /// Starts a fiber: it may borrow from around the region, and is polled by it.
    ///
    /// # Errors
    /// The closure, unused, if the region does not admit (REG-3).
    pub fn fiber<T, F, Fut>(&self, run: F) -> Result<JoinHandle<T>, SpawnError<F>>
    where
        F: FnOnce(Cx<C>) -> Fut + Send + 'env,
        Fut: Future<Output = Result<T, Failure>> + Send + 'env,
        T: Send + 'env,
    {
        let handle = &self.handle;
        start(&handle.region, Tier::Fiber, handle.caps, Spawn::new(), run)
    }

    /// A handle that tasks of the region may keep: it spawns, cancels, asks.
    pub fn handle(&self) -> RegionHandle<C> {
        self.handle.clone()
    }
}

/// [`Cx::region`].
pub(crate) async fn region<'env, C, T, B, Fut>(
    cx: &Cx<C>,
    config: RegionConfig,
    body: B,
) -> Outcome<T, Error>
where
    C: May<caps::Fiber>,
    B: FnOnce(Scope<'env, C>, Cx<C>) -> Fut,
    Fut: Future<Output = Result<T, Failure>>,
{
    if let Err(denied) = cx.require::<caps::Fiber>("region") {
        return Outcome::Err(denied);
    }
    let (region, task) = match open::open(&Opener::Task(cx.task()), &config, true) {
        Ok(opened) => opened,
        Err(status) => return Outcome::Err(Error::new(status, "the enclosing region has closed")),
    };
    let task = task.expect("asked for");
    // Dropped last, after the body.
    let guard = Guard::<'env> {
        region,
        opener: cx.task().clone(),
        env: PhantomData,
    };
    let inside = Cx::of(task, cx.raw_caps());
    let scope: Scope<'env, C> = Scope {
        handle: RegionHandle::with_caps(guard.region.clone(), cx.raw_caps()),
        env: PhantomData,
    };
    let body = pin!(Some(cell::lazy(
        |(scope, inside)| body(scope, inside),
        (scope, inside)
    )));
    let outcome = Drive {
        guard: &guard,
        waiter: Waiter::new(cx.task()),
        body: Body {
            future: body,
            value: None,
        },
    };
    let (outcome, value) = outcome.await;
    match (outcome, value) {
        (Outcome::Ok(()), Some(value)) => Outcome::Ok(value),
        (Outcome::Ok(()), None) => unreachable!("a body without a value did not end Ok"),
        (Outcome::Err(error), _) => Outcome::Err(error),
        (Outcome::Cancelled(reason), _) => Outcome::Cancelled(reason),
        (Outcome::Panicked(payload), _) => Outcome::Panicked(payload),
    }
}

/// Polls body and fibers until the region is closed.
struct Drive<'a, 'env, F, T> {
    guard: &'a Guard<'env>,
    waiter: Waiter<'a>,
    body: Body<'a, F, T>,
}

/// The body, which lies in the frame of [`region`] instead of a cell.
struct Body<'a, F, T> {
    future: Pin<&'a mut Option<F>>,
    value: Option<T>,
}

impl<F, T> Place for Body<'_, F, T>
where
    F: Future<Output = Result<T, Failure>>,
{
    fn poll(&mut self, _: &Task, context: &mut Context<'_>) -> Poll<Outcome<(), Error>> {
        let future = self.future.as_mut().as_pin_mut();
        let future = future.expect("a body is not polled after its end");
        match catch_unwind(AssertUnwindSafe(|| future.poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(result)) => {
                // A destructor that panics is a panic of this poll, as for a task (TSK-21).
                let dropped = catch_unwind(AssertUnwindSafe(|| self.future.set(None)));
                if let Err(panic) = dropped {
                    contained(|| drop(result));
                    resume_unwind(panic)
                }
                let outcome = Outcome::from(result);
                let summary = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
                self.value = outcome.ok();
                Poll::Ready(summary)
            }
            Err(panic) => {
                self.clear();
                resume_unwind(panic)
            }
        }
    }

    fn settle(&mut self, _: &Task, _: &Outcome<(), Error>) {
        self.clear();
        contained(|| self.value = None);
    }
}

impl<F, T> Body<'_, F, T> {
    fn clear(&mut self) {
        contained(|| self.future.set(None));
    }
}

impl<F, T> Drop for Drive<'_, '_, F, T> {
    /// Dropped half-way: what the body holds is unwound, not leaked, as for its fibers (OBL-10).
    fn drop(&mut self) {
        if !close::is_closed(&self.guard.region) {
            obligation::unwound(|| self.body.clear());
        }
    }
}

impl<F, T> Unpin for Drive<'_, '_, F, T> {}

impl<F, T> Future for Drive<'_, '_, F, T>
where
    F: Future<Output = Result<T, Failure>>,
{
    type Output = (Outcome<(), Error>, Option<T>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let region = &this.guard.region;
        let polls = register(region, context.waker());
        // A cancel of the opener alone, which does not come down the tree, is passed on (REG-11),
        // also when this is polled with a waker that is not the opener's.
        let _ = this.waiter.park(context);
        cancel::pass_on(&this.guard.opener, region);
        // Only what is ready by now: a fiber that yields, or wakes another, has woken this task
        // too, and comes after the tasks that are queued already (TSK-24).
        let due = match polls {
            true => region.scope().ready.len().min(POLLS_PER_TURN),
            false => 0,
        };
        let nested = obligation::Nested::begin();
        for _ in 0..due {
            let next = region.scope().ready.pop_front();
            match next {
                Some(task) if task.tier() == Tier::Body => poll::run_with(task, &mut this.body),
                Some(fiber) => poll::run(fiber),
                None => break,
            }
        }
        drop(nested);
        let (again, orphaned) = {
            let mut scope = region.scope();
            scope.busy = false;
            (polls && !scope.ready.is_empty(), scope.orphaned)
        };
        if orphaned {
            abandon::forgotten(region, Origin::Task(this.guard.opener.id()));
        }
        if close::is_closed(region) {
            let outcome = region.outcome().expect("closed");
            return Poll::Ready((outcome, this.body.value.take()));
        }
        if again {
            context.waker().wake_by_ref();
        }
        this.guard.opener.wait_for(Resource::Region(region.id()));
        Poll::Pending
    }
}

/// Stores who is woken when a fiber is, and begins a turn. False if the scope was given up. Wakers
/// are cloned and dropped outside the lock: they may be anybody's code.
fn register(region: &Region, waker: &Waker) -> bool {
    let stored = region.scope().waker.take();
    let next = match stored {
        Some(stored) if stored.will_wake(waker) => stored,
        stored => {
            drop(stored);
            waker.clone()
        }
    };
    // A fiber that was woken between found no waker. It is in the list, which is looked at next.
    let mut scope = region.scope();
    scope.waker = Some(next);
    scope.busy = !scope.gone;
    scope.busy
}

/// A fiber was woken: its scope gets it, and the task that polls the scope is woken.
pub(crate) fn enqueue_fiber(fiber: TaskRef) {
    let region = RegionRef::of(fiber.region());
    let mut scope = region.scope();
    if scope.gone {
        // The entry is void: the fiber was ended by its scope, or goes on as a task.
        drop(scope);
        return;
    }
    scope.ready.push_back(fiber);
    // Taken, not cloned: its next poll stores it again, and until then one wake is enough.
    let waker = scope.waker.take();
    drop(scope);
    if let Some(waker) = waker {
        waker.wake();
    }
}
