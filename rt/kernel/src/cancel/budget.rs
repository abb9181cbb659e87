//! Budgets enforced: deadlines by one timer at whoever set them, polls at the poll boundary, cost
//! where it is charged (VAL-18, VAL-19); cleanup budgets and escalation (CAN-22 to CAN-24, CAN-29).

use asr_base::{
    BudgetComponent, CancelKind, CancelReason, CleanupBudget, Error, Origin, Status, Time,
    cleanup_budget,
};

use super::request::{request, request_task};
use super::spread::request_region;
use crate::event;
use crate::kernel::Kernel;
use crate::kernel::timers::Target;
use crate::region::{Region, RegionRef};
use crate::task::{Phase, Task, TaskRef, waker};

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
        let Some(left) = &mut inner.cost_left else {
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

/// Counts one poll of cleanup. False if the budget is used up and the mode acts (CAN-22).
pub(crate) fn count_cleanup_poll(task: &Task) -> bool {
    let Some(side) = task.side() else { return true };
    let now = task.kernel().now();
    let mut inner = side.lock();
    let over = inner.cleanup_left == 0
        || inner
            .cancel
            .as_ref()
            .is_some_and(|request| request.cleanup.deadline <= now);
    inner.cleanup_left = inner.cleanup_left.saturating_sub(1);
    inner.cleanup_poll = now;
    drop(inner);
    if !over || task.word.load().phase() == Phase::Created {
        return true;
    }
    if task.region().escalation().is_bounded() {
        return false;
    }
    overdue(task);
    true
}

/// Soft: it is said once that the cleanup outlasts its budget.
fn overdue(task: &Task) {
    if !std::mem::replace(&mut task.side_or_new().lock().overdue, true) {
        event::cancel_overdue(task);
    }
}

/// A task was asked, or its poll ended pending after that: the end of its cleanup budget gets a
/// timer, if it has none yet.
pub(crate) fn arm_cleanup(task: &TaskRef) {
    let kernel = task.kernel();
    let side = task.side_or_new();
    let inner = side.lock();
    let Some(request) = &inner.cancel else { return };
    if task.word.load().phase() >= Phase::Finalizing {
        return;
    }
    let deadline = request.cleanup.deadline;
    let out_of_polls = inner.cleanup_left == 0;
    let armed = inner.timer.is_some();
    let said = inner.overdue;
    drop(inner);
    let bounded = task.region().escalation().is_bounded();
    if out_of_polls && !bounded {
        overdue(task);
    } else if out_of_polls {
        // The next boundary is now: nothing else need wake it.
        task.word.escalate();
        waker::wake_task(task);
    } else if !armed && !said && deadline != Time::MAX {
        let timer = kernel
            .timer_set(deadline, Target::Cleanup(task.clone()))
            .ok();
        let stale = std::mem::replace(&mut side.lock().timer, timer);
        if let Some(timer) = stale {
            kernel.timer_cancel(timer);
        }
        if task.word.load().phase() >= Phase::Finalizing {
            // It ended meanwhile, and may have looked for a timer before this one was there.
            disarm(task);
        }
    }
}

/// The time of a cleanup budget ended. A task inside a poll is not dropped: its next boundary is
/// (CAN-24).
pub(crate) fn cleanup_ended(task: &TaskRef) {
    let snapshot = task.word.load();
    if snapshot.phase() >= Phase::Finalizing {
        return;
    }
    if snapshot.is_polling() {
        event::stuck_in_poll(task);
    }
    if !task.region().escalation().is_bounded() {
        overdue(task);
        return;
    }
    task.word.escalate();
    waker::wake_task(task);
}

/// The task is about to complete: its timer goes.
pub(crate) fn disarm(task: &Task) {
    if let Some(side) = task.side() {
        let timer = side.lock().timer.take();
        if let Some(timer) = timer {
            task.kernel().timer_cancel(timer);
        }
    }
}

/// The region is about to close: its timer goes.
pub(crate) fn disarm_region(region: &Region) {
    let timer = region.lock().timer.take();
    if let Some(timer) = timer {
        region.kernel().timer_cancel(timer);
    }
}
