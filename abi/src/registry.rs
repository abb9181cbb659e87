//! The record of a piece of code (rule ABI-48) and the tables it points to.
//!
//! One record per unit, in section `asr_code` of an object, the same bytes passed to
//! `asr_code_register` by the JIT. A site id is `unit << 32 | index`, with `index` from 1 and
//! `unit` from the site table; it fits 48 bits.

use core::ffi::c_void;
use core::mem::offset_of;

use crate::frame::FrameMeta;

/// One place in the source where something may fail or a probe stands.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Site {
    /// Index of its function in [`SiteTable::funcs`].
    pub func: u32,
    /// Line from 1; 0 when unknown.
    pub line: u32,
    /// Column in bytes from 1; 0 when unknown.
    pub col: u32,
    /// Code of the fault that this site reports, or 0.
    pub code: u32,
}

const _: () = assert!(size_of::<Site>() == 16 && offset_of!(Site, code) == 12);

/// The sites and functions of a unit. Site `index` stands at `sites[index - 1]`.
#[repr(C)]
pub struct SiteTable {
    /// Number of the unit, upper 16 bits of its site ids.
    pub unit: u32,
    /// Number of sites.
    pub n_sites: u32,
    /// The sites.
    pub sites: *const Site,
    /// The functions, sorted by address.
    pub funcs: *const FuncEntry,
    /// Number of functions.
    pub n_funcs: u32,
    /// Reserved as zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<SiteTable>() == 32 && offset_of!(SiteTable, funcs) == 16);

/// One function: where its code is, and what people call it.
#[repr(C)]
pub struct FuncEntry {
    /// First byte of its code.
    pub entry: *const u8,
    /// Name for people, UTF-8, not terminated.
    pub name: *const u8,
    /// Name of its source file, not terminated; null when unknown.
    pub file: *const u8,
    /// Lines of its code, sorted by offset.
    pub lines: *const LineEntry,
    /// Bytes of its code.
    pub len: u32,
    /// Bytes of `name`.
    pub name_len: u32,
    /// Bytes of `file`.
    pub file_len: u32,
    /// Number of `lines`.
    pub n_lines: u32,
}

const _: () = assert!(size_of::<FuncEntry>() == 48 && offset_of!(FuncEntry, len) == 32);

/// A stretch of a function's code that comes from one line.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineEntry {
    /// Offset of its first byte from `FuncEntry::entry`; it ends where the next begins.
    pub offset: u32,
    /// Line from 1; 0 when unknown.
    pub line: u32,
}

/// The asynchronous functions of a unit.
#[repr(C)]
pub struct FrameTable {
    /// Number of frames.
    pub len: u64,
    /// The frames, sorted by poll address.
    pub frames: *const FrameEntry,
}

/// One asynchronous function.
#[repr(C)]
pub struct FrameEntry {
    /// Its poll address.
    pub poll: *const c_void,
    /// What is known of it.
    pub meta: *const FrameMeta,
}

/// One piece of code.
#[repr(C)]
pub struct CodeRecord {
    /// First byte of the code.
    pub base: *const u8,
    /// Bytes of the code.
    pub len: u64,
    /// Its sites.
    pub sites: *const SiteTable,
    /// Its asynchronous functions.
    pub frames: *const FrameTable,
    /// ABI version that it was compiled for ([`crate::VERSION`]).
    pub version: u64,
}

const _: () = {
    assert!(offset_of!(CodeRecord, len) == 8 && offset_of!(CodeRecord, sites) == 16);
    assert!(offset_of!(CodeRecord, frames) == 24 && offset_of!(CodeRecord, version) == 32);
    assert!(size_of::<CodeRecord>() == 40);
};

/// One entry of section `asr_start`: a handler that an object registers at start (rule ABI-18).
#[repr(C)]
pub struct StartHandler {
    /// Type id of the objects.
    pub type_id: u64,
    /// The handler, `Ret handler(th, object, context)`.
    pub handler: *const c_void,
    /// Bound of a fast handler in ns, 0 for a slow one.
    pub bound_ns: u64,
}

const _: () = assert!(size_of::<StartHandler>() == 24);
