//! The two paths of a report, one object at a time.
#![allow(unsafe_code, reason = "checks raw objects")]

mod common;

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use asr_abi::{ObjectHeader, repair_path, repair_result, repair_word, status};
use asr_heal::{Outcome, checked_access, handlers};
use common::*;
use parking_lot::Mutex;

#[test]
fn heal_1_every_class_is_accepted_from_any_thread() {
    let healer = Healer::start();
    static SEEN: Mutex<Vec<u32>> = Mutex::new(Vec::new());
    register(1, |_, ctx| SEEN.lock().push(ctx.code), FAST);
    let codes: Vec<u32> = [0x01, 0x02, 0x03, 0x04, 0x05, 0x80, 0xff, 0x06, 0x7f, 0x00]
        .map(|class: u32| class << 24 | 7)
        .to_vec();
    let report_all = |codes: &[u32]| {
        for &code in codes {
            let object = ObjectHeader::new(1);
            // SAFETY: repaired before the report returns.
            let told = unsafe {
                let object = (&raw const object).cast_mut();
                asr_heal::report(std::ptr::null(), code, object)
            };
            assert_eq!(told, Outcome::Repaired);
        }
    };
    report_all(&codes);
    // A foreign thread: it has no state and never gets one by reporting.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            report_all(&codes);
            assert!(asr_kernel::thread::current().is_null());
        });
    });
    assert_eq!(*SEEN.lock(), [codes.clone(), codes].concat());
    assert_eq!(healer.quiet().inline_repaired, 20);
}

#[test]
fn heal_14_a_type_without_handler_is_quarantined() {
    let healer = Healer::start();
    let object = ObjectHeader::new(14);
    assert_eq!(tell(&object), Outcome::NoHandler);
    assert_eq!(state(&object), repair_word::QUARANTINED);
    assert_eq!(tell(&object), Outcome::Coalesced);
    let quiet = healer.quiet();
    assert_eq!((quiet.quarantined_direct, quiet.coalesced), (1, 1));
}

#[test]
fn heal_14_a_job_whose_type_lost_its_handler_ends_in_quarantine() {
    let healer = Healer::start();
    static GATE: Mutex<()> = Mutex::new(());
    register(140, |_, _| drop(GATE.lock()), 0);
    register(141, |_, _| panic!("was unregistered"), 0);
    let (first, second) = (ObjectHeader::new(140), ObjectHeader::new(141));
    let closed = GATE.lock();
    assert_eq!(tell(&first), Outcome::Queued);
    assert_eq!(tell(&second), Outcome::Queued);
    handlers::unregister(141).unwrap();
    drop(closed);
    let quiet = healer.quiet();
    assert_eq!((quiet.repaired, quiet.quarantined), (1, 1));
    assert_eq!(state(&second), repair_word::QUARANTINED);
}

#[test]
fn heal_16_one_fault_is_repaired_inline_without_queue_traffic() {
    let healer = Healer::start();
    register(16, |_, ctx| assert_eq!(ctx.path, repair_path::INLINE), FAST);
    let object = ObjectHeader::new(16);
    assert_eq!(tell(&object), Outcome::Repaired);
    let delta = healer.quiet();
    assert_eq!(
        (delta.reported, delta.inline_repaired, delta.enqueued),
        (1, 1, 0)
    );
    assert_eq!(
        (state(&object), generation(&object)),
        (repair_word::HEALTHY, 1)
    );
}

#[test]
fn heal_17_slow_and_needs_slow_go_to_the_supervisor() {
    let healer = Healer::start();
    static RUNS: AtomicU32 = AtomicU32::new(0);
    register(170, |_, _| _ = RUNS.fetch_add(1, SeqCst), 0);
    register(
        171,
        |_, ctx| {
            RUNS.fetch_add(1, SeqCst);
            assert_eq!(ctx.code, CODE, "the supervisor knows what was reported");
            if ctx.path == repair_path::INLINE {
                ctx.result = repair_result::NEEDS_SLOW;
            }
        },
        FAST,
    );
    let (slow, needs_slow) = (ObjectHeader::new(170), ObjectHeader::new(171));
    assert_eq!(tell(&slow), Outcome::Queued);
    assert_eq!(tell(&needs_slow), Outcome::Queued);
    assert_eq!(healer.quiet().repaired, 2);
    assert_eq!(RUNS.load(SeqCst), 3);
    assert_eq!((state(&slow), state(&needs_slow)), (0, 0));
}

#[test]
fn heal_17_a_repair_that_reports_overtake_again_and_again_goes_to_the_queue() {
    // The third way into the queue: the transition of the fast path does not stand, because other
    // reports of the object keep coming while its handler runs.
    let healer = Healer::start();
    static RUNS: AtomicU32 = AtomicU32::new(0);
    register(
        172,
        |object, ctx| {
            RUNS.fetch_add(1, SeqCst);
            if ctx.path == repair_path::INLINE {
                let object = object.expose_provenance();
                std::thread::spawn(move || {
                    let object: *mut ObjectHeader = std::ptr::with_exposed_provenance_mut(object);
                    // SAFETY: the handler, which waits for this thread, keeps the object alive.
                    let told = unsafe { asr_heal::report(std::ptr::null(), CODE, object) };
                    assert_eq!(told, Outcome::Coalesced);
                })
                .join()
                .unwrap();
            }
        },
        FAST,
    );
    let object = ObjectHeader::new(172);
    assert_eq!(tell(&object), Outcome::Queued);
    let quiet = healer.quiet();
    assert_eq!((quiet.enqueued, quiet.repaired), (1, 1));
    assert_eq!(quiet.coalesced + 1, u64::from(RUNS.load(SeqCst)));
}

#[test]
fn heal_20_access_during_repair_takes_the_recovery_path() {
    let healer = Healer::start();
    static GATE: Mutex<()> = Mutex::new(());
    static WITHIN: AtomicU32 = AtomicU32::new(99);
    register(
        20,
        |object, _| {
            // SAFETY: in repair by this handler.
            WITHIN.store(unsafe { checked_access(object) }, SeqCst);
            drop(GATE.lock());
        },
        0,
    );
    let object = ObjectHeader::new(20);
    // SAFETY: alive.
    let access = || unsafe { checked_access(&object) };
    assert_eq!(access(), status::OK);
    let closed = GATE.lock();
    tell(&object);
    assert_eq!(access(), status::POISONED);
    drop(closed);
    healer.quiet();
    assert_eq!(access(), status::OK);
    assert_eq!(
        WITHIN.load(SeqCst),
        status::OK,
        "the handler itself may use it"
    );
    let unknown = ObjectHeader::new(21);
    tell(&unknown);
    // SAFETY: alive, null, misaligned: the last two are refused before they are read.
    unsafe {
        assert_eq!(checked_access(&unknown), status::QUARANTINED);
        assert_eq!(checked_access(std::ptr::null()), status::BAD_ARGUMENT);
        assert_eq!(
            checked_access(std::ptr::without_provenance(12)),
            status::BAD_ARGUMENT
        );
    }
}

#[test]
fn heal_29_part_a_retry_is_delayed_and_bounded() {
    // What waits: the timing wheel, jitter and the lab's clock.
    let healer = Healer::start();
    static TIMES: Mutex<Vec<(Instant, u32, u32)>> = Mutex::new(Vec::new());
    register(
        29,
        |_, ctx| {
            TIMES.lock().push((Instant::now(), ctx.attempt, ctx.code));
            ctx.result = repair_result::RETRY;
        },
        FAST,
    );
    let object = ObjectHeader::new(29);
    assert_eq!(tell(&object), Outcome::Queued);
    let quiet = healer.quiet();
    assert_eq!((quiet.dead, quiet.enqueued), (1, 1));
    assert_eq!(state(&object), repair_word::DEAD);
    assert_eq!(tell(&object), Outcome::Coalesced, "a dead object stays so");
    let times = TIMES.lock();
    let attempts: Vec<_> = times.iter().map(|&(_, attempt, _)| attempt).collect();
    assert_eq!(attempts, [0, 1, 2, 3, 4]);
    assert!(times.iter().all(|&(_, _, code)| code == CODE));
    for (n, pair) in times.windows(2).enumerate() {
        let least = Duration::from_millis(10 << n);
        assert!(pair[1].0 - pair[0].0 >= least, "retry {n} came too early");
    }
}

#[test]
fn heal_15_part_every_word_seen_lies_on_an_edge_chain() {
    // What waits: the trace oracle, with trace events.
    static RUNS: AtomicU32 = AtomicU32::new(0);
    let healer = Healer::start();
    register(
        15,
        |_, ctx| {
            if ctx.path == repair_path::INLINE && RUNS.fetch_add(1, SeqCst).is_multiple_of(3) {
                ctx.result = repair_result::NEEDS_SLOW;
            }
        },
        FAST,
    );
    let object = ObjectHeader::new(15);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut last = 0;
            while !stop.load(SeqCst) {
                let word = object.repair.load(SeqCst);
                let generation = word >> repair_word::GENERATION_SHIFT;
                assert!(generation >= last, "{word:x} after generation {last}");
                assert_eq!(word & 0xffff_00e0, 0, "reserved bits and node: {word:x}");
                assert!(
                    word & repair_word::STATE <= repair_word::REPAIRING,
                    "{word:x}"
                );
                last = generation;
            }
        });
        let reporters: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| (0..30_000).for_each(|_| _ = tell(&object))))
            .collect();
        for reporter in reporters {
            reporter.join().unwrap();
        }
        stop.store(true, SeqCst);
    });
    healer.quiet();
    assert_eq!(state(&object), repair_word::HEALTHY);
}
