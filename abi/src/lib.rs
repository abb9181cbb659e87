//! Layouts, statuses and codes shared by compiled code, the runtime and C.
#![allow(missing_docs)]
pub mod status {
    pub const OK: u32 = 0;
    pub const THREW: u32 = 2;
    pub const BAD_ARGUMENT: u32 = 28;
}
#[repr(C)]
pub struct Ret {
    pub value: u64,
    pub status: u64,
}
#[repr(C)]
pub struct Thread {
    _a: u64,
}
