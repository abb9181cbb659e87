//! The Rust form of a region: a body, and fibers that borrow from around it.
//!
//! Body and fibers live inside the future of the scope and are polled by it (TSK-2, REG-35). Each
//! has a record, a word and wakers of its own; a wake puts it on the scope's ready list and wakes
//! the task that polls the scope, if that waits. The body of a new region is polled at once.
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
#![allow(unsafe_code, reason = "reads a record whose slot stays")]

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::pin::{Pin, pin};
use std::ptr::NonNull;
use std::task::{Context, Poll, Waker};

use asr_base::{Error, Failure, Origin, Outcome};

use asr_trace::Resource;

use super::abandon::{self, Guard};
use super::admit::Spawn;
use super::body::{Body, Start};
use super::close;
use super::config::RegionConfig;
use super::handle::{RegionHandle, start};
use super::open;
use super::ready::Scope as Shared;
use super::record::RegionRef;
use super::refused::SpawnError;
use crate::cancel;
use crate::cx::{Authority, Cx, May, Set, Waiter, caps};
use crate::obligation;
use crate::task::{JoinHandle, Task, TaskRef, Tier, poll, polled, waker};

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
#[expect(
    clippy::manual_async_fn,
    reason = "an async fn would copy its arguments before it uses them"
)]
pub(crate) fn region<'c, 'env, C, T, B, Fut>(
    cx: &'c Cx<C>,
    config: RegionConfig,
    body: B,
) -> impl Future<Output = Outcome<T, Error>> + use<'c, 'env, C, T, B, Fut>
where
    C: May<caps::Fiber>,
    B: FnOnce(Scope<'env, C>, Cx<C>) -> Fut,
    Fut: Future<Output = Result<T, Failure>>,
{
    async move {
        if let Err(denied) = cx.require::<caps::Fiber>("region") {
            return Outcome::Err(denied);
        }
        // The future may go on elsewhere: its region ends with the opener. It begins in the opener.
        polled::expect(cx.task());
        let new = match open::scope(cx.task(), &config) {
            Ok(new) => new,
            Err(status) => {
                return Outcome::Err(Error::new(status, "the enclosing region has closed"));
            }
        };
        // Dropped last, after the body.
        let guard = Guard::<'_, 'env> {
            region: ManuallyDrop::new(new.region),
            opener: cx.task(),
            env: PhantomData,
        };
        let caps = cx.raw_caps();
        let start = Start {
            body,
            context: new.context,
            handle: new.handle,
            begin: |body: B, context, handle| {
                let scope: Scope<'env, C> = Scope {
                    handle: RegionHandle::with_caps(handle, caps),
                    env: PhantomData,
                };
                body(scope, Cx::of(context, caps))
            },
        };
        let mut future = pin!(None);
        let outcome = Drive {
            guard: &guard,
            waiter: Waiter::new(cx.task()),
            first: Some((new.queued, new.polled)),
            counted: false,
            body: Body {
                start: Some(start),
                future: future.as_mut(),
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
}

/// Polls body and fibers until the region is closed.
struct Drive<'a, 'env, B, G, F, T> {
    guard: &'a Guard<'a, 'env>,
    waiter: Waiter<'a>,
    /// The body, until the first poll: it would be alone on the ready list. Whether its word says
    /// that it is polled by now.
    first: Option<(TaskRef, bool)>,
    /// The opener counts this scope.
    counted: bool,
    body: Body<'a, B, G, F, T>,
}

impl<B, G, F, T> Drop for Drive<'_, '_, B, G, F, T> {
    /// Dropped half-way: what the body holds is unwound, not leaked, as for its fibers (OBL-10).
    fn drop(&mut self) {
        if !close::is_closed(&self.guard.region) {
            obligation::unwound(|| self.body.clear());
        }
    }
}

impl<B, G, F, T> Unpin for Drive<'_, '_, B, G, F, T> {}

impl<B, G, F, T> Future for Drive<'_, '_, B, G, F, T>
where
    G: FnOnce(B, TaskRef, RegionRef) -> F,
    F: Future<Output = Result<T, Failure>>,
{
    type Output = (Outcome<(), Error>, Option<T>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let region = &this.guard.region;
        let opener = this.guard.opener;
        // A cancel of the opener alone, which does not come down the tree, is passed on (REG-11),
        // also when this is polled with a waker that is not the opener's.
        this.waiter.listen(context);
        cancel::pass_on(opener, region);
        let own = waker::task_of(context.waker()) == Some(NonNull::from(&**opener));
        // Only what is ready by now: a fiber that yields, or wakes another, is found below, and
        // comes after the tasks that are queued already (TSK-24).
        let mut begun = false;
        let (mut next, due) = match this.first.take() {
            Some((body, polled)) => {
                begun = polled;
                this.counted = own;
                match own {
                    true => opener.scopes.opened(),
                    false => {
                        opener.word.opened_elsewhere();
                        // Who opened it may be complete, and looks for it no more.
                        region.count_parent();
                    }
                }
                (Some(body), 1)
            }
            None => turn(&mut region.lock().scope),
        };
        let nested = (obligation::Nested::begin(), polled::Nested::begin());
        for left in (0..due).rev() {
            match next.take() {
                Some(body) if begun => {
                    begun = false;
                    poll::go_on_polled(body, &mut this.body);
                }
                Some(task) if task.tier() == Tier::Body => poll::run_with(task, &mut this.body),
                Some(fiber) => {
                    #[cfg(not(loom))]
                    let _inside = crate::sched::polls(&fiber);
                    poll::run(fiber);
                }
                None => break,
            }
            if left > 0 {
                next = region.lock().scope.ready.pop_front();
            }
        }
        drop(nested);
        if !close::is_closed(region) && wait(region, opener, context.waker()) {
            opener.wait_for(Resource::Region(region.id()));
            return Poll::Pending;
        }
        if this.counted && own {
            opener.scopes.closed();
        }
        let outcome = region.outcome().expect("closed");
        Poll::Ready((outcome, this.body.value.take()))
    }
}

/// A turn begins, unless the scope was given up: the fiber that comes first, and how many are due.
fn turn(scope: &mut Shared) -> (Option<TaskRef>, usize) {
    scope.waits = false;
    scope.busy = !scope.gone;
    let due = match scope.busy {
        true => scope.ready.len().min(POLLS_PER_TURN),
        false => 0,
    };
    (scope.ready.pop_front(), due)
}

/// The turn ends, and the scope waits from now on, if its region is not closed by now. Wakers are
/// cloned and dropped outside the lock: they may be anybody's code.
fn wait(region: &RegionRef, opener: &Task, waker: &Waker) -> bool {
    let mut inner = region.lock();
    let known = inner.scope.waker.as_ref();
    if known.is_none_or(|known| !known.will_wake(waker)) {
        drop(inner);
        let mine = waker.clone();
        inner = region.lock();
        let stale = inner.scope.waker.replace(mine);
        if stale.is_some() {
            drop(inner);
            drop(stale);
            inner = region.lock();
        }
    }
    if !close::is_closed(region) {
        let scope = &mut inner.scope;
        let again = !scope.ready.is_empty();
        scope.waits = !again;
        scope.busy = false;
        if !std::mem::take(&mut scope.orphaned) {
            drop(inner);
            if again {
                waker.wake_by_ref();
            }
            return true;
        }
        scope.waits = true;
        drop(inner);
        abandon::forgotten(region, Origin::Task(opener.id()));
        if !close::is_closed(region) {
            return true;
        }
        inner = region.lock();
    }
    // Who closed it may have looked for a waker before this one was there.
    let stale = closed(&mut inner.scope);
    drop(inner);
    drop(stale);
    false
}

/// Who polls a scope, to be woken or forgotten once the lock is given back.
pub(super) struct Poller {
    waker: Option<Waker>,
    waits: bool,
}

impl Poller {
    /// Wakes it if it waits. Something of the kernel is held around this.
    pub(super) fn wake(self) {
        match self.waker {
            Some(waker) if self.waits => waker::wake_last(waker),
            other => drop(other),
        }
    }
}

/// The region of a scope closed.
pub(super) fn closed(scope: &mut Shared) -> Poller {
    Poller {
        waker: scope.waker.take(),
        waits: std::mem::replace(&mut scope.waits, false),
    }
}

/// A fiber was woken: its scope gets it, and the task that polls the scope is woken if it waits.
pub(crate) fn enqueue_fiber(fiber: TaskRef) {
    let region = NonNull::from(fiber.region());
    // SAFETY: a record keeps its place as long as the kernel, which is held by whoever wakes a
    // task; and the region is not closed while the fiber waits for the place it gets here.
    let region = unsafe { region.as_ref() };
    push(region.lock(), fiber);
}

/// The same under the lock, which is given back.
pub(super) fn push(mut inner: super::Locked<'_>, fiber: TaskRef) {
    let scope = &mut inner.scope;
    if scope.gone {
        // The entry is void: the fiber was ended by its scope, or goes on as a task.
        drop(inner);
        return;
    }
    scope.ready.push_back(fiber);
    if !scope.waits {
        return;
    }
    // Taken, not cloned: when it waits again it stores one, and until then one wake is enough.
    let poller = closed(scope);
    drop(inner);
    poller.wake();
}
