//! The kernel: the slabs, the configuration, and what drivers call.
//!
//! Lifetime: a kernel lives as long as somebody holds it, or one record of a task or region beside
//! the root is owned. Each of those counts a reference to the region around it, up to the root,
//! whose first reference counts one to the kernel and whose last gives that back (`RegionRef`); so
//! a waker or a handle that outlives the runtime leads to memory that is there.
#![allow(unsafe_code, reason = "counts references to itself for its records")]

mod abandon;
mod capacity;
mod config;
mod inspect;
mod occupied;
mod queue;
mod records;
mod shutdown;
mod stats;
pub(crate) mod timers;
mod tree;

use std::any::Any;
use std::fmt;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

use asr_base::{Budget, Error, RegionId, Status, TaskId, Time};
use asr_trace::{Gate, Sink};

pub use config::Config;
pub use inspect::{RegionState, TaskState, TimerState};
pub use occupied::Occupied;
pub use shutdown::Stuck;
pub(crate) use stats::Counter;
pub use stats::Stats;
use timers::Timers;

use crate::blocking::Job;
use crate::cancel::Cleanups;
use crate::compiled;
use crate::cx::Caps;
use crate::deadline::Watch;
use crate::driver::{Driver, Runnable};
use crate::futurelock::Futurelocks;
use crate::inject::{Injection, Point};
use crate::obligation::Registry;
use crate::region::{self, Region, RegionHandle, RegionRef};
use crate::slab::Slab;
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering::*};
use crate::task::side::Side;
use crate::task::{self, Task, TaskRef};

/// See the module.
pub struct Kernel {
    tasks: Slab<Task>,
    regions: Slab<Region>,
    sides: Slab<Side>,
    driver: Box<dyn Driver>,
    interprets: Caps,
    config: Config,
    trace: Gate,
    timers: Timers,
    cleanups: Cleanups,
    obligations: Registry,
    watch: Option<Watch>,
    futurelocks: Option<Futurelocks>,
    stats: Stats,
    root: AtomicPtr<Region>,
    shutdown: AtomicBool,
    /// When the grace of the shutdown ends, in nanoseconds; `u64::MAX` before there is one.
    grace_ends: AtomicU64,
    closed: AtomicBool,
    /// The last number that was given to something without a name (`number`).
    numbered: AtomicU64,
    /// A queue was too long, and since then not all were short (`capacity`).
    queues_long: AtomicBool,
    attached: OnceLock<Box<dyn Any + Send + Sync>>,
    /// The handle of a task was given to compiled code.
    pub(crate) lends: AtomicBool,
    /// Isolates that were given a worker.
    isolates: AtomicU32,
}

impl Kernel {
    /// A kernel with an open root region.
    pub fn new(driver: Box<dyn Driver>, config: Config) -> Arc<Kernel> {
        let kernel = Arc::new(Kernel {
            tasks: Slab::new(driver.threads()),
            regions: Slab::new(driver.threads()),
            sides: Slab::new(driver.threads()),
            interprets: driver.interprets(),
            driver,
            obligations: Registry::new(),
            watch: config.monitor.clone().map(Watch::new),
            futurelocks: config.futurelock.clone().map(Futurelocks::new),
            trace: Gate::new(),
            timers: Timers::new(config.tick),
            cleanups: Cleanups::new(),
            stats: Stats::default(),
            root: AtomicPtr::new(std::ptr::null_mut()),
            shutdown: AtomicBool::new(false),
            grace_ends: AtomicU64::new(u64::MAX),
            closed: AtomicBool::new(false),
            numbered: AtomicU64::new(0),
            queues_long: AtomicBool::new(false),
            attached: OnceLock::new(),
            lends: AtomicBool::new(false),
            isolates: AtomicU32::new(0),
            config,
        });
        let root = region::open::root(&kernel);
        // Release: who loads the root sees its record.
        // The root's record stays as long as the kernel, and does not keep it: a kernel that is
        // dropped with an open root has no task left. References to it do (`RegionRef`).
        kernel.root.store(root.as_ptr(), Release);
        kernel
    }

    /// Where events go. Off until a sink is set.
    #[inline]
    pub fn trace(&self) -> &Gate {
        &self.trace
    }

    /// Sends events to `sink` from here on. A fresh kernel's trace begins with the opening of the
    /// root, so that it is whole.
    pub fn trace_to(&self, sink: Arc<dyn Sink>) {
        self.trace.set(sink);
        crate::event::region_opened(self.root().region());
    }

    /// The configuration.
    #[inline]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Counters.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// The obligations.
    pub fn obligations(&self) -> &Registry {
        &self.obligations
    }

    /// The driver's time.
    #[inline]
    pub fn now(&self) -> Time {
        self.driver.now()
    }

    pub(crate) fn interprets(&self) -> Caps {
        self.interprets
    }

    pub(crate) fn injections(&self, task: &TaskRef, point: Point) -> Vec<Injection> {
        self.driver.inject(task, point)
    }

    pub(crate) fn entropy(&self, task: TaskId, call: u64) -> u64 {
        self.driver.entropy(task, call)
    }

    /// The root region: the place of the main task.
    pub fn root(&self) -> RegionHandle {
        let root = self.root.load(Acquire);
        // SAFETY: set in `new`; the root's record stays to the end of the kernel.
        RegionHandle::new(RegionRef::of(unsafe { &*root }))
    }

    /// The number in `slot`, given now if there is none: locks and channels are told apart by it.
    pub fn number(&self, slot: &AtomicU64) -> u64 {
        let given = slot.load(Relaxed);
        if given != 0 {
            return given;
        }
        // Relaxed: a name orders nothing. A number that another thread's overtook is left out.
        let next = self.numbered.fetch_add(1, Relaxed) + 1;
        match slot.compare_exchange(0, next, Relaxed, Relaxed) {
            Ok(_) => next,
            Err(other) => other,
        }
    }

    /// The calling thread runs tasks at this place, counted from 0, until the result is dropped: it
    /// keeps free records for itself, if the driver counts that many threads
    /// ([`Driver::threads`]) and no other thread has the place. What it does is the same.
    pub fn occupy(&self, place: usize) -> Occupied<'_> {
        Occupied::new(self, place)
    }

    /// Runs a task that the driver was given. The task is polled once, or ends.
    pub fn run(&self, task: Runnable) {
        if task.is_clamped() {
            self.stats.priority_clamped.add(1);
        }
        task::poll::run(task.0);
    }

    /// True once the root region is closed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Acquire)
    }

    /// Every task that is not complete, in order of index.
    pub fn tasks(&self) -> Vec<TaskRef> {
        let live = |task: &&Task| task.word.load().phase() != task::Phase::Completed;
        let held = self.tasks.iter().filter(|task| task.word.try_retain());
        // SAFETY: just counted.
        let counted = held.map(|task| unsafe { TaskRef::from_counted(NonNull::from(task)) });
        counted.filter(|task| live(&&**task)).collect()
    }

    /// Every task that a record is kept of, in order of index.
    pub(crate) fn all_tasks(&self) -> impl Iterator<Item = TaskRef> {
        let held = self.tasks.iter().filter(|task| task.word.try_retain());
        // SAFETY: just counted.
        held.map(|task| unsafe { TaskRef::from_counted(NonNull::from(task)) })
    }

    /// Every task with a cancel that has not begun to finalize, in order of index.
    pub(crate) fn cancelled_tasks(&self) -> impl Iterator<Item = TaskRef> {
        let cleans = |task: &&Task| {
            let word = task.word.load();
            word.cancel_pending() && word.phase() < task::Phase::Finalizing
        };
        let found = self.tasks.iter().filter(cleans);
        let held = found.filter(|task| task.word.try_retain());
        // SAFETY: just counted.
        held.map(|task| unsafe { TaskRef::from_counted(NonNull::from(task)) })
    }

    pub(crate) fn cleanups(&self) -> &Cleanups {
        &self.cleanups
    }

    /// Every region that is not closed, in order of index.
    pub fn regions(&self) -> Vec<RegionRef> {
        let held = self.regions.iter().filter(|region| region.try_retain());
        // SAFETY: just counted.
        let counted = held.map(|region| unsafe { RegionRef::from_counted(NonNull::from(region)) });
        counted
            .filter(|region| region.state() != region::State::Closed)
            .collect()
    }

    /// The task of this name.
    ///
    /// # Errors
    /// `STALE_HANDLE` if the id names a former occupant of its slot, or nobody (VAL-28).
    pub fn task(&self, id: TaskId) -> Result<TaskRef, Error> {
        let found = self.tasks.get(id.index()).and_then(Self::counted);
        found.filter(|task| task.id() == id).ok_or_else(|| {
            self.stats.stale_handles.add(1);
            Error::new(Status::STALE_HANDLE, format!("task {id}"))
        })
    }

    /// The task of a mark of this kernel (`Hold::mark`).
    pub(crate) fn marked(&self, mark: usize) -> Option<TaskRef> {
        Self::counted(self.tasks.at(mark)?)
    }

    fn counted(task: &Task) -> Option<TaskRef> {
        // SAFETY: just counted.
        let count = || unsafe { TaskRef::from_counted(NonNull::from(task)) };
        task.word.try_retain().then(count)
    }

    /// The region of this name.
    ///
    /// # Errors
    /// As for [`task`](Kernel::task).
    pub fn region(&self, id: RegionId) -> Result<RegionRef, Error> {
        let found = self.regions.get(id.index());
        if let Some(region) = found.filter(|region| region.try_retain()) {
            // SAFETY: just counted.
            let region = unsafe { RegionRef::from_counted(NonNull::from(region)) };
            if region.id() == id {
                return Ok(region);
            }
        }
        self.stats.stale_handles.add(1);
        Err(Error::new(Status::STALE_HANDLE, format!("region {id}")))
    }

    pub(crate) fn watch(&self) -> Option<&Watch> {
        self.watch.as_ref()
    }

    pub(crate) fn futurelocks(&self) -> Option<&Futurelocks> {
        self.futurelocks.as_ref()
    }

    pub(crate) fn block(&self, job: Job) {
        self.driver.block(job);
    }

    pub(crate) fn work_withdrawn(&self) {
        self.driver.work_withdrawn();
    }

    /// The worker of the next isolate.
    pub(crate) fn next_isolate(&self) -> Option<u16> {
        let workers = u32::try_from(self.driver.threads()).ok()?;
        // Relaxed: any order balances.
        let turn = self.isolates.fetch_add(1, Relaxed);
        u16::try_from(turn.checked_rem(workers)?).ok()
    }

    /// What lives as long as the kernel and belongs to another part of the runtime: set once.
    pub fn attached(&self) -> &OnceLock<Box<dyn Any + Send + Sync>> {
        &self.attached
    }

    pub(crate) fn root_closed(&self) {
        compiled::handles::root_closed(self);
        self.closed.store(true, Release);
        self.shutdown.store(true, Release);
        self.driver.root_closed();
    }

    /// The budget of a request: 30 s, 10 000 polls, priority 100 (VAL-26).
    pub fn request_budget(&self) -> Budget {
        Budget::request(self.now())
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").finish_non_exhaustive()
    }
}
