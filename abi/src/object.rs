//! The header of an object that the healer knows (rule ABI-42).

use core::mem::offset_of;
use core::sync::atomic::{AtomicPtr, AtomicU64};

/// Fields of [`ObjectHeader::repair`]: bits 0-3 state, 4 re-examine, 8-15 attempts (saturating),
/// 16-23 node, 32-63 generation, others zero.
pub mod repair_word {
    /// Mask of the state.
    pub const STATE: u64 = 0xf;
    /// Nothing is known to be wrong.
    pub const HEALTHY: u64 = 0;
    /// Reported; nobody has taken it yet.
    pub const MARKED: u64 = 1;
    /// A ticket waits for the supervisor.
    pub const QUEUED: u64 = 2;
    /// A handler runs.
    pub const REPAIRING: u64 = 3;
    /// A retry waits for its time.
    pub const DELAYED: u64 = 4;
    /// Kept from repair.
    pub const QUARANTINED: u64 = 5;
    /// Given up.
    pub const DEAD: u64 = 6;
    /// A report came during a repair: look again before it is Healthy.
    pub const REEXAMINE: u64 = 1 << 4;
    /// First bit of the attempts.
    pub const ATTEMPTS_SHIFT: u32 = 8;
    /// First bit of the node.
    pub const NODE_SHIFT: u32 = 16;
    /// First bit of the generation.
    pub const GENERATION_SHIFT: u32 = 32;
}

/// The first 32 bytes of a repairable object. A zeroed repair word is a Healthy object of
/// generation 0.
#[repr(C)]
pub struct ObjectHeader {
    /// Type id, key of the handler.
    pub type_id: u64,
    /// State, attempts, node, generation ([`repair_word`]).
    pub repair: AtomicU64,
    /// Link of the overflow stack (HEAL-19); owned by the healer.
    pub link: AtomicPtr<ObjectHeader>,
    /// Region that owns the object, or 0.
    pub owner: u64,
}

const _: () = {
    assert!(offset_of!(ObjectHeader, repair) == 8 && offset_of!(ObjectHeader, link) == 16);
    assert!(offset_of!(ObjectHeader, owner) == 24 && size_of::<ObjectHeader>() == 32);
};

impl ObjectHeader {
    /// A healthy object of this type, owned by no region.
    pub const fn new(type_id: u64) -> ObjectHeader {
        ObjectHeader {
            type_id,
            repair: AtomicU64::new(0),
            link: AtomicPtr::new(core::ptr::null_mut()),
            owner: 0,
        }
    }
}
