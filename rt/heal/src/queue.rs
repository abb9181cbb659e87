//! The repair queue of the node: a ring of tickets with the metadata of their reports, and behind
//! it the overflow stack through the objects themselves (HEAL-17, HEAL-19).
//!
//! The ring is a bounded lock-free queue of the field's library; when it is full, or before the
//! supervisor has made it, the object goes to the overflow stack, and what was reported to the
//! notes: no job is lost, and its metadata only when those are full too.
#![allow(unsafe_code, reason = "moves raw objects between owners")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering::*};

use asr_abi::repair_word::QUEUED;
use asr_abi::{ObjectHeader, RepairContext};
use crossbeam_queue::ArrayQueue;

use crate::ledger::COUNTERS;
use crate::stack::Stack;
use crate::{local, notes, supervisor, word};

/// Tickets of the ring unless configured (HEAL-21).
pub const DEFAULT_TICKETS: usize = 4096;

/// One job: the object and what was reported.
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) object: *mut ObjectHeader,
    pub(crate) report: Option<RepairContext>,
}

// SAFETY: a ticket is the ownership of the object, which moves with it.
unsafe impl Send for Ticket {}

static TICKETS: OnceLock<ArrayQueue<Ticket>> = OnceLock::new();
static OVERFLOW: Stack<ObjectHeader> = Stack::new();

/// Counts pushes; the supervisor sleeps on it.
static PUSHES: AtomicU32 = AtomicU32::new(0);
static SLEEPING: AtomicU32 = AtomicU32::new(0);

/// Makes the ring; later calls change nothing.
pub(crate) fn open(tickets: usize) {
    TICKETS.get_or_init(|| ArrayQueue::new(tickets.max(1)));
}

/// The owner gives an object to the queue, with the number of attempts made so far. `first`: it is
/// a new job, not one that comes back.
///
/// # Safety
/// The caller owns the object (it marked it, or repairs it) and gives it away.
pub(crate) unsafe fn enqueue(
    object: *mut ObjectHeader,
    report: Option<RepairContext>,
    attempts: u32,
    first: bool,
) {
    if first {
        COUNTERS.enqueued.up();
    }
    COUNTERS.queued.up();
    // SAFETY: owned by the caller, so it is alive.
    word::step(unsafe { &(*object).repair }, QUEUED, attempts);
    // SAFETY: forwarded.
    unsafe { push(Ticket { object, report }) };
}

/// Puts a job whose object is Queued already into the queue.
///
/// # Safety
/// The caller owns the object.
pub(crate) unsafe fn push(ticket: Ticket) {
    let full = match TICKETS.get() {
        Some(ring) => ring.push(ticket).is_err(),
        None => true,
    };
    if full {
        if let Some(report) = &ticket.report {
            notes::leave(ticket.object, report);
        }
        // SAFETY: the caller owns the object and gives it away; it is alive until taken, because
        // retirement waits for its state to change.
        unsafe { OVERFLOW.push(ticket.object) };
    }
    wake();
    if supervisor::has_stopped() && !local::in_signal() {
        // `wake` was a read-modify-write after the push, and the one that stops looks at the queue
        // after it said so: either it saw this object, or it is served here.
        supervisor::help();
    }
}

/// Wakes the supervisor if it sleeps.
pub(crate) fn wake() {
    // SeqCst, with the two accesses in `sleep`: either the sleeper's flag is seen here, or the new
    // count is seen by the system call that would put it to sleep.
    PUSHES.fetch_add(1, SeqCst);
    if SLEEPING.load(SeqCst) != 0 {
        futex(&PUSHES, libc::FUTEX_WAKE, 1, None);
    }
}

/// A number to give to [`sleep`]: taken before the queue was found empty.
pub(crate) fn epoch() -> u32 {
    PUSHES.load(SeqCst)
}

/// Sleeps until something was pushed after `epoch`, or until the time has passed.
pub(crate) fn sleep(epoch: u32, timeout_ns: Option<u64>) {
    SLEEPING.fetch_add(1, SeqCst);
    futex(&PUSHES, libc::FUTEX_WAIT, epoch, timeout_ns);
    SLEEPING.fetch_sub(1, SeqCst);
}

/// Takes jobs: those of the ring, then the overflow.
pub(crate) fn take(mut each: impl FnMut(Ticket)) -> bool {
    let mut found = false;
    while let Some(ticket) = TICKETS.get().and_then(ArrayQueue::pop) {
        found = true;
        each(ticket);
    }
    for object in OVERFLOW.take() {
        found = true;
        each(Ticket {
            object,
            report: notes::take(object),
        });
    }
    found
}

/// One futex call. Every result is fine: callers look again.
pub(crate) fn futex(word: &AtomicU32, op: i32, value: u32, timeout_ns: Option<u64>) {
    let time = timeout_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let op = op | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word is a static; the time lives across the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), op, value, time) };
}
