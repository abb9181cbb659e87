//! What a context starts: tasks, regions, finalizers.

use asr_base::{Error, Failure, Outcome, Status};

use super::{Cx, May, Set, caps};
use crate::region::{
    self, Finalizer, OpenRegion, RegionConfig, RegionRef, Scope, Spawn, SpawnError, Spawner,
};
use crate::task::{self, JoinHandle, Tier};

impl<C: Set> Cx<C> {
    /// Starts a task in the region of this task.
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
    /// As for [`spawn`](Cx::spawn).
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
        if let Err(status) = self.allow::<caps::Task>("spawn") {
            return Err(SpawnError::new(status, run));
        }
        region::start(self.task.region(), Tier::Task, self.caps, options, run)
    }

    /// With this others may spawn into this task's region, but neither cancel nor close it: that
    /// takes the handle of its body or its opener (CAN-8).
    pub fn spawner(&self) -> Spawner<C>
    where
        C: May<caps::Task>,
    {
        let region = RegionRef::of(self.task.region());
        Spawner::new(region, self.caps)
    }
}

impl<C: Set> Cx<C> {
    /// Runs `body` in a region of its own, and returns when nothing of it runs any more.
    ///
    /// The body is the child with spawn index 0 (REG-35). A cancel of this task is passed on, and
    /// seen here only after the region is closed (REG-11).
    ///
    /// # Cancel safety
    /// Dropping the future cancels the region with RaceLost and hands it to the enclosing region
    /// (REG-36); its fibers end at once.
    pub fn region<'env, T, B, Fut>(
        &self,
        config: RegionConfig,
        body: B,
    ) -> impl Future<Output = Outcome<T, Error>> + use<'_, 'env, C, T, B, Fut>
    where
        C: May<caps::Fiber>,
        B: FnOnce(Scope<'env, C>, Cx<C>) -> Fut,
        Fut: Future<Output = Result<T, Failure>>,
    {
        region::region(self, config, body)
    }

    /// Opens a region without a body, which the owner closes by hand.
    ///
    /// # Errors
    /// As for [`require`](Cx::require).
    pub fn open_region(&self, config: &RegionConfig) -> Result<OpenRegion<C>, Error>
    where
        C: May<caps::Fiber>,
    {
        self.require::<caps::Fiber>("open_region")?;
        OpenRegion::open(self, config)
    }
}

impl<C: Set> Cx<C> {
    /// Registers a synchronous finalizer of the region (REG-15). A finalizer that runs may register
    /// more, which run next (REG-17).
    ///
    /// # Errors
    /// The closure, unused, if the region is not open (REG-3).
    pub fn defer_sync<F>(&self, run: F) -> Result<(), SpawnError<F>>
    where
        F: FnOnce() -> Result<(), Failure> + Send + 'static,
    {
        region::defer_by(&self.task, run, Finalizer::sync)
    }

    /// Registers an asynchronous finalizer of the region, as [`defer_sync`](Cx::defer_sync). It has
    /// the capabilities of this context (CAP-7).
    ///
    /// # Errors
    /// As for [`defer_sync`](Cx::defer_sync).
    pub fn defer_async<F, Fut>(&self, run: F) -> Result<(), SpawnError<F>>
    where
        F: FnOnce(Cx<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let caps = self.caps;
        region::defer_by(&self.task, run, |run| Finalizer::future(caps, run))
    }

    /// Runs `work` with what `acquire` gave, and then `release`, exactly once if and only if
    /// `acquire` returned Ok: whatever came of `work`, masked, and under the cleanup budget of the
    /// pending cancel, or the base one (REG-19). The outcome of `release` joins that of `work`.
    ///
    /// # Cancel safety
    /// `acquire` and `work` are cancel points as their code says, `release` is masked. If the
    /// future is dropped while `work` runs, `release` becomes a finalizer of the region (REG-21);
    /// if it is dropped while `release` runs, that goes on when the task ends.
    pub fn bracket<R, T, A, U, D, Fut>(
        &self,
        acquire: A,
        work: U,
        release: D,
    ) -> impl Future<Output = Outcome<T, Error>> + use<'_, C, R, T, A, U, D, Fut>
    where
        R: Send + 'static,
        A: Future<Output = Result<R, Failure>>,
        U: AsyncFnOnce(&mut R) -> Result<T, Failure>,
        D: FnOnce(Cx<C>, R) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        region::bracket(self, acquire, work, release)
    }

    /// Registers a finalizer of this task: it runs after the body, masked, whatever the outcome.
    ///
    /// # Errors
    /// `REGION_CLOSED` if the task has completed; `run` is dropped.
    pub fn defer_task<F>(&self, run: F) -> Result<(), Error>
    where
        F: FnOnce() -> Result<(), Failure> + Send + 'static,
    {
        self.defer_own(Finalizer::sync(run))
    }

    /// The same for an asynchronous finalizer.
    ///
    /// # Errors
    /// As for [`defer_task`](Cx::defer_task).
    pub fn defer_task_async<F, Fut>(&self, run: F) -> Result<(), Error>
    where
        F: FnOnce(Cx<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        self.defer_own(Finalizer::future(self.caps, run))
    }

    fn defer_own(&self, finalizer: Finalizer) -> Result<(), Error> {
        task::end::defer(&self.task, finalizer)
            .map_err(|_| Error::new(Status::REGION_CLOSED, "the task has completed"))
    }
}
