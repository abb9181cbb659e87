//! The last metadata snapshots of a thread (HEAL-4, HEAL-8).

use asr_abi::Thread;

/// How many snapshots are kept: enough to explain a fault, small enough to dump whole.
pub const LEN: usize = 64;

/// What a slow probe records: at most 40 bytes, no heap object.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Snapshot {
    /// Site of the probe.
    pub site: u64,
    /// Current intent.
    pub intent: u64,
    /// Earliest expiry in ns.
    pub expiry: u64,
    /// Logical time.
    pub logical: u64,
    /// Taint set.
    pub taint: u32,
    /// Reserved as zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<Snapshot>() <= 40);

impl Snapshot {
    /// The metadata of a thread now.
    pub fn of(th: &Thread) -> Snapshot {
        Snapshot {
            site: th.site.get(),
            intent: th.intent.get(),
            expiry: th.expiry.get(),
            logical: th.logical.get(),
            taint: th.taint.get(),
            reserved: 0,
        }
    }
}

/// The ring. Written by its thread only.
pub struct Ring {
    slots: [Snapshot; LEN],
    written: u64,
}

impl Ring {
    /// Empty.
    pub(super) const fn new() -> Ring {
        let empty = Snapshot {
            site: 0,
            intent: 0,
            expiry: 0,
            logical: 0,
            taint: 0,
            reserved: 0,
        };
        Ring {
            slots: [empty; LEN],
            written: 0,
        }
    }

    /// Adds a snapshot, over the oldest when full.
    pub fn push(&mut self, snapshot: Snapshot) {
        self.slots[(self.written % LEN as u64) as usize] = snapshot;
        self.written += 1;
    }

    /// Number of snapshots ever taken.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// The snapshots kept, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Snapshot> {
        let first = self.written.saturating_sub(LEN as u64);
        (first..self.written).map(|n| &self.slots[(n % LEN as u64) as usize])
    }
}
