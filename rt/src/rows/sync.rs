//! The rows of channels, semaphores and signals.
#![allow(unsafe_code, reason = "takes the raw arguments of compiled code and C")]

use std::sync::Arc;
use std::sync::atomic::Ordering::Acquire as Acquired;
use std::task::Poll;

use asr_abi::{OpSlot, Ret, Thread, status};
use asr_base::Status;
use asr_intrinsics::Refusal;
use asr_kernel::Cx;
use asr_kernel::compiled::slot;
use asr_kernel::cx::Checked;
use asr_kernel::obligation::{AbortCause, Kind};
use asr_sync::wait::{Acquire, Taken, Units};
use asr_sync::{Notify, WaitError};

use super::current::{cancelled, cx, done, failed, wait, with};
use super::objects::{self, Behind, Chan, Object, What};
use super::permits::{look, reserve_for};

pub(crate) use super::current::block;

type Row<T> = Result<T, Refusal>;

/// An object and the part of it that a row works with: a channel, or units.
fn found<T>(
    th: *const Thread,
    id: u64,
    part: fn(&What) -> Option<&T>,
) -> Row<(&'static Thread, Arc<Object>)>
where
    T: 'static,
{
    let (th, cx) = super::current::task(th)?;
    let object = objects::get(cx, id).map_err(with)?;
    if part(&object.what).is_none() {
        return Err(with(Status::WRONG_TYPE));
    }
    Ok((th, object))
}

fn chan_of(what: &What) -> Option<&Chan> {
    match what {
        What::Chan(chan) => Some(chan),
        _ => None,
    }
}

fn sem_of(what: &What) -> Option<&Units> {
    match what {
        What::Sem(units) => Some(units),
        _ => None,
    }
}

fn notify_of(what: &What) -> Option<&Notify> {
    match what {
        What::Notify(notify) => Some(notify),
        _ => None,
    }
}

/// The units that a permit of the object is made of.
fn units_of(what: &What) -> Option<(&Units, Kind)> {
    match what {
        What::Chan(chan) => Some((&chan.places, Kind::SEND_PERMIT)),
        What::Sem(units) => Some((units, Kind::SYNC_PERMIT)),
        What::Notify(_) => None,
    }
}

const CLOSED: Refusal = Refusal::status(status::CLOSED);

fn answer(row: Row<u64>) -> Ret {
    row.map_or_else(failed, done)
}

fn ended(error: WaitError) -> Ret {
    match error {
        WaitError::Closed => slot::refused(status::CLOSED),
        _ => slot::refused(status::CANCELLED),
    }
}

/// Waits for units of an object; a permit stands for them.
async fn acquire(cx: &'static Cx<Checked>, object: Arc<Object>, need: u32) -> Ret {
    let Some((units, kind)) = units_of(&object.what) else {
        return slot::refused(status::WRONG_TYPE);
    };
    if let Err(error) = Acquire::new(units, need, cx).await {
        return ended(error);
    }
    let behind = Behind {
        object: object.clone(),
        units: need,
    };
    answer(reserve_for(cx, kind, behind))
}

/// The same without waiting.
fn try_acquire(cx: &Cx<Checked>, object: Arc<Object>, need: u32) -> Row<u64> {
    let Some((units, kind)) = units_of(&object.what) else {
        return Err(with(Status::WRONG_TYPE));
    };
    match units.try_take(need) {
        Taken::Done(_) => {}
        Taken::Short => return Err(Refusal::status(status::FULL)),
        Taken::Closed => return Err(CLOSED),
    }
    let units = need;
    reserve_for(cx, kind, Behind { object, units })
}

pub(crate) unsafe fn chan_new(th: *const Thread, capacity: u32) -> Row<u64> {
    objects::chan(cx(th)?, capacity).map_err(with)
}

pub(crate) unsafe fn chan_reserve(th: *const Thread, slot: *mut OpSlot, chan: u64) -> Ret {
    match found(th, chan, chan_of) {
        // SAFETY: forwarded: a slot of this class.
        Ok((th, object)) => unsafe { wait::<128, _>(th, slot, move |cx| acquire(cx, object, 1)) },
        Err(refusal) => failed(refusal),
    }
}

pub(crate) unsafe fn chan_try_reserve(th: *const Thread, chan: u64) -> Row<u64> {
    let (_, object) = found(th, chan, chan_of)?;
    try_acquire(cx(th)?, object, 1)
}

pub(crate) unsafe fn chan_send(th: *const Thread, permit: u64, word: u64) -> Row<()> {
    let cx = cx(th)?;
    let (id, kind, behind) = look(cx, permit)?;
    if kind != Kind::SEND_PERMIT {
        return Err(with(Status::WRONG_TYPE));
    }
    let chan = behind
        .as_ref()
        .and_then(|behind| chan_of(&behind.object.what));
    if chan.is_some_and(|chan| chan.push(word)) {
        return cx.commit_raw(id).map_err(with);
    }
    cx.abort_raw(id, AbortCause::Closed).map_err(with)?;
    Err(Refusal {
        value: word,
        ..CLOSED
    })
}

pub(crate) unsafe fn chan_recv(th: *const Thread, slot: *mut OpSlot, chan: u64) -> Ret {
    let (th, object) = match found(th, chan, chan_of) {
        Ok(found) => found,
        Err(refusal) => return failed(refusal),
    };
    // SAFETY: forwarded: a slot of this class.
    unsafe {
        wait::<128, _>(th, slot, move |cx| async move {
            let Some(chan) = chan_of(&object.what) else {
                return slot::refused(status::WRONG_TYPE);
            };
            match Acquire::new(&chan.items, 1, cx).await {
                // Closed: what is in it is for whoever comes.
                Ok(()) | Err(WaitError::Closed) => match chan.pop() {
                    Some(word) => done(word),
                    None => slot::refused(status::CLOSED),
                },
                Err(error) => ended(error),
            }
        })
    }
}

pub(crate) unsafe fn chan_try_recv(th: *const Thread, chan: u64) -> Row<u64> {
    let (_, object) = found(th, chan, chan_of)?;
    let chan = chan_of(&object.what).ok_or(with(Status::WRONG_TYPE))?;
    match chan.items.try_take(1) {
        Taken::Done(_) | Taken::Closed => chan.pop().ok_or(CLOSED),
        Taken::Short => Err(Refusal::status(status::EMPTY)),
    }
}

pub(crate) unsafe fn chan_close(th: *const Thread, chan: u64) -> Row<()> {
    let (_, object) = found(th, chan, chan_of)?;
    if let Some(chan) = chan_of(&object.what) {
        chan.close();
    }
    Ok(())
}

pub(crate) unsafe fn chan_free(th: *const Thread, chan: u64) -> Row<()> {
    let (_, object) = found(th, chan, chan_of)?;
    objects::free(cx(th)?, &object);
    Ok(())
}

pub(crate) unsafe fn sem_new(th: *const Thread, units: u32) -> Row<u64> {
    objects::sem(cx(th)?, units).map_err(with)
}

pub(crate) unsafe fn sem_acquire(
    th: *const Thread,
    slot: *mut OpSlot,
    sem: u64,
    units: u32,
) -> Ret {
    match found(th, sem, sem_of) {
        // SAFETY: forwarded: a slot of this class.
        Ok((th, object)) => unsafe {
            wait::<128, _>(th, slot, move |cx| acquire(cx, object, units))
        },
        Err(refusal) => failed(refusal),
    }
}

pub(crate) unsafe fn sem_try_acquire(th: *const Thread, sem: u64, units: u32) -> Row<u64> {
    let (_, object) = found(th, sem, sem_of)?;
    try_acquire(cx(th)?, object, units)
}

pub(crate) unsafe fn sem_free(th: *const Thread, sem: u64) -> Row<()> {
    let (_, object) = found(th, sem, sem_of)?;
    objects::free(cx(th)?, &object);
    Ok(())
}

pub(crate) unsafe fn notify_new(th: *const Thread) -> Row<u64> {
    objects::notify(cx(th)?).map_err(with)
}

pub(crate) unsafe fn notify_wait(th: *const Thread, slot: *mut OpSlot, notify: u64) -> Ret {
    let (th, object) = match found(th, notify, notify_of) {
        Ok(found) => found,
        Err(refusal) => return failed(refusal),
    };
    // SAFETY: forwarded: a slot of this class.
    unsafe {
        wait::<128, _>(th, slot, move |cx| async move {
            let Some(notify) = notify_of(&object.what) else {
                return slot::refused(status::WRONG_TYPE);
            };
            let mut notified = std::pin::pin!(notify.notified(cx));
            let waited = std::future::poll_fn(|context| {
                let polled = notified.as_mut().poll(context);
                // After the wait began: it is told by `notify_all`, or sees this.
                if object.closed.load(Acquired) {
                    return Poll::Ready(slot::refused(status::CLOSED));
                }
                polled.map(|waited| waited.map_or_else(cancelled, |()| done(0)))
            });
            waited.await
        })
    }
}

pub(crate) unsafe fn notify_one(th: *const Thread, notify: u64) -> Row<()> {
    let (_, object) = found(th, notify, notify_of)?;
    if let Some(notify) = notify_of(&object.what) {
        notify.notify_one();
    }
    Ok(())
}

pub(crate) unsafe fn notify_all(th: *const Thread, notify: u64) -> Row<()> {
    let (_, object) = found(th, notify, notify_of)?;
    if let Some(notify) = notify_of(&object.what) {
        notify.notify_all();
    }
    Ok(())
}

pub(crate) unsafe fn notify_free(th: *const Thread, notify: u64) -> Row<()> {
    let (_, object) = found(th, notify, notify_of)?;
    objects::free(cx(th)?, &object);
    Ok(())
}
