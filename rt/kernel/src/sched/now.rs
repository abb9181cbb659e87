//! What a worker does at this moment, for the ticker: the task that it polls, and the thread's word
//! of requests.
//!
//! Only the worker writes what is polled. The pointer leads to a record in the slab of the
//! kernel, whose memory stays as long as the kernel (slab, invariant 1); a late reader finds
//! another task in it, or none, and asks that one to yield.
#![allow(
    unsafe_code,
    reason = "reads a record through a pointer that another thread wrote"
)]

use std::sync::atomic::AtomicU32;

use asr_abi::flag;
use asr_base::TaskId;

use crate::kernel::Kernel;
use crate::sync::atomic::{AtomicPtr, AtomicU64, Ordering::*};
use crate::sync::{Mutex, lock, rank};
use crate::task::{Task, TaskRef};
use crate::thread::checkpoint::request;

/// See the module. Aligned, because the worker writes it at each dispatch.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Now {
    polls: AtomicPtr<Task>,
    /// Where the future of the task was spawned.
    site: AtomicU64,
}

impl Now {
    /// The worker runs a task.
    #[inline]
    pub(super) fn begins(&self, task: &TaskRef) {
        // Relaxed: for people.
        self.site.store(task.site(), Relaxed);
        self.replace(task);
    }

    /// It runs none.
    #[inline]
    pub(super) fn ends(&self) {
        self.polls.store(std::ptr::null_mut(), Relaxed);
    }

    /// What it polls.
    #[inline]
    pub(super) fn polls(&self) -> *mut Task {
        self.polls.load(Relaxed)
    }

    /// It polls this; returns what it polled before.
    #[inline]
    pub(super) fn replace(&self, task: &Task) -> *mut Task {
        let before = self.polls();
        self.restore(std::ptr::from_ref(task).cast_mut());
        before
    }

    #[inline]
    pub(super) fn restore(&self, task: *mut Task) {
        // Release: the ticker reads the record behind it.
        self.polls.store(task, Release);
    }

    /// Asks what is polled now to yield; its name and site. `kernel` is that of the worker.
    pub(super) fn ask(&self, _kernel: &Kernel) -> Option<(TaskId, u64)> {
        let task = self.polls.load(Acquire);
        // SAFETY: a record of the kernel that the caller holds (see the module).
        let task = unsafe { task.as_ref() }?;
        task.word.ask_yield();
        Some((task.id(), self.site.load(Relaxed)))
    }
}

/// The word of requests of a worker's thread, while that runs.
#[derive(Debug, Default)]
pub(super) struct ThreadFlag(Mutex<Option<&'static AtomicU32>, rank::SchedThreadFlag>);

impl ThreadFlag {
    /// The thread begins, or ends: its word is gone after this.
    pub(super) fn set(&self, word: Option<&'static AtomicU32>) {
        *lock(&self.0) = word;
    }

    /// Asks compiled code on the thread to yield (ABI-39).
    pub(super) fn ask_yield(&self) {
        // Under the lock, so that the thread does not end meanwhile.
        if let Some(word) = *lock(&self.0) {
            request(word, flag::YIELD);
        }
    }
}
