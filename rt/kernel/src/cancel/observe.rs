//! Checkpoints and masks, from the side of the task.

use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;

use asr_base::Interrupted;

use crate::event;
use crate::inject;
use crate::obligation;
use crate::task::side::Rare;
use crate::task::{Message, Task, TaskRef, Tier, waker};

/// A checkpoint: one atomic load when nothing is pending (CAN-11).
#[inline]
pub(crate) fn checkpoint(task: &Task) -> Result<(), Interrupted> {
    if task.word.quiet() {
        return Ok(());
    }
    observe(task)
}

/// A cancel was requested, or the task is watched or asked to yield: observe it, unless a mask is
/// around (CAN-16). Level-triggered (CAN-6).
#[cold]
pub(crate) fn observe(task: &Task) -> Result<(), Interrupted> {
    if task.word.load().phase() == crate::task::Phase::Completed {
        // A context that outlived its task (CAP-9).
        return Err(Interrupted);
    }
    if task.word.take_yield() {
        // The next operation that could go on without waiting yields (TSK-23).
        task.coop.store(u8::MAX, Relaxed);
        if task.word.quiet() {
            return Ok(());
        }
    }
    if is_masked(task) {
        return Ok(());
    }
    if task.word.load().is_watched() {
        inject::at_cancel_point(task);
        if task.word.clear() {
            return Ok(());
        }
    }
    obligation::cancelled(true);
    if task.word.observe_cancel() {
        event::cancel_observed(task);
        return Err(Interrupted);
    }
    let side = task.side_or_new();
    let mut inner = side.lock();
    let limit = task.kernel().config().swallow_limit;
    let swallowed = inner.passed == limit;
    inner.passed = inner.passed.saturating_add(1);
    let passed = inner.passed;
    drop(inner);
    if swallowed {
        event::cancel_swallowed(task, passed);
    }
    Err(Interrupted)
}

/// Whether checkpoints return OK in spite of a pending cancel.
#[inline]
pub(crate) fn is_masked(task: &Task) -> bool {
    task.tier() == Tier::Finalizer || task.masks.load(Relaxed) > 0
}

/// Registers a waker that is not the task's own, to be woken by a cancel: a combinator polls its
/// branches only when their own wakers are woken. Returns a key for [`off_cancel`].
#[inline]
pub(crate) fn on_cancel(task: &Task, key: Option<u64>, waker: &Waker) -> Option<u64> {
    let own = waker::task_of(waker).is_some_and(|of| std::ptr::eq(of.as_ptr(), task));
    if own { key } else { register(task, key, waker) }
}

fn register(task: &Task, key: Option<u64>, waker: &Waker) -> Option<u64> {
    let side = task.side_or_new();
    let known = |rare: &Rare| {
        let of_key = |entry: &(u64, Waker)| Some(entry.0) == key;
        rare.cancel_wakers.iter().position(of_key)
    };
    let mut inner = side.lock();
    let rare = inner.rare_or_new();
    if known(rare).is_some_and(|at| rare.cancel_wakers[at].1.will_wake(waker)) {
        return key;
    }
    drop(inner);
    // Cloned, and dropped, outside the lock: it may be anybody's code. Meanwhile a cancel may take
    // the entry; whoever parks looks for one afterwards.
    let waker = waker.clone();
    let mut inner = side.lock();
    let rare = inner.rare_or_new();
    if let Some(at) = known(rare) {
        let displaced = std::mem::replace(&mut rare.cancel_wakers[at].1, waker);
        drop(inner);
        drop(displaced);
        return key;
    }
    let key = rare.next_waker;
    rare.next_waker += 1;
    rare.cancel_wakers.push((key, waker));
    drop(inner);
    task.word.await_cancel();
    Some(key)
}

/// Takes such a waker away.
pub(crate) fn off_cancel(task: &Task, key: u64) {
    let Some(side) = task.side() else { return };
    let mut inner = side.lock();
    let gone = inner.rare_mut().and_then(|rare| {
        let of_key = |entry: &(u64, Waker)| entry.0 == key;
        let found = rare.cancel_wakers.iter().position(of_key);
        found.map(|at| rare.cancel_wakers.swap_remove(at))
    });
    drop(inner);
    drop(gone);
}

/// Stores the message of a checkpoint.
pub(crate) fn set_message(task: &TaskRef, message: Message) {
    task.side_or_new().set_message(message);
}
