//! The production driver: a runtime on several threads.
//!
//! Threads
//! - Worker `n` is a thread that owns the ring of slot `n`. It ends when the runtime stops. A panic
//!   outside a poll (polls are contained) ends the thread, and another takes its place: all that
//!   was queued is in the slot, and stays.
//! - The runtime stops when its root is closed, or when it is dropped. In the second case the last
//!   worker that ends gives the kernel up: what is left is dropped, not run.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Waker;
use std::thread::{self, JoinHandle};

use asr_base::{Duration, Error, Failure, Outcome};
use asr_lock::{Mutex, rank};

use super::choice::Limits;
use super::park::{self, EventFd};
use super::patience::SEARCH;
use super::shared::{Shared, TellMain};
use super::slot::Slot;
use super::stats::WorkerStats;
use super::ticker::{Slices, Ticker};
use super::worker::Worker;
use crate::blocking::{Pool, PoolConfig};
use crate::cx::Cx;
use crate::kernel::{Config, Kernel};
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering::*};
use crate::thread::adopt;
use crate::topology::{Placement, Topology};

/// What a runtime on several threads is configured with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkersConfig {
    /// Threads that run tasks: as many as the machine runs at once.
    pub workers: usize,
    /// How long a worker without work searches at most before it sleeps: 50 us; 0 sleeps at once
    /// (SCH-47). Where searches are in vain they become shorter.
    pub search: Duration,
    /// How long polls may last (SCH-46).
    pub slices: Slices,
    /// Bounds of the preference among lanes (SCH-5 to SCH-9).
    pub limits: Limits,
    /// Threads for blocking work.
    pub pool: PoolConfig,
    /// Where processors are: as on this machine. Says whom a worker robs first (SCH-18) and which
    /// workers share a searcher (SCH-47); threads are not bound.
    pub topology: Option<Topology>,
}

impl Default for WorkersConfig {
    fn default() -> WorkersConfig {
        WorkersConfig {
            workers: thread::available_parallelism().map_or(1, usize::from),
            search: SEARCH,
            slices: Slices::default(),
            limits: Limits::default(),
            pool: PoolConfig::default(),
            topology: None,
        }
    }
}

impl WorkersConfig {
    /// The defaults with so many workers.
    pub fn workers(workers: usize) -> WorkersConfig {
        WorkersConfig {
            workers,
            ..WorkersConfig::default()
        }
    }
}

/// The threads of a runtime, as they see each other.
struct Crew {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>, rank::SchedThreads>,
    /// Workers that have not ended.
    live: AtomicUsize,
    panics: AtomicU64,
}

/// A runtime on several threads.
pub struct Workers {
    kernel: Arc<Kernel>,
    crew: Arc<Crew>,
}

impl Workers {
    /// A runtime with an open root. Its threads run from here on.
    ///
    /// # Errors
    /// Threads or descriptors that the system refuses; `InvalidInput` for no worker, more than
    /// 1024, or limits that [`Limits::checked`] refuses (SCH-10).
    pub fn new(workers: WorkersConfig, config: Config) -> io::Result<Workers> {
        if !(1..=1024).contains(&workers.workers) {
            let what = "a runtime has from 1 to 1024 workers";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let refused = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let limits = workers.limits.checked().map_err(refused)?;
        let slices = workers.slices.checked().map_err(refused)?;
        let pool = workers.pool.checked().map_err(refused)?;
        let slots = (0..workers.workers).map(|_| Ok(Slot::new(Box::new(EventFd::new()?))));
        let slots = slots.collect::<io::Result<Box<[Slot]>>>()?;
        let pool = Pool::new(pool);
        let topology = workers.topology.as_ref();
        let topology = topology.unwrap_or_else(|| Topology::here());
        let placement = Placement::new(topology, workers.workers);
        let shared = Shared::new(slots, placement, workers.search, limits, pool);
        let shared = Arc::new(shared);
        let kernel = Kernel::new(Box::new(shared.clone()), config);
        shared.serves(&kernel);
        let crew = Arc::new(Crew {
            shared,
            threads: Mutex::new(Vec::with_capacity(workers.workers)),
            live: AtomicUsize::new(0),
            panics: AtomicU64::new(0),
        });
        let this = Workers { kernel, crew };
        for index in 0..workers.workers {
            // If one is refused, `this` is dropped and ends the others.
            start(&this.crew, &this.kernel, index)?;
        }
        tick(&this.crew, &this.kernel, slices)?;
        Ok(this)
    }

    /// The kernel: ask it, trace it, shut it down.
    pub fn kernel(&self) -> &Arc<Kernel> {
        &self.kernel
    }

    /// The pool for blocking work.
    pub fn pool(&self) -> &Pool {
        &self.crew.shared.pool
    }

    /// Counters of each worker.
    pub fn stats(&self) -> impl ExactSizeIterator<Item = &WorkerStats> {
        self.crew.shared.slots.iter().map(|slot| &slot.stats)
    }

    /// Workers that panicked outside a poll and were replaced.
    pub fn panics(&self) -> u64 {
        self.crew.panics.load(Relaxed)
    }

    /// Times that the ticker looked at the workers; it does so while one is awake (SCH-46).
    pub fn ticks(&self) -> u64 {
        self.crew.shared.ticker.ticks.get()
    }

    /// Suggests to get cancelled work out of the way, or no more: twice as much of it is run in a
    /// row while other work waits (SCH-6).
    pub fn suggest_drain(&self, drain: bool) {
        self.crew.shared.drain.store(drain, Relaxed);
    }

    /// How many workers sleep now, and how many search.
    pub fn idle(&self) -> (usize, usize) {
        let idle = &self.crew.shared.idle;
        (idle.sleeping(), idle.searching())
    }

    /// Runs `main` as a task of the root, then closes the root, and returns when nothing runs any
    /// more. The calling thread waits; tasks run on the workers. `Err` of kind `SHUTDOWN` if the
    /// runtime has ended before, of kind `CAP_DENIED` in a simulated world (LAB-8), and of kind
    /// `CYCLE` in a task of this runtime.
    ///
    /// After a shutdown whose grace has ended it returns as well, with `Err` of kind `TIMED_OUT`
    /// that names each task that is left; [`Kernel::stuck`] has them (CAN-26). What they hold is
    /// not given back: it is theirs.
    pub fn run<T, F, Fut>(&self, main: F) -> Outcome<T, Error>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        let real = crate::simulation::real("a runtime on threads");
        if let Err(denied) = real.and_then(|()| Worker::elsewhere(&self.crew.shared)) {
            return Outcome::Err(denied);
        }
        let root = self.kernel.root();
        let handle = match root.spawn(main) {
            Ok(handle) => handle,
            Err(refused) => return Outcome::Err(refused.into()),
        };
        let waker = Waker::from(Arc::new(TellMain(self.crew.shared.clone())));
        if !self.wait(|| handle.wait(&waker)) {
            return Outcome::Err(self.kernel.incomplete());
        }
        root.begin_close();
        if !self.wait(|| self.kernel.is_closed()) {
            return Outcome::Err(self.kernel.incomplete());
        }
        self.join();
        match handle.try_join() {
            Ok(outcome) => outcome,
            Err(_) => unreachable!("it was finished"),
        }
    }

    /// Sleeps until `done`, or until the grace of a shutdown has ended: then false.
    fn wait(&self, done: impl Fn() -> bool) -> bool {
        let shared = &self.crew.shared;
        loop {
            let before = *shared.control.lock();
            // Asked without the lock: it may drop a waker, and with it anything.
            if done() {
                return true;
            }
            if !shared.wait(&self.kernel, before) {
                return false;
            }
        }
    }

    /// Waits for the end of all threads, but for the one that asks.
    fn join(&self) {
        let me = thread::current().id();
        // A worker that is replaced adds a thread, so there may be more.
        loop {
            let threads = std::mem::take(&mut *self.crew.threads.lock());
            let mut others = threads.into_iter().filter(|it| it.thread().id() != me);
            let Some(first) = others.next() else { return };
            for thread in std::iter::once(first).chain(others) {
                // A panic was contained, or reported by its hook.
                let _ = thread.join();
            }
        }
    }
}

/// Starts the thread of a worker.
fn start(crew: &Arc<Crew>, kernel: &Arc<Kernel>, index: usize) -> io::Result<()> {
    let (of, kernel) = (crew.clone(), kernel.clone());
    // Held over the start, so that whoever joins finds the thread.
    let mut threads = crew.threads.lock();
    let run = move || work(&of, kernel, index);
    let thread = thread::Builder::new().name(format!("asr-worker-{index}"));
    crew.live.fetch_add(1, Relaxed);
    match thread.spawn(run) {
        Ok(thread) => {
            threads.push(thread);
            Ok(())
        }
        Err(refused) => {
            crew.live.fetch_sub(1, Relaxed);
            Err(refused)
        }
    }
}

/// Starts the ticker.
fn tick(crew: &Crew, kernel: &Arc<Kernel>, slices: Slices) -> io::Result<()> {
    let (shared, kernel) = (crew.shared.clone(), Arc::downgrade(kernel));
    let thread = thread::Builder::new().name("asr-ticker".into());
    let thread = thread.spawn(move || Ticker::run(&shared, &kernel, slices))?;
    crew.threads.lock().push(thread);
    Ok(())
}

/// The life of a thread.
fn work(crew: &Arc<Crew>, kernel: Arc<Kernel>, index: usize) {
    park::wake_in_time();
    loop {
        let Some(worker) = Worker::new(crew.shared.clone(), kernel.clone(), index) else {
            break;
        };
        let run = catch_unwind(AssertUnwindSafe(|| {
            worker.slot().thread.set(Some(&adopt().flag));
            worker.run(|| false);
        }));
        if run.is_ok() {
            break;
        }
        crew.panics.fetch_add(1, Relaxed);
        worker.abdicate();
        drop(worker);
        if start(crew, &kernel, index).is_ok() {
            break;
        }
        // No thread to be had: this one goes on.
    }
    // AcqRel: the last one sees what the others left.
    if crew.live.fetch_sub(1, AcqRel) == 1 {
        crew.shared.give_up(&kernel);
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.crew.shared.stop();
        // A task that outlived its shutdown holds its thread for as long as it likes.
        let now = self.crew.shared.time();
        if self.kernel.grace_is_over(now) && !self.kernel.is_closed() {
            return;
        }
        self.join();
    }
}

impl std::fmt::Debug for Workers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workers")
            .field("workers", &self.crew.shared.slots.len())
            .finish_non_exhaustive()
    }
}
