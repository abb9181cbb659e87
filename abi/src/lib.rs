//! Layouts, statuses and codes shared by compiled code, the runtime and C. No logic.
//!
//! Every layout here is `repr(C)`; its offsets are asserted where it is defined, again in C by the
//! tests of the runtime, and belong to the ABI version ([`VERSION`]).

pub mod codes;
mod frame;
mod object;
mod registry;
mod repair;
pub mod status;
pub mod thread;

pub use frame::{Frame, FrameMeta, OpSlot, Ret, SLOT_CLASSES, SuspendPoint, frame_state};
pub use object::{ObjectHeader, repair_word};
pub use registry::{
    CodeRecord, FrameEntry, FrameTable, FuncEntry, LineEntry, Site, SiteTable, StartHandler,
};
pub use repair::{RepairContext, repair_path, repair_result};
pub use thread::{Thread, flag};

/// Version of the ABI, apart from the version of the workspace: `major << 16 | minor`. Another
/// major is refused with `VERSION_UNSUPPORTED` (rule ABI-16).
pub const VERSION: u32 = 1 << 16;
