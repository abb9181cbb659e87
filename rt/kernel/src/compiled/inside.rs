//! What the state of the thread says while a poll runs in which compiled code may be called: the
//! task, its context, the waker's context, its bits of the flag word (ABI-20, ABI-39, ABI-41).
//!
//! Invariants
//! 1. It is set when the poll begins, and what was there before is put back when it ends, a panic
//!    included: a poll may happen inside another.
//! 2. `context` points to a [`Cx`] that lives on the stack of the poll and borrows the reference of
//!    whoever polls. It is not dropped, but the tokens that it counted are reported.
#![allow(
    unsafe_code,
    reason = "lends a context through the state of the thread"
)]

use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use asr_abi::Thread;
use asr_abi::thread::NO_EXPIRY;

use super::{across, poller};
use crate::cx::{Authority, Caps, Checked, Cx};
use crate::sync::atomic::Ordering::Relaxed;
use crate::task::{Task, TaskRef};
use crate::thread::{Local, adopt};

/// What was there before.
struct Around {
    th: &'static Thread,
    task: *const std::ffi::c_void,
    task_id: u64,
    context: *const std::ffi::c_void,
    std_cx: *mut std::ffi::c_void,
    leaf: *mut asr_abi::Frame,
    mask_depth: u32,
    intent: u64,
    intents: Vec<u64>,
    taint: u32,
    expiry: u64,
    isolate: *mut std::ffi::c_void,
}

/// How the heap of an isolate becomes that of a thread for the time of a poll, and is given back.
/// The value library says, once.
#[derive(Clone, Copy, Debug)]
pub struct IsolateHooks {
    /// The thread enters it.
    pub enter: fn(&Thread, *mut std::ffi::c_void),
    /// The thread leaves it, and has what it had before.
    pub leave: fn(&Thread, *mut std::ffi::c_void),
}

static HOOKS: std::sync::OnceLock<IsolateHooks> = std::sync::OnceLock::new();

/// Says how isolates are entered; the first to say it counts.
pub fn isolate_hooks(hooks: IsolateHooks) {
    HOOKS.get_or_init(|| hooks);
}

/// The thread enters the isolate of the task's region, if it has one and is not in it.
fn enter(th: &Thread, task: &Task) -> *mut std::ffi::c_void {
    let isolate = task.region().isolate();
    match HOOKS.get() {
        Some(hooks) if !isolate.is_null() && th.isolate.get() != isolate => {
            (hooks.enter)(th, isolate);
            isolate
        }
        _ => ptr::null_mut(),
    }
}

impl Around {
    fn begin(th: &'static Thread, task: &Task, cx: &Cx<Checked>, std_cx: &mut Context<'_>) -> Self {
        let intents = Local::of(th).map(|local| std::mem::take(&mut *local.intents.borrow_mut()));
        let around = Around {
            th,
            task: th.task.replace(ptr::from_ref(task).cast()),
            task_id: th.task_id.replace(task.id().to_bits()),
            context: th.context.replace(ptr::from_ref(cx).cast()),
            std_cx: th.std_cx.replace(ptr::from_mut(std_cx).cast()),
            leaf: th.leaf.replace(ptr::null_mut()),
            mask_depth: th.mask_depth.replace(task.masks.load(Relaxed).into()),
            intent: th.intent.replace(0),
            intents: intents.unwrap_or_default(),
            taint: th.taint.replace(0),
            expiry: th.expiry.replace(NO_EXPIRY),
            isolate: enter(th, task),
        };
        across::restore(task, th);
        poller::begin(th, task);
        around
    }
}

impl Drop for Around {
    fn drop(&mut self) {
        let th = self.th;
        if let (false, Some(hooks)) = (self.isolate.is_null(), HOOKS.get()) {
            (hooks.leave)(th, self.isolate);
        }
        th.task.set(self.task);
        th.task_id.set(self.task_id);
        th.context.set(self.context);
        th.std_cx.set(self.std_cx);
        th.leaf.set(self.leaf);
        th.mask_depth.set(self.mask_depth);
        th.intent.set(self.intent);
        if let Some(local) = Local::of(th) {
            *local.intents.borrow_mut() = std::mem::take(&mut self.intents);
        }
        th.taint.set(self.taint);
        th.expiry.set(self.expiry);
        // SAFETY: the task of the poll around this one, which is still in it.
        match unsafe { self.task.cast::<Task>().as_ref() } {
            Some(outer) => poller::begin(th, outer),
            None => poller::end(th),
        }
    }
}

/// Runs a poll of `task`. The caller holds that poll.
pub(super) fn with_task<T>(
    task: &Task,
    caps: Caps,
    context: &mut Context<'_>,
    run: impl FnOnce(&'static Thread) -> Poll<T>,
) -> Poll<T> {
    // SAFETY: the reference is that of the caller, who keeps it: the context is never dropped.
    let borrowed = unsafe { TaskRef::from_counted(NonNull::from(task)) };
    let cx = Lent::new(Cx::of(borrowed, caps));
    poll_with(task, &cx.0, context, run)
}

/// A context that borrows its reference.
pub(super) struct Lent(pub(super) ManuallyDrop<Cx<Checked>>);

impl Lent {
    pub(super) fn new(cx: Cx<Checked>) -> Lent {
        Lent(ManuallyDrop::new(cx))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.0.report_tokens();
    }
}

fn poll_with<T>(
    task: &Task,
    cx: &Cx<Checked>,
    context: &mut Context<'_>,
    run: impl FnOnce(&'static Thread) -> Poll<T>,
) -> Poll<T> {
    let th = adopt();
    let around = Around::begin(th, task, cx, context);
    let polled = run(th);
    if polled.is_pending() {
        across::keep(task, th);
    }
    drop(around);
    polled
}

/// Runs a poll of the task of `cx` in which rows of the tables are called, or compiled code: for a
/// future that evaluates, or calls. Pending: masks, intents and the like are kept for its next
/// poll.
pub fn inside<T>(
    cx: &Cx<Checked>,
    context: &mut Context<'_>,
    run: impl FnOnce(&'static Thread) -> Poll<T>,
) -> Poll<T> {
    poll_with(cx.task(), cx, context, run)
}

/// The context of the task that is polled on this thread, and the waker's.
///
/// # Safety
/// `th` is the state of the calling thread; the references are not kept beyond the call from
/// compiled code in which this is asked, and not used by two at a time.
pub unsafe fn current<'c>(th: &Thread) -> Option<(&'c Cx<Checked>, &'c mut Context<'c>)> {
    let (cx, std_cx) = (th.context.get(), th.std_cx.get());
    if th.task.get().is_null() {
        return None;
    }
    // SAFETY: invariant 1; both live until the poll ends, which is after the call.
    unsafe { Some((&*cx.cast(), &mut *std_cx.cast())) }
}

/// The task that is polled on this thread by compiled code.
pub(crate) fn task(th: &Thread) -> Option<&Task> {
    // SAFETY: set for the time of a poll, by who holds a reference.
    unsafe { th.task.get().cast::<Task>().as_ref() }
}
