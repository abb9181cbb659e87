//! Budgets enforced: deadlines by one timer at whoever set them, polls at the poll boundary, cost
//! where it is charged (VAL-18, VAL-19).

use asr_base::{
    BudgetComponent, CancelKind, CancelReason, CleanupBudget, Error, Origin, Status, Time,
    cleanup_budget,
};

use super::request::{request, request_task};
use super::spread::request_region;
use crate::kernel::Kernel;
use crate::kernel::timers::Target;
use crate::region::{Region, RegionRef};
use crate::task::{Task, TaskRef};

/// The cleanup budget of a kind (VAL-15).
pub(crate) fn cleanup(kernel: &Kernel, kind: CancelKind) -> CleanupBudget {
    cleanup_budget(kernel.config().cleanup, kind, 0)
}

/// Arms the deadline of a task's own budget.
pub(crate) fn arm_task(task: &TaskRef, deadline: Time) {
    let kernel = task.kernel();
    if deadline <= kernel.now() {
        expired(task);
        return;
    }
    let timer = kernel
        .timer_set(deadline, Target::Deadline(task.clone()))
        .ok();
    let late = {
        let mut inner = task.side_or_new().lock();
        let late = inner.cancel.is_some();
        if !late {
            inner.timer = timer;
        }
        late
    };
    if late && let Some(timer) = timer {
        kernel.timer_cancel(timer);
    }
}

/// Arms the deadline of a region's own budget.
pub(crate) fn arm_region(region: &RegionRef, deadline: Time) {
    let kernel = region.kernel();
    if deadline <= kernel.now() {
        region_expired(region);
        return;
    }
    let timer = kernel
        .timer_set(deadline, Target::RegionDeadline(region.clone()))
        .ok();
    region.lock().timer = timer;
}

/// The deadline of a task passed.
pub(crate) fn expired(task: &TaskRef) {
    cancel_task(task, CancelKind::Timeout, BudgetComponent::Deadline);
}

/// The deadline of a region passed.
pub(crate) fn region_expired(region: &Region) {
    let kernel = region.kernel();
    let origin = Origin::Region(region.id());
    let reason = CancelReason::new(CancelKind::Timeout, origin, kernel.now())
        .with_component(BudgetComponent::Deadline);
    request_region(region, request(kernel, reason));
}

/// A quota of the task's own is used up.
pub(crate) fn exhausted(task: &Task, component: BudgetComponent) {
    cancel_task(&TaskRef::of(task), CancelKind::Exhausted, component);
}

fn cancel_task(task: &TaskRef, kind: CancelKind, component: BudgetComponent) {
    let kernel = task.kernel();
    let origin = Origin::Task(task.id());
    let reason = CancelReason::new(kind, origin, kernel.now()).with_component(component);
    request_task(task, request(kernel, reason));
}

/// Charges cost to the task and to every ancestor that set a quota (VAL-18). The quota that is used
/// up cancels its owner, the outermost first. Who cleans up is charged, and never refused: the
/// cleanup budget has taken the place of the quotas (CAN-29).
///
/// # Errors
/// `QUOTA_EXCEEDED` if some quota is used up; the charge stands.
pub(crate) fn charge(task: &Task, cost: u64) -> Result<(), Error> {
    let mut over: Option<RegionRef> = None;
    let mut at = Some(task.region());
    while let Some(region) = at {
        let mut inner = region.lock();
        if let Some(left) = &mut inner.cost_left {
            *left = left.saturating_sub(cost);
            if *left == 0 {
                over = Some(RegionRef::of(region));
            }
        }
        drop(inner);
        at = region.parent();
    }
    let cleaning = !task.word.clear();
    let own = task.side().is_some_and(|side| {
        let mut inner = side.lock();
        let own = inner.own.as_mut();
        let Some(left) = own.and_then(|own| own.cost_left.as_mut()) else {
            return false;
        };
        *left = left.saturating_sub(cost);
        *left == 0
    });
    if let Some(region) = over {
        let kernel = region.kernel();
        let origin = Origin::Region(region.id());
        let reason = CancelReason::new(CancelKind::Exhausted, origin, kernel.now())
            .with_component(BudgetComponent::Cost);
        request_region(&region, request(kernel, reason));
        if cleaning {
            return Ok(());
        }
        let which = format!("cost quota of region {}", region.id());
        return Err(Error::new(Status::QUOTA_EXCEEDED, which));
    }
    if own && !cleaning {
        exhausted(task, BudgetComponent::Cost);
        let which = format!("cost quota of task {}", task.id());
        return Err(Error::new(Status::QUOTA_EXCEEDED, which));
    }
    Ok(())
}

/// The region is about to close: its timer goes.
pub(crate) fn disarm_region(region: &Region) {
    let timer = region.lock().timer.take();
    if let Some(timer) = timer {
        region.kernel().timer_cancel(timer);
    }
}
