//! Results, frames of asynchronous functions, and op slots.
//!
//! `Ret` is what every function that can fail returns in two integer registers. The frame header
//! is final; functions that use it come with compiled concurrency.

use core::cell::Cell;
use core::ffi::c_void;
use core::mem::offset_of;
use core::sync::atomic::AtomicU32;

use crate::thread::Thread;

/// Value and status (rax:rdx, x0:x1): the same as a C struct of two `uint64_t`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ret {
    /// The result, an exception word, or what is handed back; floats by their bits.
    pub value: u64,
    /// A number of [`crate::status`].
    pub status: u64,
}

/// States of [`Frame::state`].
pub mod frame_state {
    /// Not started.
    pub const START: u32 = 0;
    /// Ended; the low byte is the status.
    pub const DONE: u32 = 0x8000_0000;
}

/// The header of an asynchronous activation; parameters, spills and one shared area follow.
#[repr(C)]
pub struct Frame {
    /// Runs it to its next suspension.
    pub poll: unsafe extern "C" fn(*mut Frame, *const Thread) -> Ret,
    /// 0 not started, k the k-th suspend point, `DONE | status` ended.
    pub state: u32,
    /// Class of its memory; 0 when it is embedded in its parent.
    pub size_class: u32,
    /// Result, valid when `state` has `DONE`.
    pub value: u64,
    /// Who awaits it; valid once linked, null in the root frame of a task.
    pub parent: *mut Frame,
}

const _: () = {
    assert!(offset_of!(Frame, state) == 8 && offset_of!(Frame, size_class) == 12);
    assert!(offset_of!(Frame, value) == 16 && offset_of!(Frame, parent) == 24);
    assert!(size_of::<Frame>() == 32);
};

/// What the runtime knows of an asynchronous function, found by its poll address.
#[repr(C)]
pub struct FrameMeta {
    /// Name, not terminated.
    pub name: *const u8,
    /// Bytes of the name.
    pub name_len: u32,
    /// Bytes of the frame.
    pub size: u32,
    /// Suspend points, the first belongs to state 1.
    pub points: *const SuspendPoint,
    /// Number of suspend points.
    pub n_points: u32,
    /// Reserved as zero.
    pub reserved: u32,
}

/// What lives across one suspension: three arrays of offsets into the frame.
#[repr(C)]
pub struct SuspendPoint {
    /// Site of the suspension.
    pub site: u64,
    /// References to dynamic values.
    pub refs: *const u32,
    /// Op slots.
    pub slots: *const u32,
    /// Children on the heap.
    pub children: *const u32,
    /// Number of `refs`.
    pub n_refs: u32,
    /// Number of `slots`.
    pub n_slots: u32,
    /// Number of `children`.
    pub n_children: u32,
    /// Reserved as zero.
    pub reserved: u32,
}

/// The classes of op slots in bytes, header included (rule ABI-46).
pub const SLOT_CLASSES: [u32; 3] = [32, 64, 128];

/// Header of the state of one waiting operation; the inline future or its box follows at 24.
#[repr(C, align(16))]
pub struct OpSlot {
    /// Operations on the future.
    pub vt: *const c_void,
    /// A dynamic value that the operation needs.
    pub value: Cell<u64>,
    /// Set when the task was asked to stop.
    pub cancelled: AtomicU32,
    /// Reserved as zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<OpSlot>() == 32 && align_of::<OpSlot>() == 16);
