//! Handles of regions, and spawning through them.
#![allow(unsafe_code, reason = "makes the one handle of a new task")]

use std::fmt;

use asr_base::{CancelKind, CancelReason, Error, Failure, Origin, Outcome, RegionId, Status};

use super::abandon;
use super::admit::{self, Spawn};
use super::close;
use super::closer::Close;
use super::config::RegionConfig;
use super::finalizer::Finalizer;
use super::open::{self, Opener};
use super::record::{Region, RegionRef};
use super::refused::{SpawnError, refusal};
use super::spawner::Spawner;
use super::word::State;
use crate::cancel;
use crate::cx::{All, Authority, Caps, Cx, May, Set, Token, caps};
use crate::event;
use crate::task::{JoinHandle, Task, Tier, cell};

/// A handle of a region: beside what a [`Spawner`] may, it cancels, closes and opens below. Keeps
/// neither region nor runtime open.
pub struct RegionHandle<C = All>(Spawner<C>);

impl<C> Clone for RegionHandle<C> {
    fn clone(&self) -> RegionHandle<C> {
        RegionHandle(self.0.clone())
    }
}

impl<C> fmt::Debug for RegionHandle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RegionHandle").field(&self.0.region).finish()
    }
}

impl<C> std::ops::Deref for RegionHandle<C> {
    type Target = Spawner<C>;

    fn deref(&self) -> &Spawner<C> {
        &self.0
    }
}

impl RegionHandle {
    pub(crate) fn new(region: RegionRef) -> RegionHandle {
        RegionHandle::with_caps(region, Caps::ALL)
    }
}

impl<C> RegionHandle<C> {
    pub(crate) fn with_caps(region: RegionRef, caps: Caps) -> RegionHandle<C> {
        RegionHandle(Spawner::new(region, caps))
    }

    /// The outcome, once closed.
    pub fn outcome(&self) -> Option<Outcome<(), Error>> {
        self.region.outcome()
    }

    /// Requests the cancel of the region: all below gets ParentCancelled (CAN-3).
    pub fn cancel(&self, message: &str) {
        self.cancel_as(CancelKind::User, message);
    }

    /// The same with another kind.
    pub fn cancel_as(&self, kind: CancelKind, message: &str) {
        let kernel = self.region.kernel();
        let origin = Origin::Region(self.region.id());
        let reason = CancelReason::new(kind, origin, kernel.now()).with_message(message);
        cancel::request_region(&self.region, cancel::request(kernel, reason));
    }

    /// Requests the cancel of its children with this very kind, those that come later too. The
    /// region itself is not asked, nor is its body, which may wait for their cleanup however long
    /// that takes.
    pub fn cancel_children(&self, kind: CancelKind, message: &str) {
        let kernel = self.region.kernel();
        let origin = Origin::Region(self.region.id());
        let reason = CancelReason::new(kind, origin, kernel.now()).with_message(message);
        cancel::request_branches(&self.region, cancel::request(kernel, reason));
    }

    /// Cancels a region below this one by its name (CAN-8).
    ///
    /// # Errors
    /// `CAP_DENIED` if it is not below this one, `STALE_HANDLE` if there is none of that name.
    pub fn cancel_below(&self, id: RegionId, message: &str) -> Result<(), Error> {
        let region = self.region.kernel().region(id)?;
        if !is_within(&region, &self.region) {
            let what = format!("region {id} is not below {}", self.region.id());
            return Err(Error::new(Status::CAP_DENIED, what));
        }
        RegionHandle::<C>::with_caps(region, self.caps).cancel(message);
        Ok(())
    }

    /// Begins the close, if nobody has, without waiting for it.
    pub fn begin_close(&self) {
        close::close(&self.region);
    }

    /// Closes the region and waits until it is closed; any number of closers get the same outcome
    /// (REG-9).
    ///
    /// A closer inside the region gets `Err` of kind `CYCLE`. A closer that is cancelled passes its
    /// cancel on, and still waits (REG-11).
    ///
    /// # Cancel safety
    /// No cancel point: the region is waited for. Dropping the future leaves the close going on.
    pub fn close<'c, D>(&'c self, cx: &'c Cx<D>) -> Close<'c> {
        Close::new(&self.region, cx.task())
    }
}

impl<C: Set> RegionHandle<C> {
    /// Opens a region below this one.
    ///
    /// # Errors
    /// `REGION_CLOSING` or `REGION_CLOSED`; `CAP_DENIED` if the token is gone.
    pub fn open(&self, config: &RegionConfig) -> Result<OpenRegion<C>, Error>
    where
        C: May<caps::Fiber>,
    {
        allow::<caps::Fiber>(&self.region, self.caps, "open")
            .map_err(|status| Error::new(status, format!("open needs {}", caps::Fiber::NAME)))?;
        let opened = open::region(&Opener::Handle(&self.region), config);
        OpenRegion::from_opened(opened, self.caps, Origin::Region(self.region.id()))
    }
}

/// A region without a body, owned by hand. Dropped without a close it is cancelled with RaceLost
/// and closes by itself (REG-36), so no handle keeps work alive (TSK-4).
#[derive(Debug)]
pub struct OpenRegion<C = All> {
    handle: RegionHandle<C>,
    origin: Origin,
}

impl<C: Set> OpenRegion<C> {
    pub(crate) fn open(cx: &Cx<C>, config: &RegionConfig) -> Result<OpenRegion<C>, Error> {
        let opened = open::region(&Opener::Task(cx.task()), config);
        OpenRegion::from_opened(opened, cx.raw_caps(), Origin::Task(cx.task_id()))
    }

    fn from_opened(
        opened: Result<RegionRef, Status>,
        caps: Caps,
        origin: Origin,
    ) -> Result<OpenRegion<C>, Error> {
        let region =
            opened.map_err(|status| Error::new(status, "the region around it admits nothing"))?;
        Ok(OpenRegion {
            handle: RegionHandle::with_caps(region, caps),
            origin,
        })
    }
}

impl<C> std::ops::Deref for OpenRegion<C> {
    type Target = RegionHandle<C>;

    fn deref(&self) -> &RegionHandle<C> {
        &self.handle
    }
}

impl<C> Drop for OpenRegion<C> {
    fn drop(&mut self) {
        match self.handle.state() {
            State::Open => abandon::unowned(&self.handle.region, self.origin),
            State::Closed => {}
            // Closing, and the owner does not wait: the outcome counts in the parent's.
            _ => self.handle.region.lock().counts = true,
        }
    }
}

/// Whether `region` is `top` or below it.
pub(crate) fn is_within(region: &Region, top: &Region) -> bool {
    let mut at = Some(region);
    while let Some(region) = at {
        if std::ptr::eq(region, top) {
            return true;
        }
        at = region.parent();
    }
    false
}

/// Refuses what a handle that was narrowed while the program ran may not do.
pub(crate) fn allow<K: Token>(
    region: &Region,
    caps: Caps,
    operation: &'static str,
) -> Result<(), Status> {
    if caps.has::<K>() {
        return Ok(());
    }
    event::cap_denied(region, None, operation, K::BIT);
    Err(Status::CAP_DENIED)
}

/// Registers a finalizer, or gives the closure back.
pub(crate) fn defer<F>(
    region: &Region,
    run: F,
    wrap: impl FnOnce(F) -> Finalizer,
) -> Result<(), SpawnError<F>> {
    defer_in(region, State::Open, run, wrap)
}

/// The same for a task of the region; the finalizers may register more while they run (REG-17).
pub(crate) fn defer_by<F>(
    task: &Task,
    run: F,
    wrap: impl FnOnce(F) -> Finalizer,
) -> Result<(), SpawnError<F>> {
    let state = match task.tier() {
        Tier::Finalizer => State::Finalizing,
        _ => State::Open,
    };
    defer_in(task.region(), state, run, wrap)
}

/// The state is looked at under the lock under which the close looks for finalizers, so what is
/// registered is found. The last look of the close says that it is the last.
fn defer_in<F>(
    region: &Region,
    when: State,
    run: F,
    wrap: impl FnOnce(F) -> Finalizer,
) -> Result<(), SpawnError<F>> {
    let mut inner = region.lock();
    let state = region.word.state();
    if state != when || inner.finalizers_done {
        drop(inner);
        return Err(SpawnError::new(refusal(state), run));
    }
    let number = inner.finalizers.push(wrap(run));
    drop(inner);
    event::finalizer_registered(region, None, number);
    Ok(())
}

/// Starts a child of a region: a task, or a fiber of the scope that calls this.
pub(crate) fn start<C, T, F, Fut>(
    region: &Region,
    tier: Tier,
    caps: Caps,
    options: Spawn,
    run: F,
) -> Result<JoinHandle<T>, SpawnError<F>>
where
    C: Set,
    F: FnOnce(Cx<C>) -> Fut,
    Fut: Future<Output = Result<T, Failure>>,
{
    let admitted = match admit::admit(region, tier) {
        Ok(admitted) => admitted,
        Err(status) => return Err(SpawnError::new(status, run)),
    };
    let task = admitted.start(options, |task| {
        cell::new(cell::lazy(run, Cx::of(task, caps)))
    });
    // SAFETY: the cell was just made with output type `T`, and this is its first handle.
    Ok(unsafe { JoinHandle::new(task) })
}
