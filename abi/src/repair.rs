//! What a repair handler gets as `ctx` (rule ABI-43).

use core::mem::offset_of;

/// Values of [`RepairContext::path`].
pub mod repair_path {
    /// The reporter runs the handler.
    pub const INLINE: u32 = 0;
    /// A supervisor runs it.
    pub const SUPERVISOR: u32 = 1;
}

/// Values of [`RepairContext::result`]; any other counts as failed.
pub mod repair_result {
    /// The object is sound again; what a handler answers by returning.
    pub const REPAIRED: u32 = 0;
    /// Ask the supervisor.
    pub const NEEDS_SLOW: u32 = 1;
    /// Try again later.
    pub const RETRY: u32 = 2;
    /// It cannot be repaired now.
    pub const FAILED: u32 = 3;
}

/// The repair context. A later version only appends fields and raises `size`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RepairContext {
    /// Bytes of this structure.
    pub size: u32,
    /// Code of the anomaly.
    pub code: u32,
    /// Site of the report, or 0.
    pub site: u64,
    /// Intent at the report.
    pub intent: u64,
    /// Earliest expiry at the report.
    pub expiry: u64,
    /// Taint set at the report.
    pub taint: u32,
    /// Number of this attempt, from 0.
    pub attempt: u32,
    /// Who runs the handler ([`repair_path`]).
    pub path: u32,
    /// Written by the handler ([`repair_result`]).
    pub result: u32,
    /// Time that the handler may take, in ns.
    pub budget_ns: u64,
    /// Logical time of the report.
    pub logical: u64,
}

const _: () = {
    assert!(offset_of!(RepairContext, code) == 4 && offset_of!(RepairContext, site) == 8);
    assert!(offset_of!(RepairContext, intent) == 16 && offset_of!(RepairContext, expiry) == 24);
    assert!(offset_of!(RepairContext, taint) == 32 && offset_of!(RepairContext, attempt) == 36);
    assert!(offset_of!(RepairContext, path) == 40 && offset_of!(RepairContext, result) == 44);
    assert!(offset_of!(RepairContext, budget_ns) == 48);
    assert!(offset_of!(RepairContext, logical) == 56 && size_of::<RepairContext>() == 64);
};
