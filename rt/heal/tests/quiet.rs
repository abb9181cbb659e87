//! A report neither allocates nor blocks nor unwinds (HEAL-3), also in a signal handler.
#![allow(unsafe_code, reason = "installs a signal handler")]

mod common;
#[path = "../../base/tests/counting/mod.rs"]
mod counting;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

use asr_abi::{ObjectHeader, repair_result};
use asr_heal::{Outcome, handlers, signal_enter, signal_leave};
use common::*;
use counting::operations;
use parking_lot::Mutex;

/// Runs a report and checks that this thread allocated nothing.
fn without_allocation(what: &str, report: impl FnOnce() -> Outcome) -> Outcome {
    let before = operations();
    let outcome = report();
    assert_eq!(operations(), before, "{what} allocates");
    outcome
}

#[test]
fn heal_3_no_path_of_a_report_allocates() {
    let healer = Healer::start();
    static GATE: Mutex<()> = Mutex::new(());
    register(3, |_, _| (), FAST);
    register(30, |_, _| drop(GATE.lock()), 0);
    register(31, |_, ctx| ctx.result = repair_result::RETRY, FAST);
    register(0, |_, _| drop(GATE.lock()), 0);
    let all = || {
        // Enough for the ring of four, the overflow, and the notes.
        let slow: Vec<_> = (0..5_000).map(|_| ObjectHeader::new(30)).collect();
        let (fast, retry, none) = (
            ObjectHeader::new(3),
            ObjectHeader::new(31),
            ObjectHeader::new(32),
        );
        let closed = GATE.lock();
        // The first report of a thread too.
        let told = without_allocation("inline repair", || tell(&fast));
        assert_eq!(told, Outcome::Repaired);
        for object in &slow {
            let told = without_allocation("enqueue", || tell(object));
            assert_eq!(told, Outcome::Queued);
        }
        without_allocation("coalesce", || tell(&slow[0]));
        without_allocation("retry", || tell(&retry));
        without_allocation("quarantine", || tell(&none));
        let told = without_allocation("null", || tell_null(CODE));
        assert_ne!(told, Outcome::Unhandled);
        without_allocation("null, coalesced", || tell_null(CODE));
        drop(closed);
        healer.quiet();
    };
    all();
    // A foreign thread, which has no state.
    std::thread::scope(|scope| _ = scope.spawn(all));
    handlers::unregister(0).unwrap();
}

#[test]
fn heal_3_a_report_returns_while_the_supervisor_stands_and_all_is_full() {
    let healer = Healer::start();
    static GATE: Mutex<()> = Mutex::new(());
    register(33, |_, _| drop(GATE.lock()), 0);
    let objects: Vec<_> = (0..20_000).map(|_| ObjectHeader::new(33)).collect();
    let closed = GATE.lock();
    let mut longest = Duration::ZERO;
    for object in &objects {
        let started = Instant::now();
        assert_eq!(tell(object), Outcome::Queued);
        longest = longest.max(started.elapsed());
    }
    // It has returned each time although nothing was taken from the queue: it does not wait. The
    // bound is a watchdog for a loaded machine; the figure belongs to the bench.
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    drop(closed);
    assert_eq!(healer.quiet().repaired, 20_000);
}

static IN_SIGNAL: ObjectHeader = ObjectHeader::new(34);
static RAN_ON: AtomicU64 = AtomicU64::new(0);
static TOLD: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_signal(_: i32) {
    signal_enter();
    if tell(&IN_SIGNAL) == Outcome::Queued {
        TOLD.fetch_add(1, SeqCst);
    }
    signal_leave();
}

/// The calling thread, as a number.
fn thread_number() -> u64 {
    // SAFETY: asks for the id of the calling thread.
    unsafe { libc::pthread_self() }
}

#[test]
fn abi_13_a_report_in_a_signal_handler_enqueues_and_runs_no_handler() {
    let healer = Healer::start();
    register(34, |_, _| RAN_ON.store(thread_number(), SeqCst), FAST);
    // SAFETY: the handler is async-signal-safe, that is the point.
    unsafe { libc::signal(libc::SIGUSR1, on_signal as *const () as usize) };
    let before = operations();
    for n in 1..=100 {
        // SAFETY: handled on this thread before it returns.
        unsafe { libc::raise(libc::SIGUSR1) };
        assert_eq!(TOLD.load(SeqCst), n);
        healer.quiet();
        assert_ne!(RAN_ON.swap(0, SeqCst), thread_number());
    }
    assert_eq!(operations(), before);
    assert!(!asr_heal::in_signal());
    assert_eq!(tell(&IN_SIGNAL), Outcome::Repaired, "outside it is inline");
    assert_eq!(RAN_ON.load(SeqCst), thread_number());
}
