//! Admitting a task.
//!
//! Admission is one modification of the region's word (REG-4). What follows under the lock gives
//! the child its place and its share of a pending cancel: a request that came before the admission
//! is found there; one that comes later finds the child in the list (CAN-5).
#![allow(unsafe_code, reason = "takes over the references of a new record")]

use std::ptr::NonNull;

use asr_base::{Budget, Status, Time};

use super::children;
use super::record::{Region, RegionRef};
use super::refused::refusal;
use crate::cancel;
use crate::deadline;
use crate::event;
use crate::kernel::Kernel;
use crate::task::side::OwnBudget;
use crate::task::{self, TaskRef, Tier};

/// Options of a spawn.
#[derive(Clone, Debug, Default)]
pub struct Spawn {
    pub(crate) name: Option<Box<str>>,
    pub(crate) budget: Option<Budget>,
    pub(crate) pin: Option<u16>,
}

impl Spawn {
    /// The default: no name, the region's budget.
    pub fn new() -> Spawn {
        Spawn::default()
    }

    /// A name for people and for targeted injection.
    pub fn name(mut self, name: impl Into<Box<str>>) -> Spawn {
        self.name = Some(name.into());
        self
    }

    /// A budget, met with that of the region (VAL-17).
    pub fn budget(mut self, budget: Budget) -> Spawn {
        self.budget = Some(budget);
        self
    }

    /// Only the worker of this number polls the task (SCH-16). Ignored where there is one thread,
    /// and by fibers, which run where their scope does.
    pub fn pin(mut self, worker: u16) -> Spawn {
        self.pin = Some(worker);
        self
    }
}

/// Admits a task. The region stays locked until [`Admitted::start`]: between them is nothing but
/// the making of the record and of the cell.
#[inline]
pub(crate) fn admit(region: &Region, tier: Tier) -> Result<Admitted<'_>, Status> {
    if region.kernel().is_shut_down() {
        return Err(Status::SHUTDOWN);
    }
    let inner = region.lock();
    if tier == Tier::Fiber && inner.scope.gone {
        return Err(Status::REGION_CLOSING);
    }
    region.word.admit().map_err(refusal)?;
    Ok(Admitted {
        region,
        tier,
        inner,
    })
}

/// A counted place in a region that has no task yet.
pub(crate) struct Admitted<'r> {
    region: &'r Region,
    tier: Tier,
    inner: super::Locked<'r>,
}

impl Admitted<'_> {
    /// Makes the record, and queues the task. `cell` builds future and output; it runs no code of
    /// the user.
    pub(crate) fn start(
        self,
        options: Spawn,
        cell: impl FnOnce(TaskRef) -> NonNull<task::cell::Header>,
    ) -> TaskRef {
        let Admitted {
            region,
            tier,
            mut inner,
        } = self;
        let kernel = region.kernel();
        let inherited = inner.budget.deadline;
        let met = options.budget.map(|own| inner.budget.meet(own));
        let position = inner.take_position();
        let budget = met.as_ref().unwrap_or(&inner.budget);
        let (deadline, cost) = (budget.deadline, budget.cost);
        let own = RegionRef::of(region);
        let (context, queued) = admit_record(kernel, own, position, tier, budget, false);
        // SAFETY: a task and a fiber have a handle, which counts a reference.
        let task = unsafe { TaskRef::from_counted(NonNull::from(&*context)) };
        task.set_cell(cell(context));
        if let Some(worker) = options.pin {
            task.set_pin(worker);
            region.met_pin(worker);
        }
        children::link_task(kernel, &mut inner, &task);
        let pending = inner.for_children.is_some();
        let plain = options.name.is_none() && options.budget.is_none();
        let unbounded = deadline == Time::MAX && cost != Some(0);
        if plain && unbounded && !pending && !kernel.trace().on() {
            match tier {
                Tier::Fiber => super::scope::push(inner, queued),
                _ => {
                    drop(inner);
                    kernel.enqueue_task(queued);
                }
            }
            return task;
        }
        let pending = inner.for_children.clone();
        drop(inner);
        if options.name.is_some() || options.budget.is_some() {
            let named = options.name.as_ref().and_then(|_| deadline::named(&task));
            let mut side = task.side_or_new().lock();
            if options.name.is_some() {
                let rare = side.rare_or_new();
                rare.name = options.name;
                rare.named = named;
            }
            let cost_left = options.budget.and_then(|own| own.cost);
            side.own = met.map(|budget| Box::new(OwnBudget { budget, cost_left }));
        }
        event::spawned(&task);
        if let Some(request) = pending {
            cancel::request_unqueued(&task, request);
        }
        if deadline < inherited {
            cancel::arm_task(&task, deadline);
        } else if deadline != Time::MAX && deadline <= kernel.now() {
            // Its region's deadline has passed, and the region's timer is about to fire.
            cancel::expired(&task);
        }
        if cost == Some(0) {
            cancel::exhausted(&task, asr_base::BudgetComponent::Cost);
        }
        // By tier, not by word: a scope that ends meanwhile has changed the word (`Word::seize`).
        if tier == Tier::Fiber {
            super::enqueue_fiber(queued);
        } else {
            kernel.enqueue_task(queued);
        }
        task
    }
}

/// A record for a child of `region`, whose inside is the caller's: the reference of its context and
/// that of the queue. A third is that of the list of children, a fourth that of the handle, if any.
#[inline(always)]
pub(super) fn admit_record(
    kernel: &Kernel,
    region: RegionRef,
    position: u32,
    tier: Tier,
    budget: &Budget,
    polled: bool,
) -> (TaskRef, TaskRef) {
    let slot = kernel.alloc_task(task::Fresh {
        region,
        cell: std::ptr::null_mut(),
        tier,
        position,
        polls: budget.polls,
        priority: budget.priority,
        timed: budget.deadline != Time::MAX,
        polled,
    });
    // SAFETY: just counted.
    let (context, queued) = unsafe { (TaskRef::from_counted(slot), TaskRef::from_counted(slot)) };
    if kernel.config().watch && tier != Tier::Finalizer {
        context.word.watch();
    }
    (context, queued)
}

/// Queues the task that runs the finalizers of a region. It is no child: the state of the region
/// says that it runs.
pub(crate) fn finalizer_task(
    region: &Region,
    cell: impl FnOnce(TaskRef) -> NonNull<task::cell::Header>,
) {
    let kernel = region.kernel();
    let position = region.lock().take_position();
    let budget = &Budget::UNLIMITED;
    let own = RegionRef::of(region);
    let tier = Tier::Finalizer;
    let (context, queued) = admit_record(kernel, own, position, tier, budget, false);
    // Nobody joins it. The reference of a list, which it is in none of, goes with its end.
    queued.set_cell(cell(context));
    if let Some(worker) = region.pin() {
        queued.set_pin(worker);
    }
    event::spawned(&queued);
    kernel.enqueue_task(queued);
}
