//! The C interface besides the rows: `asr_runtime.h` (rule ABI-12), start and stop, versions.
//!
//! No panic crosses it: what runs user code contains it ([`asr_heal`]), and in any other entry a
//! panic is a broken invariant, which `extern "C"` turns into an abort (rules ABI-14, ABI-26).
#![allow(unsafe_code, reason = "exports functions that take raw pointers")]

use std::ffi::c_void;

use asr_abi::{CodeRecord, Frame, ObjectHeader, RepairContext, Thread, VERSION, status};
use asr_heal::handlers::{self, DEFAULT_BOUND_NS};
use asr_heal::{Func, ledger};
use asr_kernel::thread::{self, checkpoint};
use asr_lock::{Mutex, rank};

use crate::runtime::{Config, Runtime, StartError};

/// A handler of C: `void (*asr_handler_fn)(void *obj, void *ctx)`.
type HandlerFn = unsafe extern "C-unwind" fn(*mut ObjectHeader, *mut RepairContext);

/// Registers a handler for a type, fast with 50 us; null unregisters. The reserved type is a
/// counted no-op.
///
/// # Safety
/// `handler` is null or may be called with an object of the type and a repair context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_register_handler(type_id: u64, handler: Option<HandlerFn>) {
    let done = match handler {
        Some(handler) => handlers::register(type_id, Func::C(handler), DEFAULT_BOUND_NS),
        None => handlers::unregister(type_id),
    };
    if done.is_err() {
        ledger::bad_argument();
    }
}

/// The slow path of a probe. Null is the calling thread's state; on a thread without one nothing
/// happens.
///
/// # Safety
/// `thread_state` is null or the state of the calling thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_checkpoint(thread_state: *mut c_void) {
    let th = thread_state.cast::<Thread>().cast_const();
    let th = if th.is_null() { thread::current() } else { th };
    if !th.is_aligned() {
        ledger::bad_argument();
        return;
    }
    // SAFETY: null, or the state of the calling thread.
    if let Some(th) = unsafe { th.as_ref() } {
        checkpoint::checkpoint(th);
    }
}

/// Reports an anomaly of an object, or of none when `data` is null. Callable from any thread, in
/// signal handlers (between `asr_signal_enter` and `asr_signal_leave`), before start, after stop.
///
/// # Safety
/// `data` is null or points to an object header that is alive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_report_anomaly(code: u32, data: *mut c_void) {
    let object = data.cast::<ObjectHeader>();
    if !object.is_aligned() {
        ledger::bad_argument();
        return;
    }
    // SAFETY: `current` is the calling thread's state or null; the object is as the caller says.
    unsafe { asr_heal::report(thread::current(), code, object) };
}

/// Version and sizes, to be compared by whoever links against this runtime (rule ABI-16).
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AbiInfo {
    /// Bytes of this structure; a later version only appends.
    pub size: u32,
    /// `major << 16 | minor`.
    pub version: u32,
    /// Bytes of `asr_thread`.
    pub thread: u32,
    /// Bytes of the frame header.
    pub frame: u32,
    /// Bytes of the object header.
    pub object_header: u32,
    /// Bytes of the repair context.
    pub repair_context: u32,
    /// Bytes of a code record.
    pub code_record: u32,
    /// Reserved as zero.
    pub reserved: u32,
}

static ABI_INFO: AbiInfo = AbiInfo {
    size: size_of::<AbiInfo>() as u32,
    version: VERSION,
    thread: size_of::<Thread>() as u32,
    frame: size_of::<Frame>() as u32,
    object_header: size_of::<ObjectHeader>() as u32,
    repair_context: size_of::<RepairContext>() as u32,
    code_record: size_of::<CodeRecord>() as u32,
    reserved: 0,
};

/// Version of the ABI: `major << 16 | minor`.
#[unsafe(no_mangle)]
pub extern "C" fn asr_abi_version() -> u32 {
    VERSION
}

/// Version and sizes of the ABI; lives as long as the process.
#[unsafe(no_mangle)]
pub extern "C" fn asr_abi_info() -> *const AbiInfo {
    &ABI_INFO
}

static RUNNING: Mutex<Option<Runtime>, rank::RtRunning> = Mutex::new(None);

/// Starts the runtime for a caller compiled against ABI `version`: `OK`, `DUPLICATE` when it runs
/// already, `VERSION_UNSUPPORTED`, or `IO`. What was refused is written to stderr.
#[unsafe(no_mangle)]
pub extern "C" fn asr_runtime_start(version: u32) -> u32 {
    if version >> 16 != VERSION >> 16 {
        eprintln!(
            "asr: compiled for ABI version {}.{}, this runtime has {}.{} [S21]",
            version >> 16,
            version & 0xffff,
            VERSION >> 16,
            VERSION & 0xffff
        );
        return status::VERSION_UNSUPPORTED;
    }
    let mut running = RUNNING.lock();
    if running.is_some() {
        return status::DUPLICATE;
    }
    match Runtime::start(Config::default()) {
        Ok(runtime) => {
            *running = Some(runtime);
            status::OK
        }
        Err(error) => {
            eprintln!("asr: {error}");
            match error {
                StartError::Code(error) => error.status(),
                StartError::Thread(_) => status::IO,
                StartError::Running => status::DUPLICATE,
            }
        }
    }
}

/// Stops what `asr_runtime_start` started, after every pending repair: `OK`, or `CLOSED` when
/// nothing runs.
#[unsafe(no_mangle)]
pub extern "C" fn asr_runtime_stop() -> u32 {
    match RUNNING.lock().take() {
        Some(runtime) => {
            drop(runtime);
            status::OK
        }
        None => status::CLOSED,
    }
}

/// The state of the calling thread; null when it has none.
#[unsafe(no_mangle)]
pub extern "C" fn asr_thread_current() -> *const Thread {
    thread::current()
}

/// The state of the calling thread, made now if it has none; null while the thread is torn down.
/// Not for signal handlers.
#[unsafe(no_mangle)]
pub extern "C" fn asr_thread_adopt() -> *const Thread {
    thread::adopt_ptr()
}

/// The account of reports, for C. A later version only appends and raises `size`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LedgerC {
    /// In: bytes that the caller has. Out: bytes written.
    pub size: u64,
    /// Reports.
    pub reported: u64,
    /// Repaired by the reporter.
    pub inline_repaired: u64,
    /// Joined to a report in hand.
    pub coalesced: u64,
    /// Jobs.
    pub enqueued: u64,
    /// Without a handler.
    pub quarantined_direct: u64,
    /// Null reports without a handler, and reports after stop.
    pub unhandled: u64,
    /// Jobs repaired.
    pub repaired: u64,
    /// Jobs given up.
    pub dead: u64,
    /// Jobs whose type lost its handler.
    pub quarantined: u64,
    /// Jobs that wait for their next attempt.
    pub delayed: u64,
    /// Jobs in a queue.
    pub queued: u64,
    /// Jobs whose handler runs.
    pub in_repair: u64,
    /// Refused arguments.
    pub bad_arguments: u64,
}

/// Reads the account into `out`, at most `out->size` bytes: `OK` or `BAD_ARGUMENT`.
///
/// # Safety
/// `out` is null or points to `out->size` bytes that may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_ledger_read(out: *mut LedgerC) -> u32 {
    if out.is_null() || !out.is_aligned() {
        return status::BAD_ARGUMENT;
    }
    // SAFETY: not null and aligned; the first field is the size, says the caller.
    let room = unsafe { (*out).size } as usize;
    if room < size_of::<u64>() {
        return status::BAD_ARGUMENT;
    }
    let now = ledger::read();
    let mut all = LedgerC {
        size: 0,
        reported: now.reported,
        inline_repaired: now.inline_repaired,
        coalesced: now.coalesced,
        enqueued: now.enqueued,
        quarantined_direct: now.quarantined_direct,
        unhandled: now.unhandled,
        repaired: now.repaired,
        dead: now.dead,
        quarantined: now.quarantined,
        delayed: now.delayed,
        queued: now.queued,
        in_repair: now.in_repair,
        bad_arguments: now.bad_arguments,
    };
    let bytes = room.min(size_of::<LedgerC>());
    all.size = bytes as u64;
    // SAFETY: `bytes` fit both; `out` may be written, says the caller.
    unsafe { std::ptr::copy_nonoverlapping((&raw const all).cast::<u8>(), out.cast(), bytes) };
    status::OK
}
