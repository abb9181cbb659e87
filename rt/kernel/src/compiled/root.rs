//! The root frame of a task as its cell.
//!
//! Invariants
//! 1. The address of the cell is that of the frame, plus one (`task::cell`).
//! 2. Of the root frame, and only of it, the runtime uses two fields of the header: `value` is the
//!    leaf to resume, from the first suspension to the end; the upper half of `size_class` is the
//!    capabilities of the task.
//! 3. `state` below `DONE`: the frame may be polled, or is empty if it never started. `DONE`: the
//!    value is the output. `DONE | BOXED`: the value is the address of an outcome that is not Ok.
//!    `DONE | EMPTY`: nothing is left but memory.
#![allow(unsafe_code, reason = "lays a task out by hand")]

use std::panic::resume_unwind;
use std::ptr::{self, NonNull};
use std::task::{Context, Poll};

use asr_abi::frame_state::{DONE, START};
use asr_abi::{Frame, Ret, Thread, status};
use asr_base::{Error, Failure, Interrupted, Outcome};

use super::{Exception, across, drive, memory, release};
use crate::cx::Caps;
use crate::task::cell::{Header, Polled, Table, contained, without_value};
use crate::task::waker;
use crate::thread::adopt;

/// The poll function of an asynchronous function.
pub type PollFn = unsafe extern "C" fn(*mut Frame, *const Thread) -> Ret;

const BOXED: u32 = 0x100;
const EMPTY: u32 = 0x200;

const CLASS: u32 = 0xffff;
const CAPS_SHIFT: u32 = 16;

/// The root frame of a task that is not started: arguments are written, then it is spawned. Dropped
/// before, it is freed.
#[derive(Debug)]
pub struct RootFrame(NonNull<Frame>);

// SAFETY: a frame that has not started belongs to its owner alone; the owner vouches for its
// arguments.
unsafe impl Send for RootFrame {}

impl RootFrame {
    /// A frame of `size` bytes for `poll`; all but the header is not initialized. None if no frame
    /// is that large.
    ///
    /// # Safety
    /// `poll` may be called with a frame of this size whose arguments are written, from any thread,
    /// as ABI-27 says.
    pub unsafe fn new(th: &Thread, poll: PollFn, size: u64) -> Option<RootFrame> {
        header(th, Some(poll), size).and_then(|frame| NonNull::new(frame).map(RootFrame))
    }

    /// Writes the word of parameter `index`.
    ///
    /// # Panics
    /// If the frame has no room for it.
    pub fn argument(&mut self, index: usize, word: u64) {
        let at = size_of::<Frame>() + 8 * index;
        // SAFETY: ours.
        let class = unsafe { (*self.0.as_ptr()).size_class } & CLASS;
        assert!(at + 8 <= class as usize * memory::UNIT, "a parameter of it");
        // SAFETY: inside the frame, and aligned.
        unsafe { self.0.as_ptr().byte_add(at).cast::<u64>().write(word) }
    }

    /// The frame as compiled code has it between `task_new` and `task_start`.
    pub fn into_raw(self) -> *mut Frame {
        let frame = self.0.as_ptr();
        std::mem::forget(self);
        frame
    }

    /// # Safety
    /// From [`into_raw`](RootFrame::into_raw), once.
    pub unsafe fn from_raw(frame: NonNull<Frame>) -> RootFrame {
        RootFrame(frame)
    }

    /// The cell of a task with these capabilities.
    pub(super) fn into_cell(self, caps: Caps) -> NonNull<Header> {
        let frame = self.into_raw();
        // SAFETY: ours until it is published; a frame is not at the end of memory.
        unsafe {
            (*frame).size_class |= u32::from(caps.bits()) << CAPS_SHIFT;
            NonNull::new_unchecked(frame.byte_add(1).cast())
        }
    }
}

impl Drop for RootFrame {
    fn drop(&mut self) {
        // SAFETY: never started, and ours.
        unsafe { free(self.0) }
    }
}

/// A fresh frame with its header.
pub(super) fn header(th: &Thread, poll: Option<PollFn>, size: u64) -> Option<*mut Frame> {
    let class = memory::class_of(size)?;
    let frame = memory::take(th, class).cast::<Frame>();
    unsafe extern "C" fn none(_: *mut Frame, _: *const Thread) -> Ret {
        Ret {
            value: 0,
            status: u64::from(status::BAD_ARGUMENT),
        }
    }
    // SAFETY: at least a header, and aligned.
    unsafe {
        frame.write(Frame {
            poll: poll.unwrap_or(none),
            state: START,
            size_class: class,
            value: 0,
            parent: ptr::null_mut(),
        });
    }
    Some(frame)
}

/// The root frame of a compiled task, by its cell.
#[inline]
pub(crate) fn root_of(cell: NonNull<Header>) -> Option<NonNull<Frame>> {
    if cell.addr().get() & 1 == 0 {
        return None;
    }
    // SAFETY: one byte behind a frame.
    Some(unsafe { cell.byte_sub(1) }.cast())
}

fn root(cell: NonNull<Header>) -> NonNull<Frame> {
    root_of(cell).expect("the table of a compiled task")
}

/// The capabilities of the task.
pub(super) fn caps(root: NonNull<Frame>) -> Caps {
    // SAFETY: the caller polls the task.
    let bits = unsafe { (*root.as_ptr()).size_class } >> CAPS_SHIFT;
    Caps::from_bits(bits as u16)
}

/// The innermost frame that suspended, or the root if it has not started.
///
/// # Safety
/// The caller holds the poll of the task, which has not ended.
pub(super) unsafe fn leaf(root: NonNull<Frame>) -> *mut Frame {
    // SAFETY: by the contract; invariant 2.
    unsafe {
        match (*root.as_ptr()).state {
            START => root.as_ptr(),
            _ => ptr::with_exposed_provenance_mut((*root.as_ptr()).value as usize),
        }
    }
}

/// The task suspended at `leaf`.
///
/// # Safety
/// The caller holds the poll of the task.
pub(super) unsafe fn set_leaf(root: NonNull<Frame>, leaf: *mut Frame) {
    // SAFETY: by the contract.
    unsafe { (*root.as_ptr()).value = leaf.expose_provenance() as u64 }
}

/// Whether it can still be polled.
///
/// # Safety
/// The caller holds the poll of the task.
pub(super) unsafe fn is_live(root: NonNull<Frame>) -> bool {
    // SAFETY: by the contract.
    unsafe { (*root.as_ptr()).state & DONE == 0 }
}

/// # Safety
/// The caller has the stage of the cell (`task::cell`, invariant 3).
unsafe fn set(root: NonNull<Frame>, state: u32, value: u64) {
    // SAFETY: by the contract.
    unsafe {
        (*root.as_ptr()).state = DONE | state;
        (*root.as_ptr()).value = value;
    }
}

/// Drops what is in the cell: a computation in the middle, an outcome that nobody took.
///
/// # Safety
/// As for [`set`].
unsafe fn clear(root: NonNull<Frame>) {
    // SAFETY: by the contract; a boxed outcome is dropped once, since the state changes.
    unsafe {
        let state = (*root.as_ptr()).state;
        let value = (*root.as_ptr()).value;
        if state & DONE == 0 {
            if state != START {
                release::release(leaf(root));
            }
        } else if state & BOXED != 0 {
            let outcome = ptr::with_exposed_provenance_mut::<Outcome<u64, Error>>(value as usize);
            set(root, EMPTY, 0);
            drop(Box::from_raw(outcome));
        }
        set(root, EMPTY, 0);
    }
}

/// The functions of a cell that is a root frame.
pub(crate) static TABLE: Table = Table {
    poll,
    settle,
    take,
    empty,
    beside,
    free: free_cell,
};

unsafe fn poll(cell: NonNull<Header>, context: &mut Context<'_>) -> Polled {
    let root = root(cell);
    let task = waker::task_of(context.waker()).expect("a task is polled with its own waker");
    // SAFETY: whoever polls it has a reference.
    let task = unsafe { task.as_ref() };
    // SAFETY: by the contract of `cell::poll` the caller holds the poll.
    let ret = match unsafe { drive::drive(root, task, context) } {
        Poll::Pending => return Poll::Pending,
        Poll::Ready(ret) => ret,
    };
    let ended = ret.status as u32;
    if ended == status::OK {
        // SAFETY: as above.
        unsafe { set(root, 0, ret.value) };
        return Poll::Ready(Outcome::Ok(()));
    }
    // SAFETY: as above.
    unsafe { set(root, EMPTY, 0) };
    if let Some((word, panic)) = across::take_panic(task) {
        if ended == status::THREW && ret.value == word {
            // It went through compiled code as an exception, and nobody stopped it (ABI-26).
            resume_unwind(panic);
        }
        _ = contained(|| drop(panic));
    }
    Poll::Ready(match ended {
        status::CANCELLED => match Failure::<Error>::from(Interrupted) {
            Failure::Cancelled(reason) => Outcome::Cancelled(reason),
            Failure::Err(error) => Outcome::Err(error),
            Failure::Panicked(payload) => Outcome::Panicked(payload),
        },
        _ => Outcome::Err(Exception::error(ret)),
    })
}

unsafe fn settle(cell: NonNull<Header>, outcome: Outcome<(), Error>) {
    let root = root(cell);
    // SAFETY: by the contract of `cell::settle`.
    unsafe {
        if is_live(root) {
            clear(root);
        }
        if let Some(replaced) = without_value::<u64>(outcome) {
            clear(root);
            let outcome = Box::into_raw(Box::new(replaced));
            set(root, BOXED, outcome.expose_provenance() as u64);
        }
    }
}

unsafe fn take(cell: NonNull<Header>, out: NonNull<()>) {
    let root = root(cell);
    // SAFETY: by the contract of `cell::take` the task is complete, and the output the caller's;
    // `out` has room for it, since handles of compiled tasks have type `u64`.
    unsafe {
        let value = (*root.as_ptr()).value;
        let outcome = match (*root.as_ptr()).state & !DONE {
            0 => Outcome::Ok(value),
            BOXED => *Box::from_raw(ptr::with_exposed_provenance_mut(value as usize)),
            _ => panic!("an output is taken twice"),
        };
        set(root, EMPTY, 0);
        out.cast::<Outcome<u64, Error>>().write(outcome);
    }
}

unsafe fn empty(cell: NonNull<Header>) {
    // SAFETY: by the contract of `cell::empty`.
    unsafe { clear(root(cell)) }
}

/// A compiled task borrows nothing that may be gone, so no cell is ever put beside its own.
fn beside(outcome: Outcome<(), Error>) -> NonNull<Header> {
    unreachable!("a compiled task is no fiber: {outcome:?}")
}

unsafe fn free_cell(cell: NonNull<Header>) {
    // SAFETY: by the contract of `cell::free`.
    unsafe { free(root(cell)) }
}

/// # Safety
/// The frame is nobody's any more.
unsafe fn free(root: NonNull<Frame>) {
    // SAFETY: by the contract.
    unsafe {
        let class = (*root.as_ptr()).size_class & CLASS;
        memory::give(adopt(), class, root.as_ptr().cast());
    }
}
