//! Linear handles of compiled code: open regions and tasks, named by ids.
//!
//! Invariants
//! 1. A region that compiled code opened is listed with the task that did, from the opening until
//!    it is closed or given up; what is listed when the task ends is given up as a dropped
//!    [`OpenRegion`] is (REG-36). So a handle is good for that task only, and once.
//! 2. The handle of a task that compiled code started is a bit of the task's word; whoever takes
//!    the bit has the handle. What nobody took goes when the root is closed.
#![allow(unsafe_code, reason = "takes over the one handle of a task")]

use std::ptr::NonNull;
use std::task::Waker;

use asr_base::{RegionId, Status, TaskId};

use crate::cx::{Checked, Cx};
use crate::kernel::Kernel;
use crate::region::{OpenRegion, RegionConfig, RegionHandle};
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{JoinHandle, Task, TaskRef};

/// Opens a region below that of the task, and lists it. Its handle.
///
/// # Errors
/// As for [`Cx::open_region`].
pub fn open_region(cx: &Cx<Checked>, config: &RegionConfig) -> Result<u64, Status> {
    let region = cx.open_region(config).map_err(|error| error.kind())?;
    let id = region.id().to_bits();
    let mut inner = cx.task_ref().side_or_new().lock();
    let across = inner.rare_or_new().across.get_or_insert_default();
    across.regions.push(region);
    Ok(id)
}

/// Takes the region of a handle, which is used up by this.
///
/// # Errors
/// `STALE_HANDLE` if the task has no such region open.
pub fn take_region(cx: &Cx<Checked>, handle: u64) -> Result<OpenRegion<Checked>, Status> {
    with_regions(cx, handle, |regions, at| regions.swap_remove(at))
}

/// The region of a handle, which stays as it is.
///
/// # Errors
/// As for [`take_region`].
pub fn region(cx: &Cx<Checked>, handle: u64) -> Result<RegionHandle<Checked>, Status> {
    with_regions(cx, handle, |regions, at| (*regions[at]).clone())
}

fn with_regions<R>(
    cx: &Cx<Checked>,
    handle: u64,
    then: impl FnOnce(&mut Vec<OpenRegion<Checked>>, usize) -> R,
) -> Result<R, Status> {
    let id = RegionId::from_bits(handle).ok_or(Status::STALE_HANDLE)?;
    let side = cx.task_ref().side().ok_or(Status::STALE_HANDLE)?;
    let mut inner = side.lock();
    let rare = inner.rare_mut();
    let across = rare.and_then(|rare| rare.across.as_mut());
    let regions = &mut across.ok_or(Status::STALE_HANDLE)?.regions;
    let at = regions.iter().position(|region| region.id() == id);
    let at = at.ok_or(Status::STALE_HANDLE)?;
    Ok(then(regions, at))
}

/// The task has ended: what it left open is given up.
pub(crate) fn ended(task: &Task) {
    let Some(side) = task.side() else { return };
    let mut inner = side.lock();
    let rare = inner.rare_mut();
    let across = rare.and_then(|rare| rare.across.as_mut());
    let left = across.map(|across| std::mem::take(&mut across.regions));
    drop(inner);
    drop(left);
}

/// Gives the handle of a compiled task to compiled code.
pub fn give_task(handle: JoinHandle<u64>) -> u64 {
    let task = handle.into_task();
    let id = task.id().to_bits();
    task.kernel().lends.store(true, Relaxed);
    task.word.lend_handle();
    // The reference of the handle stays counted.
    let _ = task.into_raw();
    id
}

/// Takes the task of a handle, which is used up by this.
///
/// # Errors
/// `STALE_HANDLE` if there is none of that name, or its handle was taken.
pub fn take_task(cx: &Cx<Checked>, handle: u64) -> Result<JoinHandle<u64>, Status> {
    let task = task(cx, handle)?;
    take(&task).ok_or(Status::STALE_HANDLE)
}

fn take(task: &TaskRef) -> Option<JoinHandle<u64>> {
    if !task.word.take_handle() {
        return None;
    }
    // SAFETY: the bit stood for the one handle of the task, whose reference is counted; handles
    // are given by `give_task` only, so its output is a word.
    let counted = unsafe { TaskRef::from_counted(NonNull::from(&**task)) };
    // SAFETY: as above.
    Some(unsafe { JoinHandle::new(counted) })
}

/// The task of a handle, which stays as it is.
///
/// # Errors
/// As for [`take_task`].
pub fn task(cx: &Cx<Checked>, handle: u64) -> Result<TaskRef, Status> {
    let id = TaskId::from_bits(handle).ok_or(Status::STALE_HANDLE)?;
    let found = cx.task_ref().kernel().task(id);
    let task = found.map_err(|error| error.kind())?;
    if task.word.load().handle_lent() {
        Ok(task)
    } else {
        Err(Status::STALE_HANDLE)
    }
}

/// Asks the task of a handle to cancel, on behalf of the task of `cx` (TSK-20).
pub fn cancel_task(cx: &Cx<Checked>, task: &TaskRef) {
    crate::cancel::abort(task, Some(cx.task_ref()));
}

/// Has the waker woken once the task has ended, in whatever way, even if the handle is dropped
/// before; true if it has ended by now.
pub fn watch_task(handle: &JoinHandle<u64>, waker: &Waker) -> bool {
    handle.wait(waker)
}

/// The root is closed: nobody will take the handles that are left.
pub(crate) fn root_closed(kernel: &Kernel) {
    // Relaxed: stored by a task, whose end comes before this.
    if !kernel.lends.load(Relaxed) {
        return;
    }
    for task in kernel.all_tasks() {
        drop(take(&task));
    }
}
