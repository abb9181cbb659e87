//! Metadata of a context: where it lives, who changes it, what a report takes of it.
#![allow(unsafe_code, reason = "calls rows of the table")]

use std::ffi::c_void;
use std::sync::atomic::Ordering::SeqCst;

use asr_abi::{ObjectHeader, RepairContext, Thread, flag, status, thread::NO_EXPIRY};
use asr_heal::{Func, NullReport, handlers, ledger};
use asr_kernel::thread::{Local, adopt, checkpoint};
use asr_rt::{Config, Runtime};
use parking_lot::Mutex;

/// Tests of this file share the runtime and the handler of type 0.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

unsafe extern "C" {
    // Rows of the core, as C sees them; defined by `asr-rt`.
    safe fn asr_intent_push(intent: u64) -> u32;
    safe fn asr_intent_pop() -> u32;
    safe fn asr_taint_add(labels: u32) -> u32;
    safe fn asr_taint_sanitize(sanitizer: u64, labels: u32) -> u32;
    safe fn asr_sanitizer_register(sanitizer: u64, labels: u32) -> u32;
    safe fn asr_expiry_set(at_ns: u64) -> u32;
    fn asr_anomaly(code: u32, object: *mut c_void) -> u32;
}

fn snapshots(th: &Thread) -> u64 {
    Local::of(th).unwrap().ring.borrow().written()
}

#[test]
fn heal_5_part_values_change_in_place_and_a_clear_probe_takes_no_snapshot() {
    // What waits here: the instruction count of a clear probe, tested with the lowering (ABI-4).
    let _one = ONE_AT_A_TIME.lock();
    let _runtime = Runtime::start(Config::default()).unwrap();
    let th = adopt();
    let before = snapshots(th);
    assert_eq!(asr_intent_push(7), status::OK);
    assert_eq!(asr_intent_push(8), status::OK);
    assert_eq!(th.intent.get(), 8);
    assert_eq!(asr_intent_pop(), status::OK);
    assert_eq!(th.intent.get(), 7);
    assert_eq!(asr_taint_add(0b101), status::OK);
    assert_eq!(th.taint.get(), 0b101);
    assert_eq!(asr_expiry_set(123), status::OK);
    assert_eq!(th.expiry.get(), 123);
    // Compiled code tests the flag and goes on: nothing else happens without a request.
    assert_eq!((th.flag.load(SeqCst), snapshots(th)), (0, before));
    checkpoint::request(&th.flag, flag::SAMPLE);
    checkpoint::checkpoint(th);
    assert_eq!(snapshots(th), before + 1);
    let local = Local::of(th).unwrap();
    let last = *local.ring.borrow().iter().last().unwrap();
    assert_eq!((last.intent, last.taint, last.expiry), (7, 0b101, 123));
    asr_intent_pop();
    asr_expiry_set(NO_EXPIRY);
}

#[test]
fn heal_6_part_taint_only_grows_but_through_a_sanitizer_and_intents_nest() {
    // What waits: tasks, with which both are saved, restored and moved.
    let _one = ONE_AT_A_TIME.lock();
    let th = adopt();
    th.taint.set(0);
    asr_taint_add(0b0011);
    asr_taint_add(0b0110);
    assert_eq!(th.taint.get(), 0b0111);
    assert_eq!(asr_taint_sanitize(66, 0b0010), status::CAP_DENIED);
    assert_eq!(asr_sanitizer_register(66, 0b0010), status::OK);
    assert_eq!(
        asr_taint_sanitize(66, 0b0110),
        status::CAP_DENIED,
        "not all its own"
    );
    assert_eq!(th.taint.get(), 0b0111);
    assert_eq!(asr_taint_sanitize(66, 0b0010), status::OK);
    assert_eq!(th.taint.get(), 0b0101);
    // Intents of other threads are their own.
    asr_intent_push(1);
    std::thread::spawn(|| {
        assert_eq!(adopt().intent.get(), 0);
        asr_intent_push(2);
        assert_eq!(adopt().intent.get(), 2);
    })
    .join()
    .unwrap();
    assert_eq!(th.intent.get(), 1);
    asr_intent_pop();
    asr_intent_pop();
    assert_eq!(th.intent.get(), 0, "a pop too many is nothing");
    let depth = (0..)
        .take_while(|&n| asr_intent_push(n + 1) == status::OK)
        .count();
    assert!(depth >= 64, "{depth}");
    assert_eq!(asr_intent_push(1), status::FULL);
    (0..depth).for_each(|_| _ = asr_intent_pop());
    assert_eq!(th.intent.get(), 0);
}

#[test]
fn heal_7_part_a_due_expiry_is_one_anomaly_of_class_03() {
    // What waits: the wheel that sets the bit, and extension at its last tick.
    static CODES: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    fn note(object: *mut ObjectHeader, _: &mut RepairContext) {
        // SAFETY: what the handler of type 0 gets.
        CODES
            .lock()
            .push(unsafe { &*object.cast::<NullReport>() }.code.load(SeqCst));
    }
    let _one = ONE_AT_A_TIME.lock();
    let runtime = Runtime::start(Config::default()).unwrap();
    handlers::register(0, Func::Rust(note), 0).unwrap();
    let before = ledger::read();
    let th = adopt();
    let probe_when_due = |at_ns| {
        asr_expiry_set(at_ns);
        for _ in 0..3 {
            // The bit once, and twice more, stale.
            checkpoint::request(&th.flag, flag::EXPIRY);
            checkpoint::checkpoint(th);
            assert_eq!(th.action.get(), status::OK);
        }
    };
    probe_when_due(1);
    assert_eq!(th.expiry.get(), NO_EXPIRY, "handled");
    // Extended before the probe: cancelled.
    probe_when_due(NO_EXPIRY - 1);
    assert_eq!(th.expiry.get(), NO_EXPIRY - 1, "still to come");
    asr_expiry_set(NO_EXPIRY);
    drop(runtime);
    handlers::unregister(0).unwrap();
    assert_eq!(*CODES.lock(), [0x0300_0001]);
    assert_eq!(ledger::read().since(&before).reported, 1, "exactly once");
}

#[test]
fn abi_24_part_a_fault_reaches_the_handler_of_type_0_with_its_code() {
    // What waits here: compiled faults, tested with the lowering and the driver.
    static SEEN: Mutex<Vec<(u32, u64)>> = Mutex::new(Vec::new());
    fn note(_: *mut ObjectHeader, ctx: &mut RepairContext) {
        SEEN.lock().push((ctx.code, ctx.site));
    }
    let _one = ONE_AT_A_TIME.lock();
    let runtime = Runtime::start(Config::default()).unwrap();
    handlers::register(0, Func::Rust(note), 0).unwrap();
    let before = ledger::read();
    let th = adopt();
    let word = asr_kernel::thread::fault::raise(th, 0x3_0000_0009, 0x0100_0003);
    assert_eq!(
        asr_kernel::thread::fault::site_of(word),
        Some(0x3_0000_0009)
    );
    drop(runtime);
    handlers::unregister(0).unwrap();
    assert!(Local::of(th).unwrap().trace.borrow().sites() == [0x3_0000_0009]);
    assert_eq!(*SEEN.lock(), [(0x0100_0003, 0x3_0000_0009)]);
    let delta = ledger::read().since(&before);
    assert_eq!((delta.reported, delta.enqueued, delta.repaired), (1, 1, 1));
}

#[test]
fn abi_13_part_after_stop_reports_are_counted_and_a_new_start_serves_again() {
    // The other moments, in C: `tests/c/healing.c`.
    let _one = ONE_AT_A_TIME.lock();
    handlers::register(900, Func::Rust(|_, _| ()), 1_000_000).unwrap();
    let object = ObjectHeader::new(900);
    let tell = || {
        // SAFETY: alive.
        unsafe { asr_anomaly(0x8000_0001, (&raw const object).cast_mut().cast()) };
    };
    drop(Runtime::start(Config::default()).unwrap());
    let before = ledger::read();
    tell();
    let delta = ledger::read().since(&before);
    assert_eq!((delta.unhandled, delta.after_shutdown), (1, 1));
    let runtime = Runtime::start(Config::default()).unwrap();
    assert!(Runtime::start(Config::default()).is_err(), "one at a time");
    tell();
    assert_eq!(ledger::read().since(&before).inline_repaired, 1);
    drop(runtime);
}

#[test]
fn heal_8_the_last_64_snapshots_are_there_after_a_fault() {
    let _one = ONE_AT_A_TIME.lock();
    let th = adopt();
    for site in 1..=70 {
        th.site.set(site);
        checkpoint::request(&th.flag, flag::SAMPLE);
        checkpoint::checkpoint(th);
    }
    asr_kernel::thread::fault::raise(th, 0x3_0000_000a, 0x0100_0001);
    let local = Local::of(th).unwrap();
    let sites: Vec<u64> = local.ring.borrow().iter().map(|one| one.site).collect();
    assert_eq!(sites, (7..=70).collect::<Vec<_>>());
}
