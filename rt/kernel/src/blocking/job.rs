//! One piece of blocking work, and the future that waits for it.
//!
//! Invariant: the stage goes `Queued -> Running -> Done -> Taken`, or `Queued -> Taken` when the
//! waiter takes the work back, or `Queued -> Returned -> Taken` when a thread finds that its task
//! is cancelled before the task itself does (SCH-34): the task decides, because a mask may be
//! around it, and then queues it again. Every step is under the lock of the job; what a user gave
//! is run and dropped outside it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use asr_base::{Error, Failure, Interrupted, Outcome, PanicPayload, RegionId, Status, TaskId};

use crate::cx::{Waiter, coop};
use crate::sync::{Mutex, lock, rank};
use crate::task::TaskRef;
use crate::task::cell::contained;

/// A job as drivers and pools see it.
#[derive(Clone)]
pub struct Job(Arc<dyn Work>);

impl Job {
    /// The task that waits for it.
    pub fn task(&self) -> TaskId {
        self.0.whose().0
    }

    /// The region of that task.
    pub fn region(&self) -> RegionId {
        self.0.whose().1
    }

    /// Runs it to its end and tells the waiter; nothing happens if it was taken back.
    pub fn run(self) {
        self.run_then(|| ());
    }

    /// The same; `free` is called between the end of the work and the wake of its waiter.
    pub(super) fn run_then(self, free: impl FnOnce()) {
        let waker = self.0.run();
        free();
        wake(waker);
    }

    /// Ends it unrun with this error, if nobody claimed it before.
    pub fn refuse(self, error: Error) {
        wake(self.0.refuse(error));
    }

    /// Whether nobody will run it: it was taken back or refused, or has been run.
    pub fn is_void(&self) -> bool {
        !self.0.is_queued()
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Job").field(&self.task()).finish()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        // Anybody's code; the thread of a pool outlives its panic.
        contained(|| waker.wake());
    }
}

/// What a pool does with a job, whatever the types in it. Steps return the waker to wake.
trait Work: Send + Sync {
    fn run(&self) -> Option<Waker>;
    fn refuse(&self, error: Error) -> Option<Waker>;
    fn is_queued(&self) -> bool;
    fn whose(&self) -> (TaskId, RegionId);
}

enum Stage<F, T> {
    Queued(F),
    Returned(F),
    Running,
    Done(Outcome<T, Error>),
    Taken,
}

struct State<F, T> {
    stage: Stage<F, T>,
    waiter: Option<Waker>,
}

struct Shared<F, T> {
    task: TaskRef,
    /// The task wants it run in spite of a cancel.
    insists: bool,
    state: Mutex<State<F, T>, rank::Job>,
}

impl<F, T> Shared<F, T> {
    fn is_queued(&self) -> bool {
        matches!(lock(&self.state).stage, Stage::Queued(_))
    }

    /// Takes the work out if it is still queued.
    fn claim(&self, next: Stage<F, T>) -> Option<F> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut state.stage, Stage::Taken) {
            Stage::Queued(work) => {
                state.stage = next;
                Some(work)
            }
            other => {
                state.stage = other;
                None
            }
        }
    }

    /// Hands the work to the waiter unrun; returns who that is.
    fn give_back(&self) -> Option<Waker> {
        let mut state = lock(&self.state);
        match std::mem::replace(&mut state.stage, Stage::Taken) {
            Stage::Queued(work) => state.stage = Stage::Returned(work),
            other => state.stage = other,
        }
        state.waiter.take()
    }

    /// Stores who is woken by the end. True if that has come.
    fn wait(&self, waker: &Waker) -> bool {
        // Cloned and dropped outside the lock: it may be anybody's code.
        let fresh = waker.clone();
        let mut state = lock(&self.state);
        if matches!(state.stage, Stage::Done(_) | Stage::Returned(_)) {
            return true;
        }
        let before = state.waiter.replace(fresh);
        drop(state);
        drop(before);
        false
    }

    /// The waiter goes: takes what is there.
    fn leave(&self) -> Stage<F, T> {
        let mut state = lock(&self.state);
        let left = std::mem::replace(&mut state.stage, Stage::Taken);
        let waker = state.waiter.take();
        drop(state);
        drop(waker);
        left
    }

    /// Stores the end of the work. If nobody waits any more the outcome comes back.
    fn end(&self, outcome: Outcome<T, Error>) -> (Option<Waker>, Option<Outcome<T, Error>>) {
        let mut state = lock(&self.state);
        let unwanted = match state.stage {
            Stage::Running => {
                state.stage = Stage::Done(outcome);
                None
            }
            _ => Some(outcome),
        };
        (state.waiter.take(), unwanted)
    }
}

impl<F, T> Work for Shared<F, T>
where
    F: FnOnce() -> Result<T, Failure> + Send,
    T: Send,
{
    fn run(&self) -> Option<Waker> {
        if !self.insists && !self.task.word.clear() {
            return self.give_back();
        }
        let work = self.claim(Stage::Running)?;
        let outcome = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => Outcome::from(result),
            Err(payload) => {
                let (task, region) = self.whose();
                let capture = PanicPayload::capture;
                Outcome::Panicked(capture(Some(task), Some(region), None, None, payload))
            }
        };
        let (waker, unwanted) = self.end(outcome);
        contained(|| drop(unwanted));
        waker
    }

    fn refuse(&self, error: Error) -> Option<Waker> {
        let work = self.claim(Stage::Running)?;
        contained(|| drop(work));
        self.end(Outcome::Err(error)).0
    }

    fn is_queued(&self) -> bool {
        Shared::is_queued(self)
    }

    fn whose(&self) -> (TaskId, RegionId) {
        (self.task.id(), self.task.region_id())
    }
}

/// Future of [`Cx::blocking`](crate::Cx::blocking).
#[must_use = "the work is queued when it is polled"]
pub struct Blocking<'c, F, T> {
    waiter: Waiter<'c>,
    work: Option<F>,
    queued: Option<Arc<Shared<F, T>>>,
}

impl<'c, F, T> Blocking<'c, F, T> {
    pub(crate) fn new(task: &'c TaskRef, work: F) -> Blocking<'c, F, T> {
        Blocking {
            waiter: Waiter::new(task),
            work: Some(work),
            queued: None,
        }
    }
}

impl<F, T> Unpin for Blocking<'_, F, T> {}

impl<F, T> Blocking<'_, F, T>
where
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
    T: Send + 'static,
{
    /// Gives the work to the driver. `Err` if the runtime ends.
    fn submit(&mut self, waker: &Waker) -> Result<(), Error> {
        let task = self.waiter.task();
        let kernel = task.kernel();
        if kernel.is_shut_down() {
            return Err(Error::new(Status::SHUTDOWN, "the runtime ends"));
        }
        let Some(work) = self.work.take() else {
            let what = "polled again after it returned the outcome";
            return Err(Error::new(Status::ALREADY_RESOLVED, what));
        };
        let shared = Arc::new(Shared {
            task: task.clone(),
            // It passed the cancel point just now, so a cancel that is there is masked.
            insists: !task.word.clear(),
            state: Mutex::new(State {
                stage: Stage::Queued(work),
                waiter: Some(waker.clone()),
            }),
        });
        self.queued = Some(shared.clone());
        kernel.block(Job(shared));
        Ok(())
    }

    /// Takes queued work back. False if it runs or has ended.
    fn take_back(&mut self) -> bool {
        let Some(shared) = &self.queued else {
            return true;
        };
        let Some(work) = shared.claim(Stage::Taken) else {
            return false;
        };
        // The entry in the queue may be the last that holds it, and goes under a lock.
        drop(shared.leave());
        self.queued = None;
        self.waiter.task().kernel().work_withdrawn();
        drop(work);
        true
    }
}

impl<F, T> Future for Blocking<'_, F, T>
where
    F: FnOnce() -> Result<T, Failure> + Send + 'static,
    T: Send + 'static,
{
    type Output = Result<Outcome<T, Error>, Interrupted>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        loop {
            // A cancel point as long as the work has not begun.
            let begun = this.queued.as_ref().is_some_and(|job| !job.is_queued());
            if !begun && this.waiter.check().is_err() && this.take_back() {
                return Poll::Ready(Err(Interrupted));
            }
            if this.queued.is_none()
                && let Err(error) = this.submit(context.waker())
            {
                return Poll::Ready(Ok(Outcome::Err(error)));
            }
            let shared = this.queued.as_ref().expect("submitted above");
            if !shared.wait(context.waker()) {
                // A cancel wakes this, so that work that has not begun is taken back.
                if this.waiter.park(context).is_err() && this.take_back() {
                    return Poll::Ready(Err(Interrupted));
                }
                return Poll::Pending;
            }
            ready!(coop(this.waiter.task(), context));
            match shared.leave() {
                Stage::Done(outcome) => {
                    this.queued = None;
                    return Poll::Ready(Ok(outcome));
                }
                // Again from the cancel point, which lets it through if a mask is around.
                Stage::Returned(work) => {
                    this.queued = None;
                    this.work = Some(work);
                }
                _ => unreachable!("`wait` said so"),
            }
        }
    }
}

impl<F, T> Drop for Blocking<'_, F, T> {
    /// Work that has not begun never does; the result of work that runs is dropped where it
    /// arrives.
    fn drop(&mut self) {
        let Some(shared) = self.queued.take() else {
            return;
        };
        if let Stage::Queued(_unrun) = shared.leave() {
            self.waiter.task().kernel().work_withdrawn();
        }
    }
}
