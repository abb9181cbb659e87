//! What the workers of a runtime share: queues, sleepers, the duty of timers; and the driver
//! over them.
//!
//! Who pushes wakes:
//! - A worker that queues for itself is awake and runs it. It wakes another only if more waits than
//!   the one task that it runs next, and then without a fence: at worst a sleeper that announces
//!   itself at this moment finds the work in its second look, or the ticker wakes it.
//! - All others push, then ask for sleepers with the fence of SCH-21.

use std::sync::Arc;
use std::sync::{OnceLock, Weak};
use std::task::Wake;

use asr_base::{Duration, TaskId, Time};
use asr_lock::{Condvar, Mutex, rank};

use super::choice::Limits;
use super::clock::Clock;
use super::duty::Duty;
use super::idle::{Idle, Left};
use super::injector::Injector;
use super::slot::Slot;
use super::ticker::Ticker;
use super::worker::Worker;
use crate::blocking::{Job, Pool};
use crate::driver::{Driver, Lane, Runnable};
use crate::kernel::Kernel;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*, fence};
use crate::topology::Placement;

/// See the module.
pub(super) struct Shared {
    pub(super) slots: Box<[Slot]>,
    pub(super) placement: Placement,
    #[cfg(debug_assertions)]
    inside: Box<[AtomicUsize]>,
    pub(super) injector: Injector<Runnable>,
    pub(super) idle: Idle,
    /// How long a worker searches before it sleeps.
    pub(super) search: Duration,
    pub(super) limits: Limits,
    /// The worker is the thread that waits in `run` as well: it keeps the grace of a shutdown in
    /// view.
    alone: bool,
    pub(super) ticker: Ticker,
    /// Workers leave their loops.
    pub(super) stop: AtomicBool,
    /// All workers have ended.
    gone: AtomicBool,
    /// A drain is suggested (SCH-6).
    pub(super) drain: AtomicBool,
    pub(super) duty: Duty,
    /// Takes its turn with urgent work from outside.
    next_slot: AtomicUsize,
    /// Counts what changed for who waits in `run`: main ended, the root is closed, a grace
    /// began.
    pub(super) control: Mutex<u64, rank::SchedControl>,
    pub(super) changed: Condvar,
    pub(super) kernel: OnceLock<Weak<Kernel>>,
    clock: Clock,
    pub(super) pool: Pool,
}

impl Shared {
    pub(super) fn new(
        slots: Box<[Slot]>,
        placement: Placement,
        search: Duration,
        limits: Limits,
        pool: Pool,
    ) -> Shared {
        let workers = 0..slots.len();
        let nodes: Vec<usize> = workers.map(|it| placement.node(it) as usize).collect();
        Shared {
            slots,
            #[cfg(debug_assertions)]
            inside: nodes.iter().map(|_| AtomicUsize::new(0)).collect(),
            placement,
            injector: Injector::new(),
            idle: Idle::new(&nodes),
            search,
            limits,
            alone: false,
            ticker: Ticker::default(),
            stop: AtomicBool::new(false),
            gone: AtomicBool::new(false),
            drain: AtomicBool::new(false),
            duty: Duty::default(),
            next_slot: AtomicUsize::new(0),
            control: Mutex::new(0),
            changed: Condvar::new(),
            kernel: OnceLock::new(),
            clock: Clock::new(),
            pool,
        }
    }

    /// For one worker, which is the thread that waits in `run` too.
    pub(super) fn alone(self) -> Shared {
        Shared {
            alone: true,
            ..self
        }
    }

    /// The kernel is made: over this.
    pub(super) fn serves(&self, kernel: &Arc<Kernel>) {
        let set = self.kernel.set(Arc::downgrade(kernel));
        assert!(set.is_ok(), "set once");
    }

    pub(super) fn time(&self) -> Time {
        self.clock.now()
    }

    /// What a worker that sleeps has to wake up for by itself.
    pub(super) fn next_turn(&self, kernel: &Kernel) -> Option<Time> {
        let turn = kernel.next_turn();
        let grace = if self.alone {
            kernel.grace_ends()
        } else {
            None
        };
        turn.into_iter().chain(grace).min()
    }

    /// Waits in `run` until `control` is not `before` any more. False once the grace of a shutdown
    /// has ended.
    pub(super) fn wait(&self, kernel: &Kernel, before: u64) -> bool {
        let mut control = self.control.lock();
        if *control != before {
            return true;
        }
        match kernel.grace_ends() {
            None => self.changed.wait(&mut control),
            Some(ends) => {
                let left = ends.since(self.time());
                if left == Duration::ZERO {
                    return false;
                }
                self.changed.wait_for(&mut control, left);
            }
        }
        true
    }

    /// Who waits in `run` looks again.
    pub(super) fn tell_main(&self) {
        *self.control.lock() += 1;
        self.changed.notify_all();
    }

    /// Everybody leaves.
    pub(super) fn stop(&self) {
        self.stop.store(true, SeqCst);
        self.ticker.wake();
        for (worker, slot) in self.slots.iter().enumerate() {
            self.idle.call(worker);
            slot.parker.unpark();
        }
    }

    /// After a push from outside of work that anybody may take.
    pub(super) fn wake(&self) {
        if let Some(worker) = self.idle.wake_one(|sleepers| self.choose(sleepers)) {
            self.slots[worker].parker.unpark();
        }
    }

    /// The same without a fence, for a worker that runs what it pushed itself.
    #[inline]
    pub(super) fn wake_helper(&self) {
        if self.idle.may_wake()
            && let Some(worker) = self.idle.wake_one(|sleepers| self.choose(sleepers))
        {
            self.slots[worker].parker.unpark();
        }
    }

    /// The latest sleeper, whose cache is the warmest, but not the one that has the timers.
    fn choose(&self, sleepers: &[usize]) -> usize {
        let free = |worker: &usize| !self.duty.is_held_by(*worker);
        let other = sleepers.iter().rposition(free);
        other.unwrap_or(0)
    }

    /// After a push of work that only `worker` may take (SCH-17).
    fn call(&self, worker: usize) {
        if self.idle.call(worker) {
            self.slots[worker].parker.unpark();
        }
    }

    pub(super) fn push_pinned(&self, task: Runnable, pin: u16) {
        let worker = usize::from(pin) % self.slots.len();
        let slot = &self.slots[worker];
        if let Err(ready) = slot.urgent.push(task) {
            slot.pinned.push(ready);
        }
        self.call(worker);
        self.is_heard();
    }

    /// A queue for urgent work from outside.
    fn any_slot(&self) -> &Slot {
        let next = self.next_slot.fetch_add(1, Relaxed);
        &self.slots[next % self.slots.len()]
    }

    fn push_outside(&self, task: Runnable) {
        match task.lane() {
            Lane::Ready => {
                self.injector.push(task);
            }
            Lane::Cancel | Lane::Timed => {
                if let Err(ready) = self.any_slot().urgent.push(task) {
                    self.injector.push(ready);
                }
            }
        }
        self.wake();
        self.is_heard();
    }

    /// The last worker has ended: nothing runs any more. Drops what is left, and what still comes.
    pub(super) fn give_up(&self, kernel: &Kernel) {
        self.gone.store(true, SeqCst);
        kernel.abandon();
        self.hear_no_more();
    }

    /// Drops what is queued, and what still comes.
    pub(super) fn hear_no_more(&self) {
        // SeqCst, and the fence of who pushes: it pushes, then looks at `gone`; this sets `gone`,
        // then drains. One of the two is later and takes the entry, which otherwise would hold the
        // kernel, and the kernel the queue.
        self.gone.store(true, SeqCst);
        self.drain();
    }

    /// After a push from outside: nobody will pop it if all workers have ended.
    fn is_heard(&self) {
        fence(SeqCst);
        if self.gone.load(Relaxed) {
            self.drain();
        }
    }

    fn drain(&self) {
        for slot in &self.slots {
            while slot.urgent.pop_cancel().is_some() || slot.urgent.pop_timed().is_some() {}
            while slot.pinned.pop().is_some() {}
            if let Some(ready) = slot.ring.own() {
                while ready.pop_newest().is_some() || ready.pop().is_some() {}
            }
        }
        while self.injector.pop().is_some() {}
    }

    /// Counts who searches on the node of a worker, as long as the result lives: one (SCH-47).
    #[cfg(debug_assertions)]
    pub(super) fn inside(&self, worker: usize) -> impl Drop {
        struct Inside<'s>(&'s AtomicUsize);
        impl Drop for Inside<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, AcqRel);
            }
        }
        let inside = &self.inside[self.placement.node(worker) as usize];
        // AcqRel: in the order of the bits of `idle`, which change between two of these.
        let others = inside.fetch_add(1, AcqRel);
        let guard = Inside(inside);
        assert_eq!(others, 0, "two workers of a node search");
        guard
    }

    /// Timers are due, and nobody who sleeps sees to it: whoever is awake has not come to them.
    pub(super) fn timers_wait(&self, kernel: &Kernel) -> bool {
        let due = kernel.turn_hint().filter(|at| *at <= self.time());
        due.is_some_and(|at| !self.duty.covers(at))
    }

    /// A worker that panicked may have been asleep.
    pub(super) fn forget(&self, worker: usize) {
        if self.idle.leave(worker) == Left::Searching {
            self.idle.found(worker);
        }
        self.duty.give_back(worker);
    }
}

/// Wakes the thread that waits in `run`.
pub(super) struct TellMain(pub(super) Arc<Shared>);

impl Wake for TellMain {
    fn wake(self: Arc<Self>) {
        self.0.tell_main();
    }
}

impl Driver for Arc<Shared> {
    fn threads(&self) -> usize {
        self.slots.len()
    }

    fn now(&self) -> Time {
        self.time()
    }

    #[inline]
    fn enqueue(&self, task: Runnable) {
        if let Some(pin) = task.pin() {
            self.push_pinned(task, pin);
            return;
        }
        Worker::with_current(self, |worker| match worker {
            Some(worker) => worker.push(task),
            None => self.push_outside(task),
        });
    }

    fn enqueue_all(&self, tasks: &mut Vec<Runnable>) {
        let simple = |task: &Runnable| task.pin().is_none() && task.lane() == Lane::Cancel;
        if !tasks.iter().all(simple) {
            tasks.drain(..).for_each(|task| self.enqueue(task));
            return;
        }
        Worker::with_current(self, |worker| match worker {
            Some(worker) => worker.push_cancelled(tasks),
            None => {
                self.any_slot().urgent.push_cancelled(tasks);
                self.wake();
                self.is_heard();
            }
        });
    }

    fn promote(&self, task: TaskId) {
        let kernel = self.kernel.get().and_then(Weak::upgrade);
        if let Some(Ok(task)) = kernel.map(|kernel| kernel.task(task)) {
            let task = Runnable(task);
            self.enqueue(task);
        }
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

    fn timer_armed(&self, deadline: Time) {
        // A worker that arms a timer looks at the timers itself (`duty`).
        if Worker::with_current(self, |worker| worker.is_some()) {
            return;
        }
        if let Some(sleeper) = self.duty.sleeps_past(deadline) {
            self.call(sleeper);
        }
    }

    fn grace_began(&self, _: Time) {
        self.tell_main();
        if self.alone {
            self.call(0);
        }
    }

    fn root_closed(&self) {
        self.stop();
        self.tell_main();
    }
}
