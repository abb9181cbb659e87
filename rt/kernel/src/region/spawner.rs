//! The right to add to a region, and nothing else.
//!
//! Every task has it for its own region. It can neither cancel nor close: for that one needs the
//! handle that the body of the region or its opener has (CAN-8).

use std::fmt;
use std::marker::PhantomData;

use asr_base::{Failure, RegionId};

use super::admit::Spawn;
use super::finalizer::Finalizer;
use super::handle::{allow, defer, start};
use super::record::{Region, RegionRef};
use super::refused::SpawnError;
use super::word::State;
use crate::cx::{All, Caps, Cx, May, caps};
use crate::task::{JoinHandle, Tier};

/// See the module.
pub struct Spawner<C = All> {
    pub(super) region: RegionRef,
    pub(super) caps: Caps,
    set: PhantomData<fn() -> C>,
}

impl<C> Clone for Spawner<C> {
    fn clone(&self) -> Spawner<C> {
        Spawner::new(self.region.clone(), self.caps)
    }
}

impl<C> fmt::Debug for Spawner<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spawner").field(&self.region).finish()
    }
}

impl<C> Spawner<C> {
    pub(crate) fn new(region: RegionRef, caps: Caps) -> Spawner<C> {
        Spawner {
            region,
            caps,
            set: PhantomData,
        }
    }

    /// The record.
    pub fn region(&self) -> &Region {
        &self.region
    }

    pub(crate) fn caps(&self) -> Caps {
        self.caps
    }

    /// The region.
    pub fn id(&self) -> RegionId {
        self.region.id()
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.region.state()
    }

    /// Registers a synchronous finalizer (REG-15).
    ///
    /// # Errors
    /// The closure, unused, if the region is not open (REG-3).
    pub fn defer_sync<F>(&self, run: F) -> Result<(), SpawnError<F>>
    where
        F: FnOnce() -> Result<(), Failure> + Send + 'static,
    {
        defer(&self.region, run, Finalizer::sync)
    }

    /// Registers an asynchronous finalizer (REG-15).
    ///
    /// # Errors
    /// As for [`defer_sync`](Spawner::defer_sync).
    pub fn defer_async<F, Fut>(&self, run: F) -> Result<(), SpawnError<F>>
    where
        F: FnOnce(Cx<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        defer(&self.region, run, |run| Finalizer::future(self.caps, run))
    }

    /// Starts a task in the region.
    ///
    /// # Errors
    /// The closure, unused, if the region does not admit (REG-3), with `CAP_DENIED` if the token is
    /// gone.
    pub fn spawn<T, F, Fut>(&self, run: F) -> Result<JoinHandle<T>, SpawnError<F>>
    where
        C: May<caps::Task>,
        F: FnOnce(Cx<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_with(Spawn::new(), run)
    }

    /// The same with name or budget.
    ///
    /// # Errors
    /// As for [`spawn`](Spawner::spawn).
    pub fn spawn_with<T, F, Fut>(
        &self,
        options: Spawn,
        run: F,
    ) -> Result<JoinHandle<T>, SpawnError<F>>
    where
        C: May<caps::Task>,
        F: FnOnce(Cx<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        if let Err(status) = allow::<caps::Task>(&self.region, self.caps, "spawn") {
            return Err(SpawnError::new(status, run));
        }
        start(&self.region, Tier::Task, self.caps, options, run)
    }
}
