//! The children of a region, in spawn order: two lists of indices through their records.
//!
//! All functions run under the lock of the region. Links are index + 1, and 0 is none. A task links
//! through its record, a region through the inside of its own record, which the parent's lock
//! guards too: those two fields only. The list counts one reference to each task in it.
#![allow(unsafe_code, reason = "takes back the reference that the list counted")]

use std::ptr::NonNull;

use std::sync::atomic::Ordering::Relaxed;

use super::inner::Inner;
use super::record::{Region, RegionRef};
use crate::kernel::Kernel;
use crate::task::{Task, TaskRef};

impl Region {
    /// How many of its children live.
    pub fn live(&self) -> u64 {
        self.word.live()
    }
}

/// A child, for walks that go on after the lock is given back.
#[derive(Debug)]
pub(crate) enum Child {
    Task(TaskRef),
    Region(RegionRef),
}

pub(crate) fn link_task(kernel: &Kernel, inner: &mut Inner, task: &Task) {
    let this = task.id().index() + 1;
    task.before.store(inner.last_task, Relaxed);
    task.after.store(0, Relaxed);
    match kernel.task_at(inner.last_task) {
        Some(last) => last.after.store(this, Relaxed),
        None => inner.first_task = this,
    }
    inner.last_task = this;
}

/// Takes a task out of the list, and the list's reference with it.
pub(crate) fn unlink_task(kernel: &Kernel, inner: &mut Inner, task: &Task) -> TaskRef {
    let (before, after) = (task.before.load(Relaxed), task.after.load(Relaxed));
    match kernel.task_at(before) {
        Some(sibling) => sibling.after.store(after, Relaxed),
        None => inner.first_task = after,
    }
    match kernel.task_at(after) {
        Some(sibling) => sibling.before.store(before, Relaxed),
        None => inner.last_task = before,
    }
    // SAFETY: counted when the record was filled (`Word::FRESH_REFS`), and it was in the list once.
    unsafe { TaskRef::from_counted(NonNull::from(task)) }
}

pub(crate) fn link_region(kernel: &Kernel, inner: &mut Inner, region: &Region) {
    let this = region.index() + 1;
    region.before.store(inner.last_region, Relaxed);
    region.after.store(0, Relaxed);
    match kernel.region_at(inner.last_region) {
        Some(last) => last.after.store(this, Relaxed),
        None => inner.first_region = this,
    }
    inner.last_region = this;
}

pub(crate) fn unlink_region(kernel: &Kernel, inner: &mut Inner, region: &Region) {
    let (before, after) = (region.before.load(Relaxed), region.after.load(Relaxed));
    match kernel.region_at(before) {
        Some(sibling) => sibling.after.store(after, Relaxed),
        None => inner.first_region = after,
    }
    match kernel.region_at(after) {
        Some(sibling) => sibling.before.store(before, Relaxed),
        None => inner.last_region = before,
    }
}

/// Every child that lives, in spawn order.
pub(crate) fn all(kernel: &Kernel, inner: &Inner) -> Vec<Child> {
    let mut tasks = inner.first_task;
    let mut regions = inner.first_region;
    let mut found = Vec::new();
    loop {
        let task = kernel.task_at(tasks);
        let region = kernel.region_at(regions);
        let task_first = match (task, region) {
            (None, None) => return found,
            (Some(task), Some(region)) => task.position() < region.position(),
            (task, _) => task.is_some(),
        };
        if let (Some(task), true) = (task, task_first) {
            tasks = task.after.load(Relaxed);
            found.push(Child::Task(TaskRef::of(task)));
        } else if let Some(region) = region {
            regions = region.after.load(Relaxed);
            found.push(Child::Region(RegionRef::of(region)));
        }
    }
}
