//! The two paths of a report, one object at a time.
#![allow(unsafe_code, reason = "reports raw objects")]

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use asr_abi::{ObjectHeader, RepairContext, repair_result, repair_word};
use asr_heal::{Func, Outcome, Supervisor, handlers, ledger, report, retire, word};
use parking_lot::Mutex;

/// Tests of this file share the supervisor and the ledger.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn tell(object: &ObjectHeader) -> Outcome {
    let object = std::ptr::from_ref(object).cast_mut();
    // SAFETY: the object outlives the report; the thread has no state.
    unsafe { report(std::ptr::null(), 0x8000_0001, object) }
}

fn state(object: &ObjectHeader) -> u64 {
    word::state(object.repair.load(SeqCst))
}

fn until(what: impl Fn() -> bool) {
    let started = Instant::now();
    while !what() {
        assert!(started.elapsed() < Duration::from_secs(60), "watchdog");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn register(type_id: u64, handler: fn(*mut ObjectHeader, &mut RepairContext), bound_ns: u64) {
    handlers::register(type_id, Func::Rust(handler), bound_ns).unwrap();
}

#[test]
fn heal_16_one_fault_is_repaired_inline_without_queue_traffic() {
    let _one = ONE_AT_A_TIME.lock();
    register(16, |_, _| (), 1_000_000);
    let object = ObjectHeader::new(16);
    let before = ledger::read();
    assert_eq!(tell(&object), Outcome::Repaired);
    let delta = ledger::read().since(&before);
    assert_eq!(
        (delta.reported, delta.inline_repaired, delta.enqueued),
        (1, 1, 0)
    );
    assert_eq!(state(&object), repair_word::HEALTHY);
    assert_eq!(
        object.repair.load(SeqCst) >> repair_word::GENERATION_SHIFT,
        1
    );
}

#[test]
fn heal_14_a_type_without_handler_is_quarantined() {
    let _one = ONE_AT_A_TIME.lock();
    let object = ObjectHeader::new(14);
    assert_eq!(tell(&object), Outcome::NoHandler);
    assert_eq!(state(&object), repair_word::QUARANTINED);
    assert_eq!(tell(&object), Outcome::Coalesced);
    assert!(ledger::read().balances());
}

#[test]
fn heal_17_slow_and_needs_slow_go_to_the_supervisor() {
    let _one = ONE_AT_A_TIME.lock();
    static RUNS: AtomicU32 = AtomicU32::new(0);
    register(170, |_, _| _ = RUNS.fetch_add(1, SeqCst), 0);
    register(
        171,
        |_, ctx| {
            RUNS.fetch_add(1, SeqCst);
            if ctx.path == asr_abi::repair_path::INLINE {
                ctx.result = repair_result::NEEDS_SLOW;
            }
        },
        1_000_000,
    );
    let (slow, needs_slow) = (ObjectHeader::new(170), ObjectHeader::new(171));
    let before = ledger::read();
    // Not stopped: after a stop reports are counted only, and the other tests report too.
    std::mem::forget(Supervisor::start(4).unwrap());
    assert_eq!(tell(&slow), Outcome::Queued);
    assert_eq!(tell(&needs_slow), Outcome::Queued);
    until(|| ledger::read().since(&before).repaired == 2);
    assert_eq!(RUNS.load(SeqCst), 3);
    assert!(ledger::read().balances());
    assert_eq!((state(&slow), state(&needs_slow)), (0, 0));
}

#[test]
fn heal_38_part_a_retired_object_is_dead_and_left_alone() {
    // What waits: eight reporters against retirement under a sanitizer, in the tests of the C side.
    let _one = ONE_AT_A_TIME.lock();
    register(38, |_, _| (), 1_000_000);
    let object = Box::new(ObjectHeader::new(38));
    assert_eq!(tell(&object), Outcome::Repaired);
    let raw = std::ptr::from_ref(&*object).cast_mut();
    // SAFETY: the object is alive.
    unsafe {
        assert_eq!(retire(raw), Ok(()));
        assert_eq!(
            retire(std::ptr::null_mut()),
            Err(asr_heal::RetireError::BadArgument)
        );
    }
    assert_eq!(state(&object), repair_word::DEAD);
    assert_eq!(tell(&object), Outcome::Coalesced);
}
