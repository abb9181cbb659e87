//! Opening a region.
//!
//! It is admitted as a task is ([`admit`](super::admit)), by one modification of the parent's word
//! (REG-4); what follows under the parent's lock gives it its place and its share of a pending
//! cancel.
#![allow(unsafe_code, reason = "takes over the references of a new record")]

use std::ptr::NonNull;

use asr_base::{Budget, Status};

use super::admit::admit_record;
use super::children;
use super::config::{Escalation, RegionConfig};
use super::record::{Fresh, Region, RegionRef};
use super::refused::refusal;
use crate::cancel;
use crate::event;
use crate::kernel::Kernel;
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{Phase, Task, TaskRef, Tier};

/// Who opens a region.
pub(crate) enum Opener<'t> {
    /// A live task or the running finalizer: in any state short of `Closed` (REG-5).
    Task(&'t Task),
    /// The holder of a handle of the parent: only while that is open (REG-3).
    Handle(&'t Region),
}

/// A region with a body that was just opened, for the scope that polls it.
pub(crate) struct NewScope {
    /// That of the open region itself, which the future of the scope has.
    pub(crate) region: RegionRef,
    /// That of the handle in the scope.
    pub(crate) handle: RegionRef,
    /// The body.
    pub(crate) context: TaskRef,
    /// The reference of its first place in a queue, or of its first poll: the scope keeps it.
    pub(crate) queued: TaskRef,
    /// The first poll has begun (`poll::go_on_polled`).
    pub(crate) polled: bool,
}

/// Opens a region and makes, links and counts its body: in any state of the parent short of
/// `Closed` (REG-5).
pub(crate) fn scope(opener: &Task, config: &RegionConfig) -> Result<NewScope, Status> {
    let from = &Opener::Task(opener);
    let plain = config.budget.is_none() && config.timeout.is_none() && opener.side().is_none();
    let (region, body) = match plain {
        true => open(from, config, true, true)?,
        false => with_budget(from, config)?,
    };
    let Some(Body {
        context,
        queued,
        polled,
    }) = body
    else {
        unreachable!("asked for");
    };
    // SAFETY: counted in `open`.
    let handle = unsafe { RegionRef::from_counted(region.pointer()) };
    Ok(NewScope {
        region,
        handle,
        context,
        queued,
        polled,
    })
}

/// Opens a region that somebody closes by hand.
pub(crate) fn region(opener: &Opener<'_>, config: &RegionConfig) -> Result<RegionRef, Status> {
    open(opener, config, false, false).map(|(region, _)| region)
}

/// A scope that asks for a budget, or whose opener has one of its own.
#[cold]
fn with_budget(
    opener: &Opener<'_>,
    config: &RegionConfig,
) -> Result<(RegionRef, Option<Body>), Status> {
    open(opener, config, true, false)
}

struct Body {
    context: TaskRef,
    queued: TaskRef,
    polled: bool,
}

/// All of the above; in each of them what the others need is left out. `plain`: the budget is that
/// of the parent.
#[inline(always)]
fn open(
    opener: &Opener<'_>,
    config: &RegionConfig,
    body: bool,
    plain: bool,
) -> Result<(RegionRef, Option<Body>), Status> {
    // What the opener may use now: in a cleanup, that of the cleanup (CAN-29).
    let (parent, masked, held) = match opener {
        Opener::Task(task) => {
            if task.word.load().phase() == Phase::Completed {
                return Err(Status::REGION_CLOSED);
            }
            let held = match plain {
                true => None,
                false => task.own_budget(),
            };
            (task.region(), cancel::is_masked(task), held)
        }
        Opener::Handle(parent) => (*parent, false, None),
    };
    let kernel = parent.kernel();
    let mut asked = match plain {
        true => None,
        false => config.budget,
    };
    if !plain && let Some(after) = config.timeout {
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
    let pending = (!masked).then(|| around.for_children.clone()).flatten();
    // A body that may start is polled at once. One that starts cancelled, or late, does not (REG-5,
    // VAL-20); a cancel that comes after this look comes after its start.
    let calm = match opener {
        Opener::Task(task) => masked || task.word.clear(),
        Opener::Handle(_) => false,
    };
    let late = !plain && deadline < enforced && deadline <= kernel.now();
    let seen = kernel.trace().on() || kernel.config().watch;
    let polled = pending.is_none() && calm && !late && !seen && budget.polls != 0;
    let slot = kernel.alloc_region();
    // SAFETY: the slot is initialized and ours.
    let region: &Region = unsafe { slot.as_ref() };
    region.position.store(position, Relaxed);
    let fresh = Fresh {
        kernel: NonNull::from(kernel),
        parent,
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
            let (context, queued) = admit_record(kernel, own, position, Tier::Body, budget, polled);
            children::link_task(kernel, inner, &context);
            new = Some(Body {
                context,
                queued,
                polled,
            });
        }
    });
    if let Opener::Task(task) = opener
        && let Some(worker) = task.pin()
    {
        region.met_pin(worker);
    }
    children::link_region(kernel, &mut around, region);
    drop(around);
    // SAFETY: one of the references counted above.
    let region = unsafe { RegionRef::from_counted(slot) };
    event::region_opened(&region);
    if let Some(body) = &new {
        event::spawned(&body.context);
    }
    if !plain && deadline < enforced {
        cancel::arm_region(&region, deadline);
    }
    if let Some(request) = pending {
        cancel::request_region(&region, request);
    }
    if let Opener::Task(task) = opener {
        cancel::pass_on(task, &region);
    }
    Ok((region, new))
}

/// The root of a kernel that is being made.
pub(crate) fn root(kernel: &Kernel) -> NonNull<Region> {
    let slot = kernel.alloc_region();
    let fresh = Fresh {
        kernel: NonNull::from(kernel),
        parent: std::ptr::null(),
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

impl Escalation {
    /// The mode of a root.
    pub(crate) const ROOT: Escalation = Escalation::Drop;
}
