//! Op slots: the futures of runtime operations, in the frames that await them (ABI-46).
//!
//! Invariants
//! 1. A slot is written by [`start`], which polls the future once. If that is pending it holds the
//!    future until [`poll`] is ready or [`drop_in_place`] is called; else nothing of it is left.
//! 2. The future lies behind the header where it fits into the slot's class, else in a box. Which
//!    it is, is decided when this is compiled.
//! 3. It has a context of its own, which borrows the reference that the task's poll has: a slot is
//!    in a frame of the task, and goes before the task does.
//! 4. A future is code of its user: a panic in it is caught, kept, and goes on as an exception
//!    (ABI-26).
#![allow(unsafe_code, reason = "keeps futures in raw memory")]

use std::any::Any;
use std::mem::{ManuallyDrop, offset_of};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use asr_abi::{OpSlot, Ret, Thread, status};

use super::across;
use super::inside::{self, Lent};
use crate::cx::{Authority, Checked, Cx};
use crate::task::TaskRef;
use crate::task::cell::contained;
use crate::thread::fault;

/// Bytes of the header before the future.
pub(super) const HEADER: usize = 24;
const _: () = assert!(offset_of!(OpSlot, cancelled) == 16 && HEADER.is_multiple_of(8));

/// What is done with the operation in a slot.
pub(super) struct OpTable {
    /// The type of the future, in which the name of the operation stands.
    pub(super) name: fn() -> &'static str,
    pub(super) poll: unsafe fn(*mut OpSlot, &mut Context<'_>) -> Poll<Ret>,
    pub(super) drop: unsafe fn(*mut OpSlot),
}

/// The answer "not now".
pub const PENDING: Ret = Ret {
    value: 0,
    status: status::PENDING as u64,
};

/// A refusal with this status.
pub fn refused(status: u32) -> Ret {
    Ret {
        value: 0,
        status: u64::from(status),
    }
}

/// An operation: the future and what it borrows.
struct Op<F> {
    /// Dropped first.
    future: ManuallyDrop<F>,
    cx: Lent,
}

impl<F> Drop for Op<F> {
    fn drop(&mut self) {
        // SAFETY: dropped once, before the context that it may borrow.
        unsafe { ManuallyDrop::drop(&mut self.future) };
    }
}

/// Where an operation of a type lies in a slot of a class.
struct In<F, const CLASS: usize>(F);

impl<F: Future<Output = Ret>, const CLASS: usize> In<F, CLASS> {
    const INLINE: bool = size_of::<Op<F>>() <= CLASS - HEADER && align_of::<Op<F>>() <= 8;
    const TABLE: OpTable = OpTable {
        name: std::any::type_name::<F>,
        poll: Self::poll,
        drop: Self::drop,
    };

    unsafe fn place(slot: *mut OpSlot) -> *mut Op<F> {
        // SAFETY: the slot has `CLASS` bytes; a box was put there if the operation does not fit.
        unsafe {
            let at = slot.byte_add(HEADER);
            if Self::INLINE {
                at.cast()
            } else {
                at.cast::<*mut Op<F>>().read()
            }
        }
    }

    unsafe fn poll(slot: *mut OpSlot, context: &mut Context<'_>) -> Poll<Ret> {
        // SAFETY: the future does not move until it is dropped in place.
        unsafe {
            let op = Self::place(slot);
            Pin::new_unchecked(&mut *(*op).future).poll(context)
        }
    }

    unsafe fn drop(slot: *mut OpSlot) {
        // SAFETY: put there by `start`, and dropped once.
        unsafe {
            let op = Self::place(slot);
            if Self::INLINE {
                ptr::drop_in_place(op);
            } else {
                drop(Box::from_raw(op));
            }
        }
    }
}

/// Starts an operation of the task that is polled here: `make` gets its context, which lives as
/// long as the future. What is ready at once does not wait, and leaves nothing in the slot
/// (ABI-29). Outside of a task the answer is `BAD_ARGUMENT`.
///
/// # Safety
/// `th` is the state of the calling thread; `slot` points to `CLASS` bytes, aligned to 16, in a
/// frame of the task that is polled, and holds no operation.
pub unsafe fn start<const CLASS: usize, F>(
    th: &Thread,
    slot: *mut OpSlot,
    make: impl FnOnce(&'static Cx<Checked>) -> F,
) -> Ret
where
    F: Future<Output = Ret>,
{
    // SAFETY: the references are not kept beyond this call.
    let Some((cx, context)) = (unsafe { inside::current(th) }) else {
        return refused(status::BAD_ARGUMENT);
    };
    if slot.is_null() || !slot.is_aligned() {
        return refused(status::BAD_ARGUMENT);
    }
    // SAFETY: the task's reference is kept by who polls it, and by its region until it is complete.
    let lent = Lent::new(Cx::of(
        unsafe { TaskRef::from_counted(NonNull::from(&**cx.task())) },
        cx.caps(),
    ));
    // SAFETY: `CLASS` bytes are ours; the context is written before the future that borrows it, and
    // stays where it is until after that is dropped.
    unsafe {
        let op: *mut Op<F> = if In::<F, CLASS>::INLINE {
            slot.byte_add(HEADER).cast()
        } else {
            Box::into_raw(Box::<Op<F>>::new_uninit()).cast()
        };
        let own = &raw mut (*op).cx;
        own.write(lent);
        let borrowed: &'static Cx<Checked> = &(&*own).0;
        (&raw mut (*op).future).write(ManuallyDrop::new(make(borrowed)));
        (&raw mut (*slot).vt).write(ptr::from_ref(const { &In::<F, CLASS>::TABLE }).cast());
        (&raw mut (*slot).value).write(0.into());
        (&raw mut (*slot).cancelled).write(0.into());
        if !In::<F, CLASS>::INLINE {
            slot.byte_add(HEADER).cast::<*mut Op<F>>().write(op);
        }
        step(th, slot, context)
    }
}

/// Polls the operation in a slot again: `PENDING` is a spurious wake.
///
/// # Safety
/// `th` is the state of the calling thread; [`start`] put an operation into `slot`, and its last
/// poll was pending.
pub unsafe fn poll(th: &Thread, slot: *mut OpSlot) -> Ret {
    // SAFETY: the references are not kept beyond this call.
    let Some((_, context)) = (unsafe { inside::current(th) }) else {
        return refused(status::BAD_ARGUMENT);
    };
    // SAFETY: by the contract.
    unsafe { step(th, slot, context) }
}

unsafe fn table(slot: *mut OpSlot) -> &'static OpTable {
    // SAFETY: `start` wrote it, from a static.
    unsafe { &*(*slot).vt.cast() }
}

unsafe fn step(th: &Thread, slot: *mut OpSlot, context: &mut Context<'_>) -> Ret {
    // SAFETY: by the contract of `poll`.
    let polled = catch_unwind(AssertUnwindSafe(|| unsafe {
        (table(slot).poll)(slot, context)
    }));
    if matches!(polled, Ok(Poll::Pending)) {
        return PENDING;
    }
    // SAFETY: as above; the operation has ended.
    let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { drop_now(slot) }));
    match (polled, dropped) {
        (Ok(Poll::Ready(ret)), Ok(())) => ret,
        (Err(panic), _) | (_, Err(panic)) => threw(th, panic),
        (Ok(Poll::Pending), _) => PENDING,
    }
}

/// A panic as an exception: the fault word of the site that was passed last.
pub fn threw(th: &Thread, panic: Box<dyn Any + Send>) -> Ret {
    let value = fault::word(th.site.get());
    match inside::task(th) {
        Some(task) => across::set_panic(task, value, panic),
        None => _ = contained(|| drop(panic)),
    }
    Ret {
        value,
        status: u64::from(status::THREW),
    }
}

unsafe fn drop_now(slot: *mut OpSlot) {
    // SAFETY: by the contract of `drop_in_place`; the slot is marked as empty first.
    unsafe {
        let table = table(slot);
        (*slot).vt = ptr::null();
        (table.drop)(slot);
    }
}

/// The name of the operation in a slot, for people: that of the function that started it.
///
/// # Safety
/// [`start`] wrote the slot.
pub(super) unsafe fn operation(slot: *mut OpSlot) -> Option<String> {
    // SAFETY: by the contract.
    let table = unsafe { (*slot).vt.cast::<OpTable>().as_ref() }?;
    let path = (table.name)();
    let mut parts = path.rsplit("::").filter(|part| !part.starts_with('{'));
    parts.next().map(str::to_owned)
}

/// Drops the operation in a slot, if there is one.
///
/// # Safety
/// [`start`] wrote the slot, and it is not being polled.
pub(super) unsafe fn drop_in_place(slot: *mut OpSlot) {
    // SAFETY: by the contract.
    contained(|| unsafe {
        if !(*slot).vt.is_null() {
            drop_now(slot);
        }
    });
}
