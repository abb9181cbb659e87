//! Opening a region, admitting a task.
//!
//! Admission is one modification of the parent's word (REG-4). What follows under the lock gives
//! the child its place and its share of a pending cancel: a request that came before the admission
//! is found there; one that comes later finds the child in the list (CAN-5).
#![allow(unsafe_code, reason = "takes over the references of a new record")]

use std::ptr::NonNull;

use asr_base::{Budget, Status, Time};

use super::children;
use super::config::{Escalation, RegionConfig};
use super::record::{Fresh, Region, RegionRef};
use super::refused::refusal;
use crate::cancel;
use crate::deadline;
use crate::event;
use crate::kernel::Kernel;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::side::OwnBudget;
use crate::task::{self, Phase, Task, TaskRef, Tier};

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

/// Who opens a region.
pub(crate) enum Opener<'t> {
    /// A live task or the running finalizer: in any state short of `Closed` (REG-5).
    Task(&'t Task),
    /// The holder of a handle of the parent: only while that is open (REG-3).
    Handle(&'t Region),
}

/// A region that was just opened.
pub(crate) struct Opened {
    pub(crate) region: RegionRef,
    pub(crate) body: Option<NewBody>,
}

/// The body of a new region.
pub(crate) struct NewBody {
    pub(crate) context: TaskRef,
    /// The reference of its first place in a queue: the scope that opened the region keeps it.
    pub(crate) queued: TaskRef,
    /// A second reference to the region.
    pub(crate) region: RegionRef,
}

/// Opens a region. With `body` the record of the body is made, linked and counted too.
pub(crate) fn open(
    opener: &Opener<'_>,
    config: &RegionConfig,
    body: bool,
) -> Result<Opened, Status> {
    // What the opener may use now: in a cleanup, that of the cleanup (CAN-29).
    let (parent, masked, held) = match opener {
        Opener::Task(task) => {
            if task.word.load().phase() == Phase::Completed {
                return Err(Status::REGION_CLOSED);
            }
            (task.region(), cancel::is_masked(task), task.own_budget())
        }
        Opener::Handle(parent) => (*parent, false, None),
    };
    let kernel = parent.kernel();
    let mut asked = config.budget;
    if let Some(after) = config.timeout {
        let deadline = kernel.now().saturating_add(after);
        let asked = asked.get_or_insert(Budget::UNLIMITED);
        asked.deadline = asked.deadline.min(deadline);
    }
    // One section: admission, place, budget, and the share of a pending cancel.
    let mut around = parent.lock();
    let admitted = match opener {
        Opener::Task(_) => parent.word.admit_nested(),
        Opener::Handle(_) => parent.word.admit(),
    };
    admitted.map_err(refusal)?;
    let position = around.take_position();
    let inherited = held.as_ref().unwrap_or(&around.budget);
    // Only a budget that is asked for is computed; else that of the parent is copied, once.
    let met = asked.as_ref().map(|asked| inherited.meet(*asked));
    let budget = met.as_ref().unwrap_or(inherited);
    let deadline = budget.deadline;
    // Whose deadline is enforced elsewhere: the opener of a scope passes its own on; a region
    // without one may outlive it, and is safe only with that of the region around it.
    let enforced = match body {
        true => inherited.deadline,
        false => around.budget.deadline,
    };
    let cost = asked.as_ref().and_then(|asked| asked.cost);
    let slot = kernel.alloc_region();
    // SAFETY: the slot is initialized and ours.
    let region: &Region = unsafe { slot.as_ref() };
    region.position.store(position, Relaxed);
    let fresh = Fresh {
        kernel: NonNull::from(kernel),
        parent: Some(RegionRef::of(parent)),
        opener: match opener {
            Opener::Task(task) if body => Some(task.id()),
            _ => None,
        },
        depth: parent.depth() + 1,
        escalation: config.escalation.unwrap_or(parent.escalation()),
        shielded: masked,
        children: u64::from(body),
        // The open region's own and the opener's, which are one if that is the future of a body;
        // and for a body that of its scope, and that of its record.
        refs: if body { 3 } else { 2 },
    };
    let mut new = None;
    // The inside is complete before the parent lists the region: from then on a cancel may come
    // down (`cancel::request_region`), and must find what it writes to.
    region.renew(fresh, |inner| {
        let counts = matches!(opener, Opener::Handle(_));
        inner.reset(config.policy, budget, cost, counts, body);
        if body {
            // SAFETY: the last of the references counted above.
            let own = unsafe { RegionRef::from_counted(slot) };
            let position = inner.take_position();
            let (context, queued) = admit_record(kernel, own, position, Tier::Body, budget);
            children::link_task(kernel, inner, &context);
            new = Some((context, queued));
        }
    });
    children::link_region(kernel, &mut around, region);
    let pending = (!masked).then(|| around.for_children.clone()).flatten();
    drop(around);
    // SAFETY: one of the references counted above.
    let region = unsafe { RegionRef::from_counted(slot) };
    event::region_opened(&region);
    let body = new.map(|(context, queued)| {
        event::spawned(&context);
        NewBody {
            context,
            queued,
            // SAFETY: another.
            region: unsafe { RegionRef::from_counted(slot) },
        }
    });
    if deadline < enforced {
        cancel::arm_region(&region, deadline);
    }
    if let Some(request) = pending {
        cancel::request_region(&region, request);
    }
    if let Opener::Task(task) = opener {
        cancel::pass_on(task, &region);
    }
    Ok(Opened { region, body })
}

/// The root of a kernel that is being made.
pub(crate) fn root(kernel: &Kernel) -> NonNull<Region> {
    let slot = kernel.alloc_region();
    let fresh = Fresh {
        kernel: NonNull::from(kernel),
        parent: None,
        opener: None,
        depth: 0,
        escalation: Escalation::ROOT,
        shielded: false,
        children: 0,
        // The kernel keeps the record; it counts those of others only (`RegionRef`).
        refs: 0,
    };
    // SAFETY: the slot is initialized and ours.
    unsafe { slot.as_ref() }.renew(fresh, |inner| {
        inner.reset(
            super::Policy::CollectAll,
            &Budget::UNLIMITED,
            None,
            false,
            false,
        );
    });
    slot
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
        let (context, queued) = admit_record(kernel, own, position, tier, budget);
        // SAFETY: a task and a fiber have a handle, which counts a reference.
        let task = unsafe { TaskRef::from_counted(NonNull::from(&*context)) };
        task.set_cell(cell(context));
        if let Some(worker) = options.pin {
            task.set_pin(worker);
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
#[inline]
fn admit_record(
    kernel: &Kernel,
    region: RegionRef,
    position: u32,
    tier: Tier,
    budget: &Budget,
) -> (TaskRef, TaskRef) {
    let slot = kernel.alloc_task(task::Fresh {
        region,
        cell: std::ptr::null_mut(),
        tier,
        position,
        polls: budget.polls,
        priority: budget.priority,
        timed: budget.deadline != Time::MAX,
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
    let (context, queued) = admit_record(kernel, own, position, Tier::Finalizer, budget);
    // Nobody joins it. The reference of a list, which it is in none of, goes with its end.
    queued.set_cell(cell(context));
    event::spawned(&queued);
    kernel.enqueue_task(queued);
}

impl Escalation {
    /// The mode of a root.
    pub(crate) const ROOT: Escalation = Escalation::Drop;
}
