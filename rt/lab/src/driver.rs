//! The kernel's driver in the lab: virtual time, and the pool of runnable tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use asr_base::{TaskId, Time, task_entropy};
use asr_kernel::inject::{Injection, Point};
use asr_kernel::sched::{Governing, Lanes, Limits};
use asr_kernel::task::TaskRef;
use asr_kernel::{Driver, Kernel, Runnable};
use asr_lock::{Mutex, MutexGuard, rank};

use crate::chaos::Trouble;
use crate::config::LabConfig;

/// What the kernel's side and the run share. One thread uses it at a time, but wakers may be moved
/// to other threads by a test, so it is locked.
pub(crate) struct Shared {
    now: AtomicU64,
    seed: u64,
    pool: Mutex<Pool, rank::LabPool>,
    closed: AtomicBool,
    trouble: Mutex<Trouble, rank::LabTrouble>,
}

/// Runnable tasks, oldest first, or in the production lanes.
#[derive(Debug)]
enum Pool {
    Open(Vec<Runnable>),
    Lanes(Lanes),
}

impl Shared {
    pub(crate) fn new(config: &LabConfig, lanes: bool) -> Arc<Shared> {
        let pool = if lanes {
            Pool::Lanes(Lanes::new(Limits::default()))
        } else {
            Pool::Open(Vec::new())
        };
        Arc::new(Shared {
            now: AtomicU64::new(0),
            seed: config.seed,
            trouble: Mutex::new(Trouble::new(config)),
            pool: Mutex::new(pool),
            closed: AtomicBool::new(false),
        })
    }

    pub(crate) fn time(&self) -> Time {
        Time::from_nanos(self.now.load(Relaxed))
    }

    pub(crate) fn set_time(&self, now: Time) {
        self.now.store(now.as_nanos(), Relaxed);
    }

    /// Alternatives for the next step: each runnable task, or one when the lanes decide.
    pub(crate) fn alternatives(&self) -> usize {
        match &*self.pool.lock() {
            Pool::Open(tasks) => tasks.len(),
            Pool::Lanes(lanes) => usize::from(!lanes.is_empty()),
        }
    }

    /// How many tasks are runnable.
    pub(crate) fn runnable_len(&self) -> usize {
        match &*self.pool.lock() {
            Pool::Open(tasks) => tasks.len(),
            Pool::Lanes(lanes) => lanes.len(),
        }
    }

    /// The runnable tasks, in the order in which places count.
    pub(crate) fn runnable(&self) -> Vec<TaskId> {
        match &*self.pool.lock() {
            Pool::Open(tasks) => tasks.iter().map(Runnable::id).collect(),
            Pool::Lanes(lanes) => lanes.ids().collect(),
        }
    }

    /// Takes the task at a place out.
    pub(crate) fn take(&self, place: usize) -> Option<Runnable> {
        match &mut *self.pool.lock() {
            // The order of the others stays, so that places mean the same in every run.
            Pool::Open(tasks) if place < tasks.len() => Some(tasks.remove(place)),
            Pool::Open(_) => None,
            Pool::Lanes(lanes) => lanes.pop(),
        }
    }

    /// Counts a step of the lanes, and asks the governor when it is time. Schedules that are not
    /// the lanes take no advice.
    pub(crate) fn govern(&self, kernel: &Kernel, governing: &mut Governing) {
        let (waiting, choice) = match &*self.pool.lock() {
            Pool::Lanes(lanes) if governing.ran_one() => (lanes.lengths(), lanes.choice().clone()),
            _ => return,
        };
        let advice = governing.ask(kernel, waiting, &choice);
        if let Pool::Lanes(lanes) = &mut *self.pool.lock() {
            lanes.advise(advice);
        }
    }

    /// The chaos of the run.
    pub(crate) fn trouble(&self) -> MutexGuard<'_, Trouble, rank::LabTrouble> {
        self.trouble.lock()
    }

    /// Drops the tasks in the pool.
    pub(crate) fn clear(&self) {
        let empty = match &*self.pool.lock() {
            Pool::Open(_) => Pool::Open(Vec::new()),
            Pool::Lanes(_) => Pool::Lanes(Lanes::new(Limits::default())),
        };
        // Dropped after the lock: the last reference to a task drops what it holds.
        let _dropped = std::mem::replace(&mut *self.pool.lock(), empty);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }
}

/// The seam, as the kernel holds it.
pub(crate) struct Seam(pub(crate) Arc<Shared>);

impl Driver for Seam {
    fn now(&self) -> Time {
        self.0.time()
    }

    fn enqueue(&self, task: Runnable) {
        match &mut *self.0.pool.lock() {
            Pool::Open(tasks) => tasks.push(task),
            Pool::Lanes(lanes) => lanes.push(task),
        }
    }

    fn promote(&self, task: TaskId) {
        if let Pool::Lanes(lanes) = &mut *self.0.pool.lock() {
            lanes.promote(task);
        }
    }

    fn entropy(&self, task: TaskId, call: u64) -> u64 {
        task_entropy(self.0.seed, task, call)
    }

    fn inject(&self, task: &TaskRef, point: Point) -> Vec<Injection> {
        self.0.trouble().at(task, point)
    }

    fn timer_armed(&self, _: Time) {}

    fn root_closed(&self) {
        self.0.closed.store(true, Relaxed);
    }
}
