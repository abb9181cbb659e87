//! Reports without an object (HEAL-2): jobs for the handler of type id 0.
//!
//! Each thread has one ticket, itself an object of type 0. While it is queued further reports of
//! the thread join it: they raise its count, which the handler reads. Tickets are static, so a
//! report neither allocates nor depends on the life of a thread; beyond [`TICKETS`] threads two may
//! share one, and their counts still add up.
#![allow(
    unsafe_code,
    reason = "hands static objects to the queue as raw pointers"
)]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};

use asr_abi::{ObjectHeader, RepairContext};

use crate::ledger::COUNTERS;
use crate::report::Outcome;
use crate::word::{Marking, mark};
use crate::{handlers, local, queue};

/// Threads that have a ticket of their own.
pub(crate) const TICKETS: u32 = 1024;

/// What the handler of type id 0 gets as object.
#[repr(C)]
pub struct NullReport {
    /// As for any object.
    pub header: ObjectHeader,
    /// Reports that this job stands for.
    pub count: AtomicU64,
    /// Task id of the reporter of the first, 0 when it had none.
    pub task: AtomicU64,
    /// Code of the last report.
    pub code: AtomicU32,
    /// Number of the thread's ticket.
    pub ticket: AtomicU32,
    /// Reports since the last job was taken.
    pending: AtomicU64,
}

static POOL: [NullReport; TICKETS as usize] = [const {
    NullReport {
        header: ObjectHeader::new(0),
        count: AtomicU64::new(0),
        task: AtomicU64::new(0),
        code: AtomicU32::new(0),
        ticket: AtomicU32::new(0),
        pending: AtomicU64::new(0),
    }
}; TICKETS as usize];

/// The ticket that an object is, if it is one.
pub(crate) fn of(object: *const ObjectHeader) -> Option<&'static NullReport> {
    let (start, size) = (POOL.as_ptr() as usize, size_of::<NullReport>());
    let index = (object as usize).checked_sub(start)? / size;
    POOL.get(index)
}

impl NullReport {
    /// The job is about to run: what is pending becomes its count.
    pub(crate) fn begin(&self) {
        // AcqRel: the codes and tasks written before the counted reports are seen.
        self.count.store(self.pending.swap(0, AcqRel), Relaxed);
    }

    /// The job was given up: the ticket serves again.
    pub(crate) fn renew(&self) {
        // Release: the next reporter of this ticket comes after the job.
        self.header.repair.store(0, Release);
    }
}

/// Reports an anomaly without an object.
pub(crate) fn report(code: u32, context: RepairContext, task: u64) -> Outcome {
    if handlers::is_registered(0).is_none() {
        COUNTERS.unhandled.up();
        return Outcome::Unhandled;
    }
    let index = local::ticket(TICKETS);
    let ticket = &POOL[index];
    ticket.code.store(code, Relaxed);
    ticket.task.store(task, Relaxed);
    ticket.ticket.store(index as u32, Relaxed);
    // Release: pairs with `begin`. Before the mark: whoever runs the job after it counts this one.
    ticket.pending.fetch_add(1, Release);
    match mark(&ticket.header.repair) {
        Marking::Owned => {
            let object = std::ptr::from_ref(&ticket.header).cast_mut();
            // SAFETY: marked by this thread just now; the pool is static.
            unsafe { queue::enqueue(object, Some(context), 0, true) };
            Outcome::Queued
        }
        Marking::Coalesced | Marking::Dead => {
            COUNTERS.coalesced.up();
            COUNTERS.null_coalesced.up();
            Outcome::Coalesced
        }
    }
}
