//! The production driver of one thread: lanes, the monotone clock, a condition variable to sleep
//! on.
//!
//! Wakes may come from any thread. A wake pushes under the lock of the lanes and then notifies; the
//! thread of the driver looks at the lanes and waits under that lock, so no wake falls between.

use std::sync::Arc;

use asr_base::{Duration, Error, Failure, Outcome, TaskId, Time};
use parking_lot::{Condvar, Mutex};

use super::choice::Limits;
use super::clock::Clock;
use super::lanes::Lanes;
use crate::blocking::{Job, Pool, PoolConfig};
use crate::cx::Cx;
use crate::driver::{Driver, Runnable};
use crate::kernel::{Config, Kernel};

struct Shared {
    lanes: Mutex<Lanes>,
    wake: Condvar,
    clock: Clock,
    pool: Pool,
}

impl Driver for Arc<Shared> {
    fn now(&self) -> Time {
        self.clock.now()
    }

    fn enqueue(&self, task: Runnable) {
        self.lanes.lock().push(task);
        self.wake.notify_one();
    }

    fn promote(&self, task: TaskId) {
        self.lanes.lock().promote(task);
    }

    fn entropy(&self, task: TaskId, call: u64) -> u64 {
        self.clock.entropy(task, call)
    }

    fn block(&self, job: Job) {
        self.pool.submit(job);
    }

    fn work_withdrawn(&self) {
        self.pool.withdrawn();
    }

    fn timer_armed(&self, _: Time) {
        drop(self.lanes.lock());
        self.wake.notify_one();
    }

    fn root_closed(&self) {
        drop(self.lanes.lock());
        self.wake.notify_one();
    }
}

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
        let shared = Arc::new(Shared {
            lanes: Mutex::new(Lanes::new(Limits::default())),
            wake: Condvar::new(),
            clock: Clock::new(),
            pool,
        });
        Local {
            kernel: Kernel::new(Box::new(shared.clone()), config),
            shared,
        }
    }

    /// The pool for blocking work.
    pub fn pool(&self) -> &Pool {
        &self.shared.pool
    }

    /// The kernel: ask it, trace it, shut it down.
    pub fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    /// Runs `main` as a task of the root, then closes the root, and returns when nothing runs any
    /// more. `Err` of kind `SHUTDOWN` if the runtime has ended before, and of kind `CAP_DENIED` in
    /// a simulated world (LAB-8).
    ///
    /// After a shutdown whose grace has ended it returns as well, with `Err` of kind `TIMED_OUT`
    /// that names each task that is left; [`Kernel::stuck`] has them (CAN-26). What they hold is
    /// not given back: it is theirs. A task stuck in its poll holds the thread itself; from another
    /// one [`Kernel::stuck`] reports it.
    pub fn run<T, F, Fut>(&self, main: F) -> Outcome<T, Error>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        if let Err(denied) = crate::simulation::real("a runtime on this thread") {
            return Outcome::Err(denied);
        }
        let root = self.kernel.root();
        let handle = match root.spawn(main) {
            Ok(handle) => handle,
            Err(refused) => return Outcome::Err(refused.into()),
        };
        while !handle.is_finished() {
            if self.gives_up() {
                return Outcome::Err(self.kernel.incomplete());
            }
            self.turn();
        }
        root.begin_close();
        while !self.kernel.is_closed() {
            if self.gives_up() {
                return Outcome::Err(self.kernel.incomplete());
            }
            self.turn();
        }
        match handle.try_join() {
            Ok(outcome) => outcome,
            Err(_) => unreachable!("it was finished"),
        }
    }

    fn gives_up(&self) -> bool {
        self.kernel.grace_ends().is_some() && self.kernel.grace_is_over(self.shared.now())
    }

    /// One task, the timers that are due, or a sleep until there is one of them.
    fn turn(&self) {
        // The clock is asked only while a timer is armed.
        if let Some(at) = self.kernel.turn_hint() {
            let now = self.shared.now();
            if at <= now {
                self.kernel.advance(now);
            }
        }
        let mut lanes = self.shared.lanes.lock();
        let waiting = lanes.len();
        let next = lanes.pop();
        drop(lanes);
        self.kernel.queue_holds(0, waiting);
        self.kernel.queues_hold(|| waiting);
        if let Some(task) = next {
            self.kernel.run(task);
            return;
        }
        let mut lanes = self.shared.lanes.lock();
        // Read under the lock: a timer that is armed after this notifies after the wait began.
        let timer = self.kernel.next_turn();
        let deadline = timer.into_iter().chain(self.kernel.grace_ends()).min();
        if !lanes.is_empty() || self.kernel.is_closed() {
            return;
        }
        match deadline {
            None => self.shared.wake.wait(&mut lanes),
            Some(at) => {
                let left = at.since(self.shared.now());
                if left > Duration::ZERO {
                    self.shared.wake.wait_for(&mut lanes, left);
                }
            }
        }
    }
}

impl Drop for Local {
    /// Nothing runs any more: what is left is dropped, but for tasks that outlived a shutdown.
    fn drop(&mut self) {
        if !self.kernel.is_closed() && !self.gives_up() {
            self.kernel.abandon();
        }
        loop {
            // Dropped without the lock: it may be the last reference to a task, and then to more.
            let left = self.shared.lanes.lock().pop();
            if left.is_none() {
                return;
            }
        }
    }
}

impl std::fmt::Debug for Local {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Local").finish_non_exhaustive()
    }
}
