//! The state of a worker thread, `th` in compiled code and `asr_thread` in C.
//!
//! Invariants
//! 1. The address of a `Thread` never changes while code runs on it; it is reached by raw pointer
//!    or shared reference, never by `&mut`.
//! 2. Another thread writes exactly one word of it, `flag`, by a release read-modify-write.
//! 3. The first 64 bytes are public (rule ABI-41); all else is private to compiled code and the
//!    runtime of the same ABI version.

use core::cell::Cell;
use core::ffi::c_void;
use core::mem::offset_of;
use core::sync::atomic::AtomicU32;

use crate::frame::Frame;

/// Bits of [`Thread::flag`] (rule ABI-6). Bit 6 and all others are reserved as zero.
pub mod flag {
    /// The task was asked to stop.
    pub const CANCEL: u32 = 1 << 0;
    /// A repair waits for this thread.
    pub const REPAIR: u32 = 1 << 1;
    /// An expiry of the task is due.
    pub const EXPIRY: u32 = 1 << 2;
    /// A metadata snapshot was requested.
    pub const SAMPLE: u32 = 1 << 3;
    /// The task should let others run.
    pub const YIELD: u32 = 1 << 4;
    /// The thread should stop for a debugger or for the reclamation of code.
    pub const STOP: u32 = 1 << 5;
    /// The runtime shuts down.
    pub const SHUTDOWN: u32 = 1 << 7;
    /// The heap of the current isolate asks for a collection.
    pub const COLLECT: u32 = 1 << 8;
    /// The bits that belong to the task being polled (rule ABI-39); the others to the thread.
    pub const OF_TASK: u32 = CANCEL | EXPIRY | YIELD;
}

/// "No expiry" in [`Thread::expiry`].
pub const NO_EXPIRY: u64 = u64::MAX;

/// Bit of [`Thread::site`] that a probe in an asynchronous function sets beside its site: it may be
/// answered PENDING. The slow path clears it before anybody reads the site.
pub const SUSPENDABLE: u64 = 1 << 63;

/// Number of size classes of frames: 16 bytes each, up to 512.
pub const FRAME_CLASSES: usize = 32;

/// The state of a worker thread.
#[repr(C, align(64))]
pub struct Thread {
    /// What is asked of this thread and its task ([`mod@flag`]); zero when nothing is. The only
    /// word that another thread writes.
    pub flag: AtomicU32,
    /// Answer of a checkpoint, a status: `OK` go on, `PENDING` suspend, else the error edge.
    pub action: Cell<u32>,
    /// Site of the probe being taken.
    pub site: Cell<u64>,
    /// Current intent; 0 is none.
    pub intent: Cell<u64>,
    /// Earliest expiry in ns of the runtime's clock; all ones is none.
    pub expiry: Cell<u64>,
    /// Current taint set.
    pub taint: Cell<u32>,
    /// Depth of masks.
    pub mask_depth: Cell<u32>,
    /// Id of the task being polled; 0 is none.
    pub task_id: Cell<u64>,
    /// Capability context (`Cx`) of the task being polled.
    pub context: Cell<*const c_void>,
    /// Logical time of the last event.
    pub logical: Cell<u64>,

    // Private from here.
    /// Lowest stack address that code on a call-graph cycle may reach (rule ABI-45). Never armed.
    pub stack_limit: Cell<usize>,
    /// Out: the frame that answered PENDING.
    pub leaf: Cell<*mut Frame>,
    /// The task being polled.
    pub task: Cell<*const c_void>,
    /// Bump window of the current heap: next free byte.
    pub alloc_ptr: Cell<*mut u8>,
    /// Bump window of the current heap: its end. Never armed.
    pub alloc_end: Cell<*mut u8>,
    /// The `std::task::Context` of this poll, or null.
    pub std_cx: Cell<*mut c_void>,
    /// Exception word of a THREW action from the slow path.
    pub exc: Cell<u64>,
    /// Intrinsics on the stack: while it is not 0 the native stack is not parked.
    pub nopark: Cell<u32>,
    /// Reserved as zero. (The depth of `asr_signal_enter` belongs to threads without a state too.)
    pub reserved_word: Cell<u32>,
    /// Free lists of frames, 16-byte classes.
    pub free: [Cell<*mut u8>; FRAME_CLASSES],
    /// Heap of dynamic values of the current isolate; owned by the value library.
    pub isolate: Cell<*mut c_void>,
    /// The kernel's own state of this thread (metadata ring, error trace, ...).
    pub kernel: Cell<*mut c_void>,
    /// The healer's own state of this thread (ticket, waiting repairs, ...).
    pub heal: Cell<*mut c_void>,
    /// Reserved as zero.
    pub reserved: [Cell<u64>; 5],
}

const _: () = {
    assert!(offset_of!(Thread, flag) == 0);
    assert!(offset_of!(Thread, action) == 4);
    assert!(offset_of!(Thread, site) == 8);
    assert!(offset_of!(Thread, intent) == 16);
    assert!(offset_of!(Thread, expiry) == 24);
    assert!(offset_of!(Thread, taint) == 32);
    assert!(offset_of!(Thread, mask_depth) == 36);
    assert!(offset_of!(Thread, task_id) == 40);
    assert!(offset_of!(Thread, context) == 48);
    assert!(offset_of!(Thread, logical) == 56);
    assert!(offset_of!(Thread, stack_limit) == 64);
    assert!(offset_of!(Thread, leaf) == 72);
    assert!(offset_of!(Thread, task) == 80);
    assert!(offset_of!(Thread, alloc_ptr) == 88);
    assert!(offset_of!(Thread, alloc_end) == 96);
    assert!(offset_of!(Thread, std_cx) == 104);
    assert!(offset_of!(Thread, exc) == 112);
    assert!(offset_of!(Thread, nopark) == 120);
    assert!(offset_of!(Thread, free) == 128);
    assert!(offset_of!(Thread, isolate) == 384);
    assert!(size_of::<Thread>() == 448 && align_of::<Thread>() == 64);
};

impl Thread {
    /// A state with nothing pending, no stack limit and no owner.
    pub const fn new() -> Thread {
        Thread {
            flag: AtomicU32::new(0),
            action: Cell::new(0),
            site: Cell::new(0),
            intent: Cell::new(0),
            expiry: Cell::new(NO_EXPIRY),
            taint: Cell::new(0),
            mask_depth: Cell::new(0),
            task_id: Cell::new(0),
            context: Cell::new(core::ptr::null()),
            logical: Cell::new(0),
            stack_limit: Cell::new(0),
            leaf: Cell::new(core::ptr::null_mut()),
            task: Cell::new(core::ptr::null()),
            alloc_ptr: Cell::new(core::ptr::null_mut()),
            alloc_end: Cell::new(core::ptr::null_mut()),
            std_cx: Cell::new(core::ptr::null_mut()),
            exc: Cell::new(0),
            nopark: Cell::new(0),
            reserved_word: Cell::new(0),
            free: [const { Cell::new(core::ptr::null_mut()) }; FRAME_CLASSES],
            isolate: Cell::new(core::ptr::null_mut()),
            kernel: Cell::new(core::ptr::null_mut()),
            heal: Cell::new(core::ptr::null_mut()),
            reserved: [const { Cell::new(0) }; 5],
        }
    }
}

impl Default for Thread {
    fn default() -> Self {
        Self::new()
    }
}
