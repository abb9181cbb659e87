//! The rows of regions, tasks, masks, time and budgets.
#![allow(unsafe_code, reason = "takes the raw arguments of compiled code and C")]

use asr_abi::{OpSlot, Ret, Thread, status};
use asr_base::{CancelKind, Duration, Error, Failure, Outcome, Time};
use asr_intrinsics::Refusal;
use asr_kernel::compiled::{Exception, handles, inside, light, masks, slot};
use asr_kernel::cx::{Checked, Sleep};
use asr_kernel::{Cx, RegionConfig, thread};

use super::current::{cancelled, cx, done, failed, refusal, task, wait, with};

pub(crate) use super::current::block;
pub(crate) use super::permits::{abort, commit, reserve, transfer};

type Row<T> = Result<T, Refusal>;

pub(crate) unsafe fn region_open(th: *const Thread) -> Row<u64> {
    handles::open_region(cx(th)?, &RegionConfig::new()).map_err(with)
}

pub(crate) unsafe fn region_close(th: *const Thread, slot: *mut OpSlot, region: u64) -> Ret {
    let taken = cx(th).and_then(|cx| handles::take_region(cx, region).map_err(with));
    let region = match taken {
        Ok(region) => region,
        Err(refusal) => return failed(refusal),
    };
    // SAFETY: forwarded: a slot of this class.
    unsafe {
        wait::<64, _>(th, slot, move |cx| async move {
            let outcome = region.close(cx).await;
            if cx.checkpoint().is_err() {
                return slot::refused(status::CANCELLED);
            }
            match outcome {
                Outcome::Ok(()) => done(0),
                Outcome::Cancelled(_) => done(1),
                Outcome::Err(error) if error.kind() == asr_base::Status::CYCLE => {
                    slot::refused(status::CYCLE)
                }
                Outcome::Err(error) => threw(&error),
                Outcome::Panicked(_) => panicked(),
            }
        })
    }
}

pub(crate) unsafe fn region_abandon(th: *const Thread, slot: *mut OpSlot, region: u64) -> Ret {
    let taken = cx(th).and_then(|cx| handles::take_region(cx, region).map_err(with));
    let Ok(region) = taken else {
        return done(0);
    };
    // SAFETY: forwarded: a slot of this class.
    let ret = unsafe {
        wait::<64, _>(th, slot, move |cx| async move {
            region.cancel_as(CancelKind::RaceLost, "given up by its owner");
            let _ = region.close(cx).await;
            done(0)
        })
    };
    // It cannot fail.
    if ret.status == u64::from(status::PENDING) {
        ret
    } else {
        done(0)
    }
}

pub(crate) unsafe fn region_cancel(th: *const Thread, region: u64) -> Row<()> {
    let region = handles::region(cx(th)?, region).map_err(with)?;
    region.cancel("asked by the program");
    Ok(())
}

/// A finalizer in compiled code.
type FinalizerFn = unsafe extern "C" fn(*const Thread, u64) -> Ret;

pub(crate) unsafe fn region_defer(
    th: *const Thread,
    region: u64,
    run: *const u8,
    argument: u64,
) -> Row<()> {
    let region = handles::region(cx(th)?, region).map_err(with)?;
    if run.is_null() {
        return Err(Refusal::status(status::BAD_ARGUMENT));
    }
    // SAFETY: the address of a function of this signature, says the row.
    let run = unsafe { std::mem::transmute::<*const u8, FinalizerFn>(run) };
    let deferred = region.defer_async(async move |cx| {
        let cx = cx.restrict(asr_kernel::cx::Caps::ALL);
        std::future::poll_fn(|context| {
            inside(&cx, context, |th| {
                // SAFETY: compiled code, called with the state of this thread.
                let ret = unsafe { run(th, argument) };
                std::task::Poll::Ready(finalized(ret))
            })
        })
        .await
    });
    deferred.map_err(|refused| with(refused.status()))
}

/// How a function that ran to its end ended.
fn finalized(ret: Ret) -> Result<(), Failure> {
    match ret.status as u32 {
        status::OK => Ok(()),
        status::CANCELLED => Err(asr_base::Interrupted.into()),
        _ => Err(Failure::Err(Exception::error(ret))),
    }
}

/// The exception of a failed task, as whoever waits for it throws it on.
fn threw(error: &asr_base::Error) -> Ret {
    let mut ret = Exception::ret(error);
    if ret.status != u64::from(status::THREW) || ret.value == 0 {
        ret.value = thread::fault::status_word(ret.status as u32);
    }
    ret.status = u64::from(status::THREW);
    ret
}

fn panicked() -> Ret {
    Ret {
        value: thread::fault::status_word(status::THREW),
        status: u64::from(status::THREW),
    }
}

pub(crate) unsafe fn join(th: *const Thread, slot: *mut OpSlot, task: u64) -> Ret {
    let taken = cx(th).and_then(|cx| handles::take_task(cx, task).map_err(with));
    let handle = match taken {
        Ok(handle) => handle,
        Err(refusal) => return failed(refusal),
    };
    // SAFETY: forwarded: a slot of this class.
    unsafe {
        wait::<64, _>(th, slot, move |cx| async move {
            match handle.join(cx).await {
                Err(interrupted) => cancelled(interrupted),
                Ok(Outcome::Ok(word)) => done(word),
                Ok(Outcome::Err(error)) => threw(&error),
                Ok(Outcome::Cancelled(_)) => Ret {
                    value: thread::fault::status_word(status::CANCELLED),
                    status: u64::from(status::THREW),
                },
                Ok(Outcome::Panicked(_)) => panicked(),
            }
        })
    }
}

pub(crate) unsafe fn task_detach(th: *const Thread, task: u64) {
    if let Ok(cx) = cx(th) {
        drop(handles::take_task(cx, task));
    }
}

pub(crate) unsafe fn task_cancel(th: *const Thread, task: u64) -> Row<()> {
    let cx = cx(th)?;
    let task = handles::task(cx, task).map_err(with)?;
    handles::cancel_task(cx, &task);
    Ok(())
}

pub(crate) unsafe fn task_is_done(th: *const Thread, task: u64) -> Row<bool> {
    let task = handles::task(cx(th)?, task).map_err(with)?;
    Ok(task.phase() == asr_kernel::task::Phase::Completed)
}

pub(crate) unsafe fn yield_now(th: *const Thread, slot: *mut OpSlot) -> Ret {
    if let Ok((th, _)) = task(th)
        // SAFETY: forwarded.
        && let Some(ret) = unsafe { light::yield_now(th, slot) }
    {
        return ret;
    }
    // SAFETY: forwarded: a slot of this class.
    unsafe {
        wait::<32, _>(th, slot, |cx| async move {
            match cx.yield_now().await {
                Ok(()) => done(0),
                Err(interrupted) => cancelled(interrupted),
            }
        })
    }
}

pub(crate) unsafe fn cancel_requested(th: *const Thread) -> bool {
    cx(th).is_ok_and(|cx| cx.is_cancel_requested())
}

pub(crate) unsafe fn mask_enter(th: *const Thread) -> Row<()> {
    let (th, cx) = task(th)?;
    masks::enter(th, cx).map_err(with)
}

pub(crate) unsafe fn mask_leave(th: *const Thread) {
    if let Ok((th, cx)) = task(th) {
        masks::leave(th, cx);
    }
}

pub(crate) unsafe fn commit_enter(th: *const Thread, bound: u32) -> Row<()> {
    let (th, cx) = task(th)?;
    masks::commit_enter(th, cx, bound).map_err(with)
}

pub(crate) unsafe fn commit_leave(th: *const Thread) {
    if let Ok((th, cx)) = task(th) {
        masks::commit_leave(th, cx);
    }
}

pub(crate) unsafe fn now(th: *const Thread) -> u64 {
    match cx(th).map(|cx| cx.try_now()) {
        Ok(Ok(now)) => now.as_nanos(),
        // It cannot fail: without the clock of a task there is no time.
        _ => 0,
    }
}

pub(crate) unsafe fn sleep(th: *const Thread, slot: *mut OpSlot, ns: u64) -> Ret {
    // SAFETY: forwarded.
    unsafe { sleep_to(th, slot, |cx| cx.try_sleep(Duration::from_nanos(ns))) }
}

pub(crate) unsafe fn sleep_until(th: *const Thread, slot: *mut OpSlot, at_ns: u64) -> Ret {
    // SAFETY: forwarded.
    unsafe { sleep_to(th, slot, |cx| cx.try_sleep_until(Time::from_nanos(at_ns))) }
}

/// # Safety
/// As for [`wait`], with a slot of 64 bytes.
unsafe fn sleep_to(
    th: *const Thread,
    slot: *mut OpSlot,
    make: impl FnOnce(&Cx<Checked>) -> Result<Sleep<'_>, Error>,
) -> Ret {
    let end = task(th).and_then(|(th, cx)| match make(cx) {
        Ok(sleep) => Ok((th, sleep.deadline())),
        Err(error) => Err(refusal(&error)),
    });
    let (thread, end) = match end {
        Ok(end) => end,
        Err(refusal) => return failed(refusal),
    };
    // SAFETY: forwarded: a slot of this class.
    unsafe {
        if let Some(ret) = light::sleep_until(thread, slot, end) {
            return ret;
        }
        wait::<64, _>(th, slot, move |cx| async move {
            match cx.try_sleep_until(end) {
                Err(error) => failed(refusal(&error)),
                Ok(sleep) => match sleep.await {
                    Ok(()) => done(0),
                    Err(interrupted) => cancelled(interrupted),
                },
            }
        })
    }
}

pub(crate) unsafe fn random_u64(th: *const Thread) -> Row<u64> {
    cx(th)?.random_u64().map_err(|error| refusal(&error))
}

pub(crate) unsafe fn budget_get(th: *const Thread, component: u32) -> Row<u64> {
    let budget = cx(th)?.budget();
    Ok(match component {
        0 => budget.deadline.as_nanos(),
        1 if budget.polls == u32::MAX => u64::MAX,
        1 => budget.polls.into(),
        2 => budget.cost.unwrap_or(u64::MAX),
        3 => budget.priority.into(),
        _ => return Err(Refusal::status(status::BAD_ARGUMENT)),
    })
}

pub(crate) unsafe fn charge(th: *const Thread, cost: u64) -> Row<()> {
    cx(th)?.charge(cost).map_err(|error| refusal(&error))
}
