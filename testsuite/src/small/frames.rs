//! What code calls about frames, new tasks and op slots, and its probes.

#![allow(unsafe_code, reason = "frames of machine code")]

use std::alloc::{Layout, alloc, dealloc};
use std::ffi::c_void;

use asr_abi::thread::SUSPENDABLE;
use asr_abi::{Frame, Ret, Thread};

use super::{Engine, engine};

/// Unit of `size_class`.
const UNIT: u64 = 16;

impl Engine {
    fn frame(&mut self, size: u64) -> *mut Frame {
        assert!(size >= 32 && size.is_multiple_of(UNIT), "a frame of {size}");
        self.live += size;
        // SAFETY: not empty. What the code does not write is a pattern, so that it shows.
        unsafe {
            let frame = alloc(layout(size));
            frame.write_bytes(0xa5, size as usize);
            frame.cast()
        }
    }

    /// A frame for the function with this poll address, which is in the record, with its header.
    pub(super) unsafe fn frame_of(&mut self, poll: *const c_void) -> *mut Frame {
        // SAFETY: the record is that of a loaded unit.
        unsafe {
            let table = &*(*self.record).frames;
            let frames = std::slice::from_raw_parts(table.frames, table.len as usize);
            let entry = frames.iter().find(|entry| entry.poll == poll);
            let size = (*entry.expect("a poll address").meta).size;
            let frame = self.frame(size.into());
            (&raw mut (*frame).poll).cast::<*const c_void>().write(poll);
            (&raw mut (*frame).state).write(0);
            (&raw mut (*frame).size_class).write(size / UNIT as u32);
            (&raw mut (*frame).parent).write(std::ptr::null_mut());
            frame
        }
    }

    /// Frees a frame whose header has its size.
    pub(super) fn free(&mut self, frame: *mut Frame) {
        // SAFETY: from `frame`, and freed once.
        unsafe {
            let size = u64::from((*frame).size_class) * UNIT;
            self.live -= size;
            dealloc(frame.cast(), layout(size));
        }
    }
}

fn layout(size: u64) -> Layout {
    Layout::from_size_align(size as usize, UNIT as usize).expect("a small frame")
}

extern "C" fn frame_alloc(_: *const Thread, size: u64) -> *mut Frame {
    engine(|engine| engine.frame(size)).expect("a call is in progress")
}

extern "C" fn frame_new(_: *const Thread, poll: *const c_void) -> *mut Frame {
    // SAFETY: code asks for its own functions.
    engine(|engine| unsafe { engine.frame_of(poll) }).expect("a call is in progress")
}

extern "C" fn frame_free(_: *const Thread, frame: *mut Frame, _: u64) {
    engine(|engine| engine.free(frame));
}

extern "C" fn task_new(th: *const Thread, poll: *const c_void, _: u64) -> *mut Frame {
    frame_new(th, poll)
}

extern "C" fn task_start(_: *const Thread, region: u64, frame: *mut Frame) -> Ret {
    let region = Some(region).filter(|region| *region != 0);
    engine(|engine| engine.start(region, frame)).expect("a call is in progress")
}

extern "C" fn op_poll(_: *const Thread, _: *const c_void) -> Ret {
    engine(|engine| engine.host.small.poll()).expect("a call is in progress")
}

extern "C" fn checkpoint(th: *const Thread) {
    // SAFETY: the thread state of the call in progress, which code was given.
    let th = unsafe { &*th };
    let may_wait = th.site.get() & SUSPENDABLE != 0;
    th.site.set(th.site.get() & !SUSPENDABLE);
    let ret = engine(|engine| engine.host.take_probe(may_wait)).expect("a call is in progress");
    th.action.set(ret.status as u32);
    th.exc.set(ret.value);
}

/// Names and addresses.
pub(super) fn symbols() -> Vec<(String, *const u8)> {
    let named: [(&str, *const ()); 7] = [
        ("asr_i_frame_alloc", frame_alloc as *const ()),
        ("asr_i_frame_new", frame_new as *const ()),
        ("asr_i_frame_free", frame_free as *const ()),
        ("asr_i_task_new", task_new as *const ()),
        ("asr_i_task_start", task_start as *const ()),
        ("asr_i_op_poll", op_poll as *const ()),
        ("asr_checkpoint", checkpoint as *const ()),
    ];
    let named = named.into_iter();
    named
        .map(|(name, code)| (name.to_owned(), code.cast()))
        .collect()
}
