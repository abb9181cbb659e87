//! The threads that run jobs.
//!
//! Invariants, under the one lock of the pool
//! 1. `live` counts the threads that were started and have not decided to end; `idle` of them wait.
//!    Both change in one step with the decision, so two that retire at once never go below
//!    `min_threads` (SCH-32).
//! 2. A thread is started only for a job that no idle thread will take (SCH-31), and `live` never
//!    exceeds `max_threads`. A start that fails is undone, and when nobody is left to run them the
//!    jobs end with `IO` (SCH-33).
//! 3. A job that was taken back leaves a void entry; when voids are half of the queue it is swept,
//!    so the queue is bounded by twice the work that waits, and a sweep costs O(1) for each.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use asr_base::{Duration, Error, RegionId, Status, TaskId};
use asr_lock::{Condvar, Mutex, rank};

use super::job::Job;

/// Bounds of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolConfig {
    /// Threads that stay once they were started: 1.
    pub min_threads: usize,
    /// The most threads: 512 (SCH-31).
    pub max_threads: usize,
    /// A thread above the minimum ends after so long without work: 10 s (SCH-32).
    pub idle_timeout: Duration,
}

impl Default for PoolConfig {
    fn default() -> PoolConfig {
        PoolConfig {
            min_threads: 1,
            max_threads: 512,
            idle_timeout: Duration::from_secs(10),
        }
    }
}

impl PoolConfig {
    /// The same, if a job can be run with it.
    ///
    /// # Errors
    /// `BAD_ARGUMENT`, naming the value.
    pub fn checked(self) -> Result<PoolConfig, Error> {
        if self.max_threads == 0 || self.min_threads > self.max_threads {
            let what = "pool: `max_threads` must be 1 at least, and no less than `min_threads`";
            return Err(Error::new(Status::BAD_ARGUMENT, what));
        }
        Ok(self)
    }
}

/// Starts threads: the system, or a test that refuses.
pub trait Starter: Send + Sync + 'static {
    /// Runs `run` on a thread of its own.
    ///
    /// # Errors
    /// Those of the system.
    fn start(&self, run: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>>;
}

/// Threads of the system.
#[derive(Clone, Copy, Debug)]
pub struct Threads;

impl Starter for Threads {
    fn start(&self, run: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
        let builder = std::thread::Builder::new().name("asr-blocking".into());
        builder.spawn(run)
    }
}

/// A job that runs now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Running {
    /// The task that asked for it; it may have ended (CAN-26).
    pub task: TaskId,
    /// The region of that task.
    pub region: RegionId,
}

/// What a pool is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Threads.
    pub live: usize,
    /// Of these, how many wait for work.
    pub idle: usize,
    /// Jobs that wait for a thread.
    pub queued: usize,
    /// The most threads there ever were.
    pub peak: usize,
}

/// See the module.
pub struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    config: PoolConfig,
    starter: Box<dyn Starter>,
    state: Mutex<State, rank::Pool>,
    /// A job came, or the pool ends.
    work: Condvar,
    /// A thread ended, or was not started.
    left: Condvar,
}

/// Threads, as the lock of the pool guards them.
#[derive(Debug, Default)]
#[doc(hidden)]
pub struct Counts {
    live: usize,
    idle: usize,
    peak: usize,
}

impl Counts {
    /// A thread is about to be started.
    pub fn start(&mut self) {
        self.live += 1;
        self.peak = self.peak.max(self.live);
    }

    /// The start failed, or the thread ends.
    pub fn end(&mut self) {
        self.live -= 1;
    }

    /// An idle thread that waited long enough asks whether it may end; then it has (SCH-32).
    pub fn retire(&mut self, min_threads: usize) -> bool {
        let may = self.live > min_threads;
        if may {
            self.idle -= 1;
            self.live -= 1;
        }
        may
    }

    /// A thread waits for work, or is about to look for it.
    pub fn rest(&mut self) {
        self.idle += 1;
    }

    /// It found some.
    pub fn work(&mut self) {
        self.idle -= 1;
    }

    /// Threads that have not ended.
    pub fn live(&self) -> usize {
        self.live
    }
}

std::thread_local! {
    /// The pool that this thread serves, by address; 0 for none.
    static SERVES: Cell<usize> = const { Cell::new(0) };
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    /// Entries of the queue that were taken back, about: a sweep counts anew.
    voids: usize,
    counts: Counts,
    ending: bool,
    next: u64,
    running: Vec<(u64, Running)>,
    handles: Vec<(u64, JoinHandle<()>)>,
    /// Threads that decided to end, to be joined.
    ended: Vec<u64>,
}

impl State {
    /// Whether a job waits that no idle thread will take, and a thread may be started for it.
    fn needs_a_thread(&mut self, config: &PoolConfig) -> bool {
        if self.counts.live >= config.max_threads || self.queue.len() <= self.counts.idle {
            return false;
        }
        if self.voids > 0 {
            self.sweep();
        }
        self.queue.len() > self.counts.idle
    }

    fn sweep(&mut self) {
        self.queue.retain(|job| !job.is_void());
        self.voids = 0;
    }

    /// The next job that somebody waits for.
    fn pop(&mut self) -> Option<Job> {
        while let Some(job) = self.queue.pop_front() {
            if !job.is_void() {
                return Some(job);
            }
            self.voids = self.voids.saturating_sub(1);
        }
        None
    }

    /// Takes the handles of ended threads out, to be joined after the lock.
    fn reap(&mut self) -> Vec<JoinHandle<()>> {
        let mut gone = Vec::new();
        for id in std::mem::take(&mut self.ended) {
            match self.handles.iter().position(|handle| handle.0 == id) {
                Some(at) => gone.push(self.handles.swap_remove(at).1),
                // It ended before its starter stored the handle.
                None => self.ended.push(id),
            }
        }
        gone
    }
}

impl Pool {
    /// A pool of threads of the system. None is started before there is work.
    pub fn new(config: PoolConfig) -> Pool {
        Pool::with(config, Threads)
    }

    /// A pool of threads that `starter` starts.
    pub fn with(config: PoolConfig, starter: impl Starter) -> Pool {
        Pool {
            shared: Arc::new(Shared {
                config,
                starter: Box::new(starter),
                state: Mutex::new(State::default()),
                work: Condvar::new(),
                left: Condvar::new(),
            }),
        }
    }

    /// Queues a job. It ends with `IO` if no thread can be started and there is none.
    pub fn submit(&self, job: Job) {
        let shared = &self.shared;
        let mut state = shared.state.lock();
        state.queue.push_back(job);
        if !state.needs_a_thread(&shared.config) {
            drop(state);
            shared.work.notify_one();
            return;
        }
        state.counts.start();
        let id = state.next;
        state.next += 1;
        let gone = state.reap();
        drop(state);
        join(gone);
        let served = shared.clone();
        match shared.starter.start(Box::new(move || served.serve(id))) {
            Ok(handle) => shared.state.lock().handles.push((id, handle)),
            Err(error) => shared.start_failed(&error),
        }
    }

    /// Queued work was taken back by its waiter.
    pub fn withdrawn(&self) {
        let mut state = self.shared.state.lock();
        state.voids += 1;
        if state.voids * 2 > state.queue.len() {
            state.sweep();
        }
    }

    /// The jobs that run now.
    pub fn running(&self) -> Vec<Running> {
        let state = self.shared.state.lock();
        state.running.iter().map(|entry| entry.1).collect()
    }

    /// What it is doing.
    pub fn stats(&self) -> PoolStats {
        let state = self.shared.state.lock();
        PoolStats {
            live: state.counts.live,
            idle: state.counts.idle,
            queued: state.queue.iter().filter(|job| !job.is_void()).count(),
            peak: state.counts.peak,
        }
    }
}

impl Drop for Pool {
    /// Refuses what is queued with `SHUTDOWN`, and waits for the threads that do not run a job. One
    /// that does ends with its job.
    fn drop(&mut self) {
        let mut state = self.shared.state.lock();
        state.ending = true;
        let queued = std::mem::take(&mut state.queue);
        drop(state);
        for job in queued {
            job.refuse(Error::new(Status::SHUTDOWN, "the runtime has ended"));
        }
        self.shared.work.notify_all();
        // The last reference to a runtime may go on a thread of its pool, which cannot wait for
        // itself.
        let own = usize::from(SERVES.get() == Arc::as_ptr(&self.shared).addr());
        let mut state = self.shared.state.lock();
        while state.counts.live > state.running.len() + own {
            self.shared.left.wait(&mut state);
        }
        let gone = state.reap();
        drop(state);
        join(gone);
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.stats()).finish()
    }
}

impl Shared {
    fn start_failed(&self, error: &io::Error) {
        let mut state = self.state.lock();
        state.counts.end();
        // Who is alive takes the job in its turn.
        let stranded = match state.counts.live {
            0 => std::mem::take(&mut state.queue),
            _ => VecDeque::new(),
        };
        drop(state);
        self.left.notify_all();
        for job in stranded {
            let what = format!("no thread for blocking work could be started: {error}");
            job.refuse(Error::new(Status::IO, what));
        }
    }

    /// The life of a thread.
    fn serve(&self, id: u64) {
        SERVES.set(std::ptr::from_ref(self).addr());
        let mut state = self.state.lock();
        state.counts.rest();
        loop {
            if let Some(job) = state.pop() {
                state.counts.work();
                let (task, region) = (job.task(), job.region());
                state.running.push((id, Running { task, region }));
                drop(state);
                job.run_then(|| self.free(id));
                state = self.state.lock();
                continue;
            }
            if state.ending {
                break;
            }
            if state.counts.live <= self.config.min_threads {
                self.work.wait(&mut state);
                continue;
            }
            let timed_out = self.work.wait_for(&mut state, self.config.idle_timeout);
            let idle = timed_out && state.queue.is_empty() && !state.ending;
            if idle && state.counts.retire(self.config.min_threads) {
                state.ended.push(id);
                return;
            }
        }
        state.counts.work();
        state.counts.end();
        state.ended.push(id);
        drop(state);
        self.left.notify_all();
    }

    /// The work has ended, its waiter does not know yet.
    fn free(&self, id: u64) {
        let mut state = self.state.lock();
        state.running.retain(|entry| entry.0 != id);
        state.counts.rest();
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        // Jobs are contained, so a thread does not panic; if the system killed it, it is gone too.
        let _ = thread.join();
    }
}
