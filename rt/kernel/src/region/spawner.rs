//! The right to add to a region, and nothing else.
//!
//! Every task has it for its own region. It can neither cancel nor close: for that one needs the
//! handle that the body of the region or its opener has (CAN-8).

use std::fmt;

use asr_base::{Failure, RegionId};

use super::handle::RegionHandle;
use super::open::Spawn;
use super::refused::SpawnError;
use super::word::State;
use crate::cx::{All, Cx, May, caps};
use crate::task::JoinHandle;

/// See the module.
pub struct Spawner<C = All>(RegionHandle<C>);

impl<C> Clone for Spawner<C> {
    fn clone(&self) -> Spawner<C> {
        Spawner(self.0.clone())
    }
}

impl<C> fmt::Debug for Spawner<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Spawner").field(self.0.region()).finish()
    }
}

impl<C> Spawner<C> {
    pub(crate) fn new(handle: RegionHandle<C>) -> Spawner<C> {
        Spawner(handle)
    }

    pub(crate) fn handle(&self) -> &RegionHandle<C> {
        &self.0
    }

    /// The region.
    pub fn id(&self) -> RegionId {
        self.0.id()
    }

    /// Where it is.
    pub fn state(&self) -> State {
        self.0.state()
    }

    /// Registers a synchronous finalizer (REG-15).
    ///
    /// # Errors
    /// The closure, unused, if the region is not open (REG-3).
    pub fn defer_sync<F>(&self, run: F) -> Result<(), SpawnError<F>>
    where
        F: FnOnce() -> Result<(), Failure> + Send + 'static,
    {
        self.0.defer_sync(run)
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
        self.0.defer_async(run)
    }
}

impl<C: May<caps::Task>> Spawner<C> {
    /// Starts a task in the region.
    ///
    /// # Errors
    /// The closure, unused, if the region does not admit (REG-3), with `CAP_DENIED` if the token is
    /// gone.
    pub fn spawn<T, F, Fut>(&self, run: F) -> Result<JoinHandle<T>, SpawnError<F>>
    where
        F: FnOnce(Cx<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn(run)
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
        F: FnOnce(Cx<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_with(options, run)
    }
}
