//! The least runtime that runs tasks: a queue of frames, free lists of frames in the thread's
//! state, `yield_now`. It measures compiled code, not a scheduler.
#![allow(
    unsafe_code,
    reason = "calls JIT code, is called by it, and hands out its frames"
)]

use std::alloc::Layout;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use asr_abi::frame_state::DONE;
use asr_abi::{Frame, OpSlot, Ret, Thread, status};

type Ready = VecDeque<(*mut Frame, *mut Frame)>;
type Poll = unsafe extern "C" fn(*mut Frame, *const Thread) -> Ret;

const OK: Ret = Ret {
    value: 0,
    status: 0,
};
const PENDING: Ret = Ret {
    value: 0,
    status: status::PENDING as u64,
};

thread_local! {
    /// The tasks that are ready: root and leaf.
    static READY: RefCell<Ready> = const { RefCell::new(Ready::new()) };
    /// Bytes of frames in use.
    static LIVE: Cell<u64> = const { Cell::new(0) };
}

/// Takes a frame from the free list of its class, whose links are the first word of each.
pub(crate) unsafe extern "C" fn frame_alloc(th: *const Thread, size: u64) -> *mut u8 {
    LIVE.set(LIVE.get() + size);
    // SAFETY: the caller passes its thread's state; a listed frame is free and holds a link.
    unsafe {
        if let Some(list) = (*th).free.get(size as usize / 16 - 1) {
            let frame = list.get();
            if !frame.is_null() {
                list.set(*frame.cast::<*mut u8>());
                return frame;
            }
        }
        std::alloc::alloc(layout(size))
    }
}

/// Gives it back.
pub(crate) unsafe extern "C" fn frame_free(th: *const Thread, frame: *mut u8, size: u64) {
    LIVE.set(LIVE.get() - size);
    // SAFETY: as above, and nobody uses the frame any more.
    unsafe {
        match (*th).free.get(size as usize / 16 - 1) {
            Some(list) => {
                *frame.cast::<*mut u8>() = list.get();
                list.set(frame);
            }
            None => std::alloc::dealloc(frame, layout(size)),
        }
    }
}

fn layout(size: u64) -> Layout {
    Layout::from_size_align(size as usize, 16).expect("a frame's size")
}

unsafe extern "C" fn yield_now(_: *const Thread, _: *mut OpSlot) -> Ret {
    PENDING
}

unsafe extern "C" fn op_poll(_: *const Thread, _: *mut OpSlot) -> Ret {
    OK
}

/// What asynchronous code calls, besides what the fake runtime has.
pub(crate) fn symbols() -> [(&'static str, *const u8); 4] {
    [
        ("asr_i_frame_alloc", frame_alloc as *const u8),
        ("asr_i_frame_free", frame_free as *const u8),
        ("asr_i_yield_now", yield_now as *const u8),
        ("asr_i_op_poll", op_poll as *const u8),
    ]
}

/// Makes a task of this code, with one argument, and queues it.
///
/// # Safety
/// The code is that of an asynchronous function with a frame of this size and at most one
/// parameter, which is an integer, and stays loaded until its task has ended.
pub(crate) unsafe fn spawn(th: &Thread, poll: *const u8, size: u32, argument: u64) {
    // SAFETY: the frame is fresh and as large as asked for.
    unsafe {
        let frame = frame_alloc(th, size.into()).cast::<Frame>();
        frame.write(Frame {
            poll: std::mem::transmute::<*const u8, Poll>(poll),
            state: 0,
            size_class: size / 16,
            value: 0,
            parent: std::ptr::null_mut(),
        });
        if size as usize > size_of::<Frame>() {
            frame.add(1).cast::<u64>().write(argument);
        }
        READY.with_borrow_mut(|ready| ready.push_back((frame, frame)));
    }
}

/// Runs all tasks to their ends; gives the result of the last one that ended.
pub(crate) fn run(th: &Thread) -> Ret {
    let mut last = OK;
    while let Some((root, leaf)) = READY.with_borrow_mut(VecDeque::pop_front) {
        // SAFETY: `spawn` was told that this is a task; only this loop polls and frees it.
        unsafe {
            match drive(leaf, th) {
                Some(ret) => {
                    last = ret;
                    frame_free(th, root.cast(), 16 * u64::from((*root).size_class));
                }
                None => READY.with_borrow_mut(|ready| ready.push_back((root, th.leaf.get()))),
            }
        }
    }
    last
}

/// Bytes of frames in use.
pub(crate) fn live() -> u64 {
    LIVE.get()
}

unsafe fn drive(mut frame: *mut Frame, th: &Thread) -> Option<Ret> {
    loop {
        // SAFETY: the caller gives the leaf of a task; its frames are linked by `parent`.
        unsafe {
            let ret = ((*frame).poll)(frame, th);
            if ret.status == u64::from(status::PENDING) {
                return None;
            }
            let parent = (*frame).parent;
            if parent.is_null() {
                return Some(ret);
            }
            (*frame).value = ret.value;
            (*frame).state = DONE | ret.status as u32;
            frame = parent;
        }
    }
}
