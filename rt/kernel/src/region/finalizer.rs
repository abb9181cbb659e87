//! Finalizers: a stack, run one at a time, last registered first, each exactly once (REG-15).
//!
//! Finalizers of a region run in a task of tier `Finalizer`, whose checkpoints never observe
//! anything; those of a task run in the task itself, after its body. Each finalizer has the cleanup
//! budget anew: one that uses all of it (REG-18) leaves the next its own. A finalizer that
//! registers another puts it on top of the stack, where it is next (REG-17).

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use asr_base::{
    Budget, BudgetComponent, CancelKind, CancelReason, Error, Failure, Fold, Origin, Outcome,
    PanicKind, PanicPayload, Time, TimerId,
};

use super::config::Escalation;
use super::record::{Region, RegionRef};
use crate::cx::{Caps, Cx};
use crate::kernel::timers::Target;
use crate::task::{self, Task, TaskRef};
use crate::{cancel, event};

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// A registered finalizer.
pub(crate) enum Finalizer {
    Sync(Box<dyn FnOnce() -> Result<(), Failure> + Send>),
    /// Knows the capabilities of who registered it: its context has no others (CAP-7).
    Async(Box<dyn FnOnce(TaskRef) -> Running + Send>),
}

impl Finalizer {
    pub(crate) fn sync<F>(run: F) -> Finalizer
    where
        F: FnOnce() -> Result<(), Failure> + Send + 'static,
    {
        Finalizer::Sync(Box::new(run))
    }

    pub(crate) fn future<C, F, Fut>(caps: Caps, run: F) -> Finalizer
    where
        F: FnOnce(Cx<C>) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        Finalizer::Async(Box::new(move |task| Box::pin(run(Cx::of(task, caps)))))
    }
}

/// Finalizers that wait, each with its number: how many its owner had registered with it.
#[derive(Default)]
pub(crate) struct Stack {
    waiting: Vec<(u64, Finalizer)>,
    registered: u64,
}

impl Stack {
    /// Registers one on top. Returns its number.
    pub(crate) fn push(&mut self, finalizer: Finalizer) -> u64 {
        self.registered += 1;
        self.waiting.push((self.registered, finalizer));
        self.registered
    }

    /// Takes one out that nobody will run.
    pub(crate) fn take_back(&mut self, number: u64) -> Option<Finalizer> {
        let is = |waiting: &(u64, Finalizer)| waiting.0 == number;
        let at = self.waiting.iter().rposition(is)?;
        Some(self.waiting.remove(at).1)
    }

    fn pop(&mut self) -> Option<(u64, Finalizer)> {
        self.waiting.pop()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Begins to count anew; what the list had room for stays.
    pub(crate) fn reset(&mut self) {
        debug_assert!(self.is_empty());
        self.registered = 0;
    }
}

/// Where a stack of finalizers is.
pub(crate) enum Step {
    Pending,
    /// All ran; the combination of their outcomes.
    Done(Outcome<(), Error>),
}

/// Runs a stack of finalizers.
#[derive(Default)]
pub(crate) struct Runner {
    current: Option<Current>,
    fold: Fold,
    /// How many were begun.
    begun: u64,
    /// The number of the last of them.
    number: u64,
}

/// A finalizer that runs, under a cleanup budget of its own.
pub(crate) struct Current {
    future: Running,
    deadline: Time,
    polls: u32,
    polls_max: u32,
    timer: Option<TimerId>,
    /// The budget of the finalizer around this one: a bracket in it releases.
    around: Option<Budget>,
    /// The end of the budget was noted, in a region that waits on.
    overdue: bool,
}

impl Runner {
    fn step(
        &mut self,
        task: &TaskRef,
        kind: CancelKind,
        pop: &mut dyn FnMut() -> Option<(u64, Finalizer)>,
        context: &mut Context<'_>,
    ) -> Step {
        loop {
            if let Some(current) = &mut self.current {
                let Some(outcome) = current.poll(task, self.number, context) else {
                    return Step::Pending;
                };
                if let Some(ended) = self.current.take() {
                    self.end(ended.end(task, self.begun));
                }
                self.end(outcome);
            }
            let Some((number, next)) = pop() else {
                return Step::Done(std::mem::take(&mut self.fold).finish());
            };
            self.begun += 1;
            self.number = number;
            event::finalizer_run(task, number);
            match next {
                Finalizer::Sync(run) => {
                    let result = catch_unwind(AssertUnwindSafe(run));
                    self.end(outcome(task, number, result));
                }
                Finalizer::Async(run) => {
                    let task_ref = task.clone();
                    match catch_unwind(AssertUnwindSafe(|| run(task_ref))) {
                        Ok(future) => self.current = Some(Current::new(task, kind, future)),
                        Err(panic) => self.end(outcome(task, number, Err(panic))),
                    }
                }
            }
        }
    }

    fn end(&mut self, outcome: Outcome<(), Error>) {
        self.fold.add(self.begun, None, outcome);
    }
}

impl Current {
    pub(crate) fn new(task: &Task, kind: CancelKind, future: Running) -> Current {
        let kernel = task.kernel();
        let budget = cancel::cleanup(kernel, kind).starting(kernel.now());
        let around = task
            .side_or_new()
            .lock()
            .rare_or_new()
            .finalizing
            .replace(budget);
        Current {
            future,
            deadline: budget.deadline,
            polls: 0,
            polls_max: budget.polls,
            around,
            timer: None,
            overdue: false,
        }
    }

    /// It ended, or was given up. Dropping what is left of it is user code too.
    pub(crate) fn end(mut self, task: &Task, index: u64) -> Outcome<(), Error> {
        self.disarm(task);
        match catch_unwind(AssertUnwindSafe(|| drop(self))) {
            Ok(()) => Outcome::Ok(()),
            Err(panic) => panicked(task, index, panic),
        }
    }

    /// Goes on elsewhere.
    pub(crate) fn into_finalizer(mut self, task: &Task) -> Finalizer {
        self.disarm(task);
        Finalizer::Async(Box::new(|_| self.future))
    }

    fn disarm(&mut self, task: &Task) {
        task.side_or_new().lock().rare_or_new().finalizing = self.around.take();
        if let Some(timer) = self.timer.take() {
            task.kernel().timer_cancel(timer);
        }
    }

    /// `None` while it waits. Finalizers count from 1; 0 is the release of a bracket.
    pub(crate) fn poll(
        &mut self,
        task: &TaskRef,
        index: u64,
        context: &mut Context<'_>,
    ) -> Option<Outcome<(), Error>> {
        let kernel = task.kernel();
        let mode = task.region().escalation();
        let over = if self.polls == self.polls_max {
            Some(BudgetComponent::Polls)
        } else {
            (self.deadline <= kernel.now()).then_some(BudgetComponent::Deadline)
        };
        if let Some(component) = over {
            if mode.is_bounded() {
                event::finalizer_escalated(task, index, self.polls);
                return Some(escalated(task, index, component));
            }
            if !self.overdue {
                self.overdue = true;
                event::cancel_overdue(task);
            }
        } else {
            self.polls += 1;
        }
        let future = &mut self.future;
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => {
                if self.timer.is_none() && self.deadline > kernel.now() {
                    let wake = Target::waking(context.waker());
                    self.timer = kernel.timer_set(self.deadline, wake).ok();
                }
                if self.polls == self.polls_max && !self.overdue {
                    // The next look, which ends it or says that it should have ended, comes even
                    // if nothing else wakes it.
                    context.waker().wake_by_ref();
                }
                None
            }
            Ok(Poll::Ready(result)) => Some(outcome(task, index, Ok(result))),
            Err(panic) => Some(outcome(task, index, Err(panic))),
        }
    }
}

fn outcome(
    task: &Task,
    index: u64,
    result: std::thread::Result<Result<(), Failure>>,
) -> Outcome<(), Error> {
    match result {
        Ok(result) => Outcome::from(result),
        Err(payload) => panicked(task, index, payload),
    }
}

fn panicked(task: &Task, index: u64, payload: Box<dyn Any + Send>) -> Outcome<(), Error> {
    let message = format!("in {}", name(index));
    Outcome::Panicked(PanicPayload::capture(
        Some(task.id()),
        Some(task.region().id()),
        Some(&message),
        None,
        payload,
    ))
}

fn name(index: u64) -> String {
    match index {
        0 => "the release of a bracket".to_owned(),
        index => format!("finalizer {index}"),
    }
}

/// What a finalizer ends with that used up its budget (CAN-22).
fn escalated(task: &Task, index: u64, component: BudgetComponent) -> Outcome<(), Error> {
    let message = format!("{} outlived its cleanup budget", name(index));
    let region = task.region();
    if region.escalation() == Escalation::Panic {
        let payload = PanicPayload::new(PanicKind::Escalation, &message);
        return Outcome::Panicked(payload.at(Some(task.id()), Some(region.id()), None));
    }
    let origin = Origin::Region(region.id());
    let reason = CancelReason::new(CancelKind::Exhausted, origin, task.kernel().now())
        .with_component(component)
        .with_message(&message);
    Outcome::Cancelled(reason.escalate())
}

/// Starts the finalizers of a region that nobody lives in. There are some.
pub(crate) fn start<'r>(region: &'r Region, inner: super::Locked<'r>) {
    let kind = inner
        .cancel
        .as_ref()
        .map_or(CancelKind::User, |request| request.reason.kind());
    drop(inner);
    let owner = RegionRef::of(region);
    let mut runner = Runner::default();
    super::admit::finalizer_task(region, |task| {
        task::cell::new(poll_fn(move |context| {
            let mut pop = || {
                let mut inner = owner.lock();
                let next = inner.finalizers.pop();
                inner.finalizers_done = next.is_none();
                next
            };
            match runner.step(&task, kind, &mut pop, context) {
                Step::Pending => Poll::Pending,
                Step::Done(outcome) => Poll::Ready(outcome.into_result()),
            }
        }))
    });
}

/// One step of the finalizers of a task, whose poll the caller holds.
pub(crate) fn step_task(task: &TaskRef, context: &mut Context<'_>) -> Step {
    let side = task.side_or_new();
    let (mut runner, kind) = {
        let mut inner = side.lock();
        let kind = inner
            .cancel
            .as_ref()
            .map_or(CancelKind::User, |request| request.reason.kind());
        let runner = inner.rare_or_new().runner.take();
        (runner.unwrap_or_default(), kind)
    };
    // Finalizers run masked.
    task.masks.store(1, std::sync::atomic::Ordering::Relaxed);
    let mut pop = || side.lock().rare_or_new().finalizers.pop();
    let step = runner.step(task, kind, &mut pop, context);
    task.masks.store(0, std::sync::atomic::Ordering::Relaxed);
    if matches!(step, Step::Pending) {
        side.lock().rare_or_new().runner = Some(runner);
    }
    step
}
