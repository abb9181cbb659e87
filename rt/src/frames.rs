//! Frames, new tasks and op slots: what compiled code calls besides the rows (rules ABI-27,
//! ABI-46).
#![allow(unsafe_code, reason = "exports functions that take raw frames")]

use std::ptr::NonNull;

use asr_abi::{Frame, OpSlot, Ret, Thread, status};
use asr_kernel::Spawn;
use asr_kernel::code::frame_meta;
use asr_kernel::compiled::{self, PollFn, Refused, RootFrame, handles, slot};

use crate::rows::current::{cx, done, failed, with};

/// A frame larger than any that the compiler makes.
fn too_large(size: u64) -> ! {
    panic!("a frame of {size} bytes")
}

/// Bytes of a frame of the function with this poll address. More than any has if it is not known.
fn size_of_frame(poll: PollFn) -> u64 {
    frame_meta(poll as usize).map_or(u64::MAX, |meta| meta.size.into())
}

/// Memory for the frame of an awaited function, with a header that is not started.
///
/// # Safety
/// `th` is the state of the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_i_frame_alloc(th: *const Thread, size: u64) -> *mut Frame {
    // SAFETY: forwarded.
    compiled::frame_alloc(unsafe { &*th }, None, size).unwrap_or_else(|| too_large(size))
}

/// The same for a function that is known by its poll address only: its unit is registered.
///
/// # Safety
/// As for [`asr_i_frame_alloc`]; `poll` is the address of a poll function.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_i_frame_new(th: *const Thread, poll: PollFn) -> *mut Frame {
    let size = size_of_frame(poll);
    // SAFETY: forwarded.
    compiled::frame_alloc(unsafe { &*th }, Some(poll), size).unwrap_or_else(|| too_large(size))
}

/// Frees a frame of the two above; size 0 for what its header says.
///
/// # Safety
/// `frame` came from there with this size and ended; nobody uses it any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_i_frame_free(th: *const Thread, frame: *mut Frame, size: u64) {
    // SAFETY: forwarded.
    unsafe { compiled::frame_free(&*th, frame, size) }
}

/// The root frame of a new task, without its arguments; size 0 for what the tables of the unit say.
///
/// # Safety
/// `th` is the state of the calling thread; `poll` is a poll function with frames of this size, or
/// one of a registered unit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_i_task_new(th: *const Thread, poll: PollFn, size: u64) -> *mut Frame {
    let size = if size == 0 { size_of_frame(poll) } else { size };
    // SAFETY: forwarded.
    let frame = unsafe { RootFrame::new(&*th, poll, size) };
    frame.map_or_else(|| too_large(size), RootFrame::into_raw)
}

/// Starts the task of a frame whose arguments are written, in a region, or in that of the current
/// task for 0. Its handle; a frame that is refused is freed.
///
/// # Safety
/// `th` is the state of the calling thread; `frame` is from [`asr_i_task_new`], and used up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_i_task_start(
    th: *const Thread,
    region: u64,
    frame: *mut Frame,
) -> Ret {
    let Some(frame) = NonNull::new(frame) else {
        return slot::refused(status::BAD_ARGUMENT);
    };
    // SAFETY: forwarded.
    let frame = unsafe { RootFrame::from_raw(frame) };
    let cx = match cx(th) {
        Ok(cx) => cx,
        Err(refusal) => return failed(refusal),
    };
    let started = if region == 0 {
        cx.spawn_compiled(frame, Spawn::new())
    } else {
        match handles::region(cx, region) {
            Ok(region) => cx.spawn_compiled_in(&region, frame, Spawn::new()),
            Err(status) => Err(Refused { status, frame }),
        }
    };
    match started {
        Ok(handle) => done(handles::give_task(handle)),
        Err(refused) => failed(with(refused.status)),
    }
}

/// Polls the operation in a slot again, when its task was resumed at the wait for it.
///
/// # Safety
/// `th` is the state of the calling thread; `slot` was given to a row that answered `PENDING`, as
/// did this since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_i_op_poll(th: *const Thread, slot: *mut OpSlot) -> Ret {
    // SAFETY: forwarded.
    unsafe { slot::poll(&*th, slot) }
}

/// Names and addresses, for the JIT.
pub fn symbols() -> [(&'static str, *const u8); 6] {
    [
        (
            "asr_i_frame_alloc",
            asr_i_frame_alloc as *const () as *const u8,
        ),
        ("asr_i_frame_new", asr_i_frame_new as *const () as *const u8),
        (
            "asr_i_frame_free",
            asr_i_frame_free as *const () as *const u8,
        ),
        ("asr_i_task_new", asr_i_task_new as *const () as *const u8),
        (
            "asr_i_task_start",
            asr_i_task_start as *const () as *const u8,
        ),
        ("asr_i_op_poll", asr_i_op_poll as *const () as *const u8),
    ]
}
