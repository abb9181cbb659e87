//! The supervisor: one thread that repairs what the queue holds (HEAL-17; one per node later).
//!
//! Event driven: it sleeps on the count of pushes and wakes for a push, for the next delayed
//! attempt, or to stop. It runs Rust and C handlers; objects of a heap go to their home thread.
#![allow(unsafe_code, reason = "works on raw objects")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicU32, Ordering::*, fence};
use std::thread::JoinHandle;

use asr_abi::repair_word::QUEUED;
use asr_kernel::thread::now_ns;
use asr_lock::{Mutex, rank};

use crate::handlers::{self, Func};
use crate::ledger::COUNTERS;
use crate::queue::{self, Ticket};
use crate::repair::{self, Done};
use crate::report::unknown;
use crate::{home, word};

/// Before the first start; reports are handled inline or wait in the queue.
const NOT_STARTED: u32 = 0;
const RUNNING: u32 = 1;
const STOPPING: u32 = 2;
/// Reports are counted, not handled.
const STOPPED: u32 = 3;

static STATE: AtomicU32 = AtomicU32::new(NOT_STARTED);

/// Whether a supervisor serves the queue.
pub fn is_running() -> bool {
    matches!(STATE.load(Acquire), RUNNING | STOPPING)
}

/// Whether the runtime has stopped.
pub(crate) fn has_stopped() -> bool {
    STATE.load(SeqCst) == STOPPED
}

/// The running supervisor; stops and joins on drop.
#[derive(Debug)]
pub struct Supervisor {
    thread: Option<JoinHandle<()>>,
}

impl Supervisor {
    /// Starts the supervisor with a ring of this many tickets. `None` when one is running.
    ///
    /// # Errors
    /// The system could not start a thread; nothing was started.
    pub fn start(tickets: usize) -> std::io::Result<Option<Supervisor>> {
        static STARTING: Mutex<(), rank::HealStarting> = Mutex::new(());
        let _starting = STARTING.lock();
        if is_running() {
            return Ok(None);
        }
        queue::open(tickets);
        let before = STATE.swap(RUNNING, AcqRel);
        let spawned = std::thread::Builder::new()
            .name("asr-supervisor".into())
            .spawn(serve);
        match spawned {
            Ok(thread) => Ok(Some(Supervisor {
                thread: Some(thread),
            })),
            Err(error) => {
                STATE.store(before, Release);
                Err(error)
            }
        }
    }
}

impl Drop for Supervisor {
    /// Finishes every job, without the delays between attempts, and ends the thread. Reports that
    /// come later are counted only.
    fn drop(&mut self) {
        STATE.store(STOPPING, Release);
        queue::wake();
        if let Some(thread) = self.thread.take() {
            // Panics of handlers are contained; one of the supervisor itself is a broken invariant.
            thread.join().expect("the supervisor broke an invariant");
        }
        // SeqCst, with the count in `queue::wake`: a report that did not see the stop has pushed
        // before `help` looks; one that pushes later sees the stop, and helps itself.
        STATE.swap(STOPPED, SeqCst);
        fence(SeqCst);
        // Jobs of this thread's own heap come back from `help`, and go there again when they fail.
        loop {
            help();
            if !home::drain_here() {
                break;
            }
        }
    }
}

/// A delayed job, ordered by its time.
struct Delayed {
    due_ns: u64,
    ticket: Ticket,
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.due_ns == other.due_ns
    }
}

impl Eq for Delayed {}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.due_ns.cmp(&other.due_ns)
    }
}

type Wheel = BinaryHeap<Reverse<Delayed>>;

/// Ends the process when the supervisor unwinds. Its handlers are contained, so that is a broken
/// invariant (rule ABI-26), and without it every repair would wait in silence.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("asr: the supervisor broke an invariant; the process ends");
            std::process::abort();
        }
    }
}

/// The supervisor's loop.
fn serve() {
    let _abort = AbortOnUnwind;
    let mut wheel = Wheel::new();
    loop {
        // The count first: a stop that comes after this look at the state counts after it too, so
        // the sleep below ends at once.
        let epoch = queue::epoch();
        let stopping = STATE.load(Acquire) == STOPPING;
        let mut found = queue::take(|ticket| job(ticket, &mut wheel, stopping));
        found |= due(&mut wheel, stopping);
        if found {
            continue;
        }
        if stopping {
            return;
        }
        let next = wheel
            .peek()
            .map(|Reverse(delayed)| delayed.due_ns.saturating_sub(now_ns()));
        queue::sleep(epoch, next);
    }
}

/// Serves the queue from the calling thread once, when no supervisor runs.
pub(crate) fn help() {
    let mut wheel = Wheel::new();
    loop {
        let found = queue::take(|ticket| job(ticket, &mut wheel, true));
        if !(found | due(&mut wheel, true)) {
            return;
        }
    }
}

/// One job from the queue. What comes with attempts made has failed elsewhere, and waits first.
fn job(ticket: Ticket, wheel: &mut Wheel, stopping: bool) {
    // SAFETY: taken from the queue, so owned, and Queued.
    let repair_word = unsafe { &(*ticket.object).repair };
    let attempts = word::attempts(repair_word.load(Acquire));
    if attempts != 0 && !stopping {
        COUNTERS.delayed.up();
        COUNTERS.queued.down();
        word::begin(repair_word);
        if attempts < repair::ATTEMPTS_MAX {
            word::step(repair_word, asr_abi::repair_word::DELAYED, attempts);
            delay(wheel, ticket, repair::backoff_ns(attempts));
            return;
        }
        // Never reached with fewer attempts than the maximum; kept total.
        word::step(repair_word, QUEUED, attempts);
        COUNTERS.queued.up();
        COUNTERS.delayed.down();
    }
    // SAFETY: as above.
    unsafe { run(ticket, attempts, wheel) };
}

/// Runs the handler of a Queued object, or gives it to its home.
///
/// # Safety
/// The caller owns the object, which is Queued.
unsafe fn run(ticket: Ticket, attempts: u32, wheel: &mut Wheel) {
    let object = ticket.object;
    // SAFETY: owned, so it is alive.
    let handler = handlers::find(unsafe { (*object).type_id });
    if let Some(Func::Language { home, .. }) = handler.as_ref().map(|handler| &handler.func) {
        // SAFETY: owned; given away.
        return unsafe { home.push(object, &ticket.report.unwrap_or_else(unknown)) };
    }
    let mut ctx = ticket.report.unwrap_or_else(unknown);
    ctx.attempt = attempts;
    // SAFETY: forwarded.
    if let Done::Delayed(ns) = unsafe { repair::attempt(handler.as_deref(), object, ctx) } {
        let report = Some(ctx);
        delay(wheel, Ticket { object, report }, ns);
    }
}

/// Keeps the job of a Delayed object until its time.
fn delay(wheel: &mut Wheel, ticket: Ticket, ns: u64) {
    let due_ns = now_ns().saturating_add(ns);
    wheel.push(Reverse(Delayed { due_ns, ticket }));
}

/// Runs what is due; everything when the supervisor stops.
fn due(wheel: &mut Wheel, stopping: bool) -> bool {
    let mut found = false;
    while let Some(Reverse(first)) = wheel.peek() {
        if first.due_ns > now_ns() && !stopping {
            break;
        }
        let Some(Reverse(Delayed { ticket, .. })) = wheel.pop() else {
            break;
        };
        found = true;
        // SAFETY: kept by `delay`, so owned, and Delayed.
        let repair_word = unsafe { &(*ticket.object).repair };
        let attempts = word::attempts(repair_word.load(Acquire));
        COUNTERS.queued.up();
        COUNTERS.delayed.down();
        word::step(repair_word, QUEUED, attempts);
        // SAFETY: owned, and Queued now.
        unsafe { run(ticket, attempts, wheel) };
    }
    found
}
