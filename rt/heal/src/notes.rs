//! What a waiting job is about, when its object waits linked through itself.
//!
//! The object's header has room for one link and no more, and a report may not allocate. So the
//! report of such a job waits in a fixed table, found by the object's address.
//!
//! Invariants
//! 1. A note belongs to the owner of its object (one owner, invariant 1 of the crate): left before
//!    the object is given away, taken by whoever takes the object.
//! 2. A table without room costs the note, never the job: its handler sees code 0.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering::*};

use asr_abi::{ObjectHeader, RepairContext};

use crate::ledger::COUNTERS;
use crate::report::unknown;

/// Notes in all: more jobs than this wait outside the ring only when something is very wrong, and
/// then the code of the later ones matters least.
const LEN: usize = 2048;

/// Places where a note may lie; bounds the time of a report.
const WINDOW: usize = 8;

#[repr(align(64))]
struct Note {
    owner: AtomicPtr<ObjectHeader>,
    code: AtomicU32,
    taint: AtomicU32,
    site: AtomicU64,
    intent: AtomicU64,
    expiry: AtomicU64,
    logical: AtomicU64,
}

static NOTES: [Note; LEN] = [const {
    Note {
        owner: AtomicPtr::new(ptr::null_mut()),
        code: AtomicU32::new(0),
        taint: AtomicU32::new(0),
        site: AtomicU64::new(0),
        intent: AtomicU64::new(0),
        expiry: AtomicU64::new(0),
        logical: AtomicU64::new(0),
    }
}; LEN];

fn window(object: *mut ObjectHeader) -> impl Iterator<Item = &'static Note> {
    let hash = (object as usize as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
    (0..WINDOW).map(move |step| &NOTES[(hash as usize + step) % LEN])
}

/// Leaves a note. The caller owns the object.
pub(crate) fn leave(object: *mut ObjectHeader, report: &RepairContext) {
    // Acquire: the taker before us is done with the note. The stores are relaxed: they are
    // published, like the object itself, by the release of the push that follows.
    let free = window(object).find(|note| {
        note.owner.load(Relaxed).is_null()
            && note
                .owner
                .compare_exchange(ptr::null_mut(), object, Acquire, Relaxed)
                .is_ok()
    });
    let Some(note) = free else {
        COUNTERS.notes_lost.up();
        return;
    };
    note.code.store(report.code, Relaxed);
    note.taint.store(report.taint, Relaxed);
    note.site.store(report.site, Relaxed);
    note.intent.store(report.intent, Relaxed);
    note.expiry.store(report.expiry, Relaxed);
    note.logical.store(report.logical, Relaxed);
}

/// Takes the note of an object. The caller owns the object.
pub(crate) fn take(object: *mut ObjectHeader) -> Option<RepairContext> {
    // Relaxed loads: the object itself was acquired, and the note was left before it was pushed.
    let note = window(object).find(|note| note.owner.load(Relaxed) == object)?;
    let mut report = unknown();
    report.code = note.code.load(Relaxed);
    report.taint = note.taint.load(Relaxed);
    report.site = note.site.load(Relaxed);
    report.intent = note.intent.load(Relaxed);
    report.expiry = note.expiry.load(Relaxed);
    report.logical = note.logical.load(Relaxed);
    // Release: the loads above are done before another owner writes.
    note.owner.store(ptr::null_mut(), Release);
    Some(report)
}
