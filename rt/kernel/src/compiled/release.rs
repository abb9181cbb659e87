//! A suspended computation is given up without running it (CAN-23, ABI-28).
//!
//! From the leaf up to the root: the op slots that live across the frame's suspend point are
//! dropped, then the frame itself is freed if it is on the heap. A frame of a function that is not
//! in the code registry stays where it is: an operation in it may be linked from elsewhere.
#![allow(unsafe_code, reason = "walks raw frames")]

use asr_abi::Frame;
use asr_abi::frame_state::{DONE, START};

use super::{frame_free, slot};
use crate::code;
use crate::thread::adopt;

/// See the module. The root's own memory stays.
///
/// # Safety
/// The caller holds the poll of the task, whose leaf this is; none of its frames is used again.
pub(super) unsafe fn release(leaf: *mut Frame) {
    let th = adopt();
    let mut frame = leaf;
    // SAFETY: by the contract each frame is alive until it is freed here, and its tables are as its
    // code was registered with (ABI-48).
    unsafe {
        while !frame.is_null() {
            let parent = (*frame).parent;
            let state = (*frame).state;
            let known = code::frame_meta((*frame).poll as usize);
            if state != START && state & DONE == 0 {
                let Some(point) = known.and_then(|meta| code::suspend_point(meta, state)) else {
                    return;
                };
                for &offset in code::offsets(point.slots, point.n_slots) {
                    slot::drop_in_place(frame.byte_add(offset as usize).cast());
                }
            }
            if !parent.is_null()
                && is_heap_child(parent, frame)
                && let Some(meta) = known
            {
                frame_free(th, frame, meta.size.into());
            }
            frame = parent;
        }
    }
}

/// Whether `parent` awaits `child` as a frame that it allocated.
///
/// # Safety
/// Both are alive.
unsafe fn is_heap_child(parent: *mut Frame, child: *mut Frame) -> bool {
    // SAFETY: by the contract.
    unsafe {
        let meta = code::frame_meta((*parent).poll as usize);
        let Some(point) = meta.and_then(|meta| code::suspend_point(meta, (*parent).state)) else {
            return false;
        };
        code::offsets(point.children, point.n_children)
            .iter()
            .any(|&offset| *parent.byte_add(offset as usize).cast::<*mut Frame>() == child)
    }
}
