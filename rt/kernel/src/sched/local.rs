//! The production driver of one thread: a worker on the thread that calls [`Local::run`], without
//! others to share with, and without a ticker.
//!
//! A wake from inside its polls goes to its own queues, without a lock or a system call. One from
//! another thread goes to the injector, and ends the sleep of the worker if it sleeps: as with
//! several workers (`shared`, SCH-21).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::task::Waker;

use asr_base::{Error, Failure, Outcome};

use super::choice::Limits;
use super::gate::Gate;
use super::patience::SEARCH;
use super::shared::{Shared, TellMain};
use super::slot::Slot;
use super::stats::WorkerStats;
use super::worker::Worker;
use crate::blocking::{Pool, PoolConfig};
use crate::cx::Cx;
use crate::kernel::{Config, Kernel};
use crate::topology::{Placement, Topology};

/// A runtime on the thread that calls [`run`](Local::run).
pub struct Local {
    kernel: Arc<Kernel>,
    shared: Arc<Shared>,
}

impl Local {
    /// A runtime with an open root.
    pub fn new(config: Config) -> Local {
        Local::with_pool(config, Pool::new(PoolConfig::default()))
    }

    /// The same with a pool for blocking work.
    pub fn with_pool(config: Config, pool: Pool) -> Local {
        let slot = Slot::new(Box::new(Gate::default()));
        let placement = Placement::new(&Topology::uniform(1), 1);
        // What comes from other threads, it finds in the injector.
        let shared = Shared::new([slot].into(), placement, SEARCH, Limits::default(), pool);
        let shared = Arc::new(shared.alone());
        let kernel = Kernel::new(Box::new(shared.clone()), config);
        shared.serves(&kernel);
        Local { kernel, shared }
    }

    /// The pool for blocking work.
    pub fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// The kernel: ask it, trace it, shut it down.
    pub fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    /// Counters of its worker.
    pub fn stats(&self) -> &WorkerStats {
        &self.shared.slots[0].stats
    }

    /// Runs `main` as a task of the root, then closes the root, and returns when nothing runs any
    /// more. `Err` of kind `SHUTDOWN` if the runtime has ended before, of kind `CAP_DENIED` in a
    /// simulated world (LAB-8), and of kind `CYCLE` in a task of this runtime.
    ///
    /// After a shutdown whose grace has ended it returns as well, with `Err` of kind `TIMED_OUT`
    /// that names each task that is left; [`Kernel::stuck`] has them (CAN-26). What they hold is
    /// not given back: it is theirs. A task stuck in its poll holds the thread itself; from another
    /// one [`Kernel::stuck`] reports it.
    ///
    /// While one thread is in here, another that comes waits: the first runs the tasks of both.
    pub fn run<T, F, Fut>(&self, main: F) -> Outcome<T, Error>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        let real = crate::simulation::real("a runtime on this thread");
        if let Err(denied) = real.and_then(|()| Worker::elsewhere(&self.shared)) {
            return Outcome::Err(denied);
        }
        let root = self.kernel.root();
        let handle = match root.spawn(main) {
            Ok(handle) => handle,
            Err(refused) => return Outcome::Err(refused.into()),
        };
        let waker = Waker::from(Arc::new(TellMain(self.shared.clone())));
        handle.wait(&waker);
        if !self.until(|| handle.is_finished()) {
            return Outcome::Err(self.kernel.incomplete());
        }
        root.begin_close();
        if !self.until(|| self.kernel.is_closed()) {
            return Outcome::Err(self.kernel.incomplete());
        }
        // An entry that another made stale holds its task.
        self.shared.hear_no_more();
        match handle.try_join() {
            Ok(outcome) => outcome,
            Err(_) => unreachable!("it was finished"),
        }
    }

    /// Runs tasks until `done`, or until the grace of a shutdown has ended: then false.
    fn until(&self, done: impl Fn() -> bool) -> bool {
        loop {
            let before = *self.shared.control.lock();
            if done() {
                return true;
            }
            if self.gives_up() {
                return false;
            }
            match Worker::new(self.shared.clone(), self.kernel.clone(), 0) {
                Some(worker) => self.work(worker, || done() || self.gives_up()),
                None => _ = self.shared.wait(&self.kernel, before),
            }
        }
    }

    /// This thread is the worker until `done`, or until a panic outside a poll, which goes on.
    fn work(&self, worker: Worker, done: impl Fn() -> bool) {
        let run = catch_unwind(AssertUnwindSafe(|| worker.run(done)));
        if run.is_err() {
            worker.abdicate();
        }
        drop(worker);
        // Who waits for the place takes it now.
        self.shared.tell_main();
        if let Err(panic) = run {
            resume_unwind(panic);
        }
    }

    fn gives_up(&self) -> bool {
        self.kernel.grace_ends().is_some() && self.kernel.grace_is_over(self.shared.time())
    }
}

impl Drop for Local {
    /// Nothing runs any more: what is left is dropped, but for tasks that outlived a shutdown.
    fn drop(&mut self) {
        if self.kernel.is_closed() || self.gives_up() {
            self.shared.hear_no_more();
        } else {
            self.shared.give_up(&self.kernel);
        }
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}
