//! One worker: takes tasks from its queues and runs them.
//!
//! A dispatch without contention reads hints of its own queues and of the injector, and writes
//! counters that nobody else writes. The clock is read every few dispatches, and only while a timer
//! is armed.
//!
//! A worker is found again by its thread (`CURRENT`) from inside the polls that it runs, so its
//! methods take `&self` and never hold a borrow across a call of the kernel.
#![allow(unsafe_code, reason = "finds the worker of this thread again")]

use std::cell::{Cell, RefCell};
use std::ptr;
use std::sync::Arc;

use asr_base::{Error, Status};

use super::choice::{Choice, Source, Waiting};
use super::governor::{Advice, Drain, Governing, Lengths};
use super::patience::Patience;
use super::ring::Owner;
use super::shared::Shared;
use super::slot::Slot;
use crate::driver::{Lane, Runnable};
use crate::kernel::Kernel;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::Task;

/// Dispatches between two looks at timers and the counters of the choice.
const ROUND: u32 = 16;

thread_local! {
    static CURRENT: Cell<*const Worker> = const { Cell::new(ptr::null()) };
}

pub(super) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) kernel: Arc<Kernel>,
    pub(super) index: usize,
    pub(super) ready: Owner<Runnable>,
    choice: RefCell<Choice>,
    governing: RefCell<Option<Governing>>,
    /// Dispatches left until timers are looked at.
    round: Cell<u32>,
    /// It is the searcher of its node.
    pub(super) searching: Cell<bool>,
    /// Where its next theft begins.
    pub(super) turn: Cell<usize>,
    /// How long it searches.
    pub(super) patience: Cell<Patience>,
    /// It was last woken by time, not by another worker.
    pub(super) alone: Cell<bool>,
    /// How many tasks it had run when another worker last woke it.
    pub(super) called: Cell<Option<u64>>,
}

/// Takes the worker out of `CURRENT`, and the thread out of the reach of others, whichever way its
/// loop ends. A runtime of one thread may be run from inside a task of another, whose worker is
/// there again afterwards.
struct Here<'w>(&'w Slot, *const Worker);

impl Drop for Here<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.1);
        self.0.now.ends();
        self.0.thread.set(None);
    }
}

impl Worker {
    /// The worker of this number; `None` while another thread is it.
    pub(super) fn new(shared: Arc<Shared>, kernel: Arc<Kernel>, index: usize) -> Option<Worker> {
        let ready = shared.slots[index].ring.own()?;
        let choice = Choice::new(shared.limits);
        let left = shared.slots[index].governing.lock().take();
        let governing = left.or_else(|| Governing::start(&kernel, index));
        let patience = Patience::new(shared.search);
        let worker = Worker {
            patience: Cell::new(patience),
            shared,
            kernel,
            index,
            ready,
            choice: RefCell::new(choice),
            governing: RefCell::new(governing),
            round: Cell::new(ROUND),
            searching: Cell::new(false),
            turn: Cell::new(index),
            alone: Cell::new(false),
            called: Cell::new(None),
        };
        // What was advised to the thread before.
        worker.slot().urgent.advise(Advice::default());
        worker.govern();
        Some(worker)
    }

    /// Refuses to wait here for the end of the runtime: this thread runs a task of it.
    pub(super) fn elsewhere(shared: &Arc<Shared>) -> Result<(), Error> {
        Worker::with_current(shared, |inside| match inside {
            None => Ok(()),
            Some(_) => {
                let what = "`run` of a runtime, in a task of it: it would wait for itself; spawn";
                Err(Error::new(Status::CYCLE, what))
            }
        })
    }

    /// The worker of this thread, if it is one of `shared`.
    #[inline]
    pub(super) fn with_current<R>(
        shared: &Arc<Shared>,
        then: impl FnOnce(Option<&Worker>) -> R,
    ) -> R {
        // SAFETY: set by `run` of a worker on this thread, which does not return before it is taken
        // out; the reference does not outlive this call.
        let worker = unsafe { CURRENT.get().as_ref() };
        then(worker.filter(|worker| Arc::ptr_eq(&worker.shared, shared)))
    }

    /// The thread ends in the middle of something: it is neither a sleeper nor a searcher any more,
    /// and has no duty.
    pub(super) fn abdicate(&self) {
        self.shared.forget(self.index);
        if self.searching.replace(false) {
            self.shared.idle.found(self.index);
        }
        self.shared.wake();
    }

    pub(super) fn slot(&self) -> &Slot {
        &self.shared.slots[self.index]
    }

    /// Runs tasks until the runtime stops, or until `done`, which is asked before each.
    pub(super) fn run(&self, done: impl Fn() -> bool) {
        let _here = Here(self.slot(), CURRENT.replace(self));
        let _place = self.kernel.occupy(self.index);
        while !self.shared.stop.load(Relaxed) && !done() {
            // Before a task is taken: should a timer panic, none is lost.
            if self.round.get() == 0 {
                self.round();
            }
            match self.next() {
                Some((lane, task)) => {
                    if self.searching.get() {
                        // It was woken to search, and found work in its own queues.
                        self.found();
                    }
                    self.dispatch(lane, task);
                }
                None => self.idle(),
            }
        }
    }

    #[inline]
    pub(super) fn dispatch(&self, lane: Lane, task: Runnable) {
        self.round.set(self.round.get().saturating_sub(1));
        let slot = self.slot();
        slot.stats.dispatched(lane);
        slot.now.begins(&task.0);
        self.kernel.run(task);
        slot.now.ends();
    }

    /// What is done every few dispatches.
    fn round(&self) {
        self.round.set(ROUND);
        self.fire();
        let shared = &self.shared;
        let outside = shared.injector.len();
        self.kernel
            .queue_holds(self.index as u64, self.slot().queued());
        self.kernel.queue_holds(shared.slots.len() as u64, outside);
        self.kernel.queues_hold(|| {
            let own = shared.slots.iter().map(Slot::queued);
            own.chain([outside]).max().unwrap_or(0)
        });
        let advised = self.govern();
        let mut choice = self.choice.borrow_mut();
        // Relaxed: a suggestion, which each worker takes up within a round.
        choice.set_drain(shared.drain.load(Relaxed) || advised);
        let stats = &self.slot().stats;
        stats.fairness_yields.set(choice.fairness_yields());
        stats
            .max_cancel_streak
            .set(choice.max_cancel_streak().into());
    }

    /// Asks the governor, if there is one and it is time, and sees that the next round is not later
    /// than the next time. True if it suggests a drain.
    fn govern(&self) -> bool {
        let mut governing = self.governing.borrow_mut();
        let Some(governing) = &mut *governing else {
            return false;
        };
        let slot = self.slot();
        if governing.ran_to(slot.stats.dispatches()) {
            let waiting = Lengths {
                cancel: slot.urgent.cancel_len(),
                timed: slot.urgent.timed_len(),
                ready: slot.ring.len() + usize::from(slot.ring.has_newest()),
                pinned: slot.pinned.len(),
                injector: self.shared.injector.len(),
            };
            let choice = self.choice.borrow().clone();
            let advice = governing.ask(&self.kernel, waiting, &choice);
            self.choice.borrow_mut().set_prefer(advice.prefer);
            slot.urgent.advise(advice);
        }
        let left = governing.left().min(u64::from(ROUND));
        self.round.set(left as u32);
        governing.advice().drain != Drain::Off
    }

    /// Fires the timers that are due. True if there were some.
    pub(super) fn fire(&self) -> bool {
        let Some(at) = self.kernel.turn_hint() else {
            return false;
        };
        let now = self.shared.time();
        if at > now {
            return false;
        }
        // What fires runs code of others, as long as it likes: meanwhile somebody else may search.
        if self.searching.replace(false) {
            self.shared.idle.found(self.index);
        }
        self.kernel.advance(now) > 0
    }

    fn waiting(&self) -> Waiting {
        let slot = self.slot();
        Waiting {
            cancel: slot.urgent.cancel_len() > 0,
            timed: slot.urgent.timed_len() > 0,
            newest: slot.ring.has_newest(),
            ring: slot.ring.len(),
            pinned: slot.pinned.len(),
            injector: !self.shared.injector.is_empty(),
        }
    }

    /// The next task of its own queues and the injector.
    #[inline]
    fn next(&self) -> Option<(Lane, Runnable)> {
        let mut choice = self.choice.borrow_mut();
        loop {
            let waiting = self.waiting();
            let own = waiting.ring + waiting.pinned;
            self.kernel.queue_holds(self.index as u64, own);
            let source = choice.choose(&waiting)?;
            let Some(task) = self.take(source) else {
                continue; // A thief was faster.
            };
            if task.is_stale() {
                drop(choice);
                drop(task);
                choice = self.choice.borrow_mut();
                continue;
            }
            choice.dispatched(source, &waiting);
            return Some((source.lane(), task));
        }
    }

    #[inline]
    fn take(&self, source: Source) -> Option<Runnable> {
        let slot = self.slot();
        match source {
            Source::Cancel => slot.urgent.pop_cancel(),
            Source::Timed => slot.urgent.pop_timed(),
            Source::Newest => self.ready.pop_newest(),
            Source::Ring => self.ready.pop(),
            Source::Pinned => slot.pinned.pop(),
            Source::Injector => {
                let workers = self.shared.slots.len();
                self.ready.refill(&self.shared.injector, workers)
            }
        }
    }

    /// A task became runnable in a poll of this worker, or through a timer that it fired.
    #[inline]
    pub(super) fn push(&self, task: Runnable) {
        let slot = self.slot();
        let injector = &self.shared.injector;
        let more = match task.lane() {
            Lane::Ready if ptr::eq(&*task.0, slot.now.polls()) => {
                // A yield: behind all others.
                self.ready.push(task, injector) || slot.ring.len() > 1 || slot.ring.has_newest()
            }
            Lane::Ready => self.ready.push_newest(task, injector),
            Lane::Cancel | Lane::Timed => {
                let others = slot.urgent.can_be_stolen() || !slot.ring.is_empty();
                if let Err(ready) = slot.urgent.push(task) {
                    self.ready.push(ready, injector);
                }
                others
            }
        };
        if more {
            self.shared.wake_helper();
        }
    }

    /// The same for tasks that were cancelled together.
    pub(super) fn push_cancelled(&self, tasks: &mut Vec<Runnable>) {
        let slot = self.slot();
        let others = slot.urgent.can_be_stolen() || !slot.ring.is_empty();
        let more = others || tasks.len() > 1;
        slot.urgent.push_cancelled(tasks);
        if more {
            self.shared.wake_helper();
        }
    }
}

impl Drop for Worker {
    /// Before another thread can be this worker.
    fn drop(&mut self) {
        *self.slot().governing.lock() = self.governing.take();
    }
}

/// A fiber is polled inside the poll of the task that a worker runs: until this is dropped, it is
/// the fiber that is asked to yield.
pub(crate) struct Inside(Option<(*const Worker, *mut Task)>);

/// See [`Inside`].
#[inline]
pub(crate) fn polls(fiber: &Task) -> Inside {
    let worker = CURRENT.get();
    // SAFETY: as in `with_current`.
    let here = unsafe { worker.as_ref() };
    // The record of another kernel, which may be driven from inside a task of this one, is not
    // shown: the ticker relies on this kernel alone to keep it.
    let here = here.filter(|here| ptr::eq(&raw const *here.kernel, fiber.kernel()));
    Inside(here.map(|here| (worker, here.slot().now.replace(fiber))))
}

impl Drop for Inside {
    fn drop(&mut self) {
        if let Some((worker, around)) = self.0 {
            // SAFETY: as in `with_current`; the poll of the fiber is inside that of the task.
            unsafe { &*worker }.slot().now.restore(around);
        }
    }
}
