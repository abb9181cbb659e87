//! The rows that register code, as C and compiled code see them.
#![allow(unsafe_code, reason = "registers raw records")]

use std::ffi::c_void;
use std::ptr;

use asr_abi::{CodeRecord, ObjectHeader, RepairContext, Ret, Thread, VERSION, status};
use asr_heal::handlers;
// Defines what is declared below.
use asr_rt as _;

unsafe extern "C" {
    fn asr_code_register(record: *mut c_void) -> u32;
    fn asr_code_unregister(record: *mut c_void) -> u32;
    fn asr_handler_register(type_id: u64, handler: *const c_void, bound_ns: u64) -> u32;
    fn asr_i_code_register(th: *const Thread, record: *mut c_void) -> Ret;
}

unsafe extern "C" fn handler(_: *const Thread, _: *mut ObjectHeader, _: *mut RepairContext) -> Ret {
    Ret {
        value: 0,
        status: 0,
    }
}

#[test]
fn abi_36_part_a_unit_that_a_handler_refers_to_is_busy() {
    // Frames and cells: with tasks and the REPL.
    let record = Box::leak(Box::new(CodeRecord {
        base: (handler as *const ()).cast(),
        len: 1,
        sites: ptr::null(),
        frames: ptr::null(),
        version: u64::from(VERSION),
    }));
    let raw = ptr::from_mut(record).cast::<c_void>();
    // SAFETY: the record is leaked; the handler is of the row's type.
    unsafe {
        assert_eq!(asr_code_register(raw), status::OK);
        assert_eq!(asr_code_register(raw), status::DUPLICATE);
        let again = asr_i_code_register(ptr::null(), raw);
        assert_eq!(again.status, u64::from(status::DUPLICATE));
        let code = (handler as *const ()).cast();
        assert_eq!(asr_handler_register(36, code, 0), status::OK);
        assert_eq!(asr_code_unregister(raw), status::BUSY);
        handlers::unregister(36).unwrap();
        assert_eq!(asr_code_unregister(raw), status::OK);
        assert_eq!(asr_code_unregister(raw), status::BAD_ARGUMENT);
    }
}

#[test]
fn abi_16_a_module_with_another_major_is_refused() {
    let mut record = CodeRecord {
        base: ptr::without_provenance(0x7000_0000),
        len: 16,
        sites: ptr::null(),
        frames: ptr::null(),
        version: u64::from(VERSION) + (1 << 16),
    };
    let raw = ptr::from_mut(&mut record).cast::<c_void>();
    // SAFETY: refused, so nothing refers to the record afterwards.
    let status = unsafe { asr_code_register(raw) };
    assert_eq!(status, status::VERSION_UNSUPPORTED);
}
