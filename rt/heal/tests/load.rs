//! Many threads at once: coalescing, overflow, null reports, retirement.
#![allow(unsafe_code, reason = "shares and frees raw objects")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use asr_abi::{ObjectHeader, RepairContext, repair_word};
use asr_heal::{Func, NullReport, Outcome, handlers, retire};
use common::*;
use parking_lot::{Mutex, RwLock};

const THREADS: u64 = 8;

/// 10^6 reports of one object from 8 threads, by a handler that checks that it is alone.
fn heal_18(type_id: u64, bound_ns: u64, per_thread: u64) {
    static ACTIVE: AtomicU32 = AtomicU32::new(0);
    static LATEST: AtomicU64 = AtomicU64::new(0);
    static SEEN: AtomicU64 = AtomicU64::new(0);
    fn look(_: *mut ObjectHeader, _: &mut RepairContext) {
        assert_eq!(ACTIVE.fetch_add(1, SeqCst), 0, "two repairs of one object");
        SEEN.store(LATEST.load(SeqCst), SeqCst);
        ACTIVE.fetch_sub(1, SeqCst);
    }
    let healer = Healer::start();
    LATEST.store(0, SeqCst);
    register(type_id, look, bound_ns);
    let object = ObjectHeader::new(type_id);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..per_thread {
                    LATEST.fetch_add(1, SeqCst);
                    tell(&object);
                }
            });
        }
    });
    let quiet = healer.quiet();
    assert_eq!(SEEN.load(SeqCst), THREADS * per_thread, "last report seen");
    assert_eq!(quiet.reported, THREADS * per_thread);
    assert_eq!(
        (state(&object), quiet.dead, quiet.unhandled),
        (repair_word::HEALTHY, 0, 0)
    );
    assert_eq!(
        generation(&object),
        quiet.inline_repaired + quiet.repaired,
        "one job at a time: each ended in a generation of its own"
    );
}

#[test]
fn heal_18_a_million_reports_of_one_object_inline() {
    heal_18(18, FAST, 125_000);
}

#[test]
fn heal_18_a_million_reports_of_one_object_queued() {
    heal_18(181, 0, 125_000);
}

#[test]
fn heal_18_the_last_report_of_each_burst_is_seen() {
    static LATEST: AtomicU64 = AtomicU64::new(0);
    static SEEN: AtomicU64 = AtomicU64::new(0);
    fn look(_: *mut ObjectHeader, _: &mut RepairContext) {
        SEEN.store(LATEST.load(SeqCst), SeqCst);
        // A report that comes now finds the repair running, and what it is about not looked at.
        std::thread::sleep(Duration::from_micros(50));
    }
    let healer = Healer::start();
    for (type_id, bound_ns) in [(182, FAST), (183, 0)] {
        register(type_id, look, bound_ns);
        let object = ObjectHeader::new(type_id);
        for burst in 0..50 {
            std::thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        LATEST.fetch_add(1, SeqCst);
                        tell(&object);
                    });
                }
            });
            healer.quiet();
            assert_eq!(SEEN.load(SeqCst), LATEST.load(SeqCst), "burst {burst}");
        }
    }
}

#[test]
fn heal_19_a_full_queue_loses_none_of_100_000_objects() {
    const OBJECTS: usize = 100_000;
    static GATE: Mutex<()> = Mutex::new(());
    static RUNS: AtomicU64 = AtomicU64::new(0);
    static WITH_CODE: AtomicU64 = AtomicU64::new(0);
    let healer = Healer::start();
    register(
        19,
        |_, ctx| {
            drop(GATE.lock());
            RUNS.fetch_add(1, SeqCst);
            WITH_CODE.fetch_add(u64::from(ctx.code == CODE), SeqCst);
        },
        0,
    );
    let objects: Vec<_> = (0..OBJECTS).map(|_| ObjectHeader::new(19)).collect();
    // The supervisor stands in its first repair: the ring of four fills, all else overflows.
    let closed = GATE.lock();
    std::thread::scope(|scope| {
        for part in objects.chunks(OBJECTS / THREADS as usize) {
            scope.spawn(move || {
                for object in part {
                    assert_eq!(tell(object), Outcome::Queued);
                }
            });
        }
    });
    assert_eq!(healer.delta().enqueued, OBJECTS as u64);
    drop(closed);
    let quiet = healer.quiet();
    assert_eq!((quiet.repaired, RUNS.load(SeqCst)), (100_000, 100_000));
    assert_eq!(WITH_CODE.load(SeqCst) + quiet.notes_lost, 100_000);
    assert!(WITH_CODE.load(SeqCst) > 1_000, "notes hold what overflows");
    for object in &objects {
        assert_eq!(generation(object), 1);
    }
}

#[test]
fn heal_2_a_million_null_reports_add_up() {
    static COUNTED: AtomicU64 = AtomicU64::new(0);
    static CODES: AtomicU64 = AtomicU64::new(0);
    let healer = Healer::start();
    assert_eq!(tell_null(CODE), Outcome::Unhandled, "no handler of type 0");
    assert_eq!(healer.quiet().unhandled, 1);
    register(
        0,
        |object, _| {
            // SAFETY: what the handler of type 0 gets.
            let report = unsafe { &*object.cast::<NullReport>() };
            COUNTED.fetch_add(report.count.load(SeqCst), SeqCst);
            CODES.fetch_add(u64::from(report.code.load(SeqCst) == CODE), SeqCst);
        },
        0,
    );
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..125_000).for_each(|_| _ = tell_null(CODE)));
        }
    });
    let quiet = healer.quiet();
    handlers::unregister(0).unwrap();
    assert_eq!(COUNTED.load(SeqCst), 1_000_000);
    assert_eq!(quiet.reported, 1_000_001);
    assert_eq!(quiet.enqueued + quiet.coalesced, 1_000_000);
    assert_eq!(CODES.load(SeqCst) > 0, quiet.enqueued > 0);
}

/// An object whose memory is overwritten before it is freed.
#[repr(C)]
struct Guarded {
    header: ObjectHeader,
    magic: AtomicU64,
}

const ALIVE: u64 = 0x000A_11FE;

fn check(object: *mut ObjectHeader) {
    // SAFETY: if the rule holds, in repair and alive.
    let magic = unsafe { (*object.cast::<Guarded>()).magic.load(SeqCst) };
    assert_eq!(magic, ALIVE, "repair of a freed object");
}

/// Eight threads report on objects while their owner retires and frees them.
fn heal_38(type_id: u64, func: Func, bound_ns: u64, rounds: usize) {
    static STOP: AtomicBool = AtomicBool::new(false);
    let healer = Healer::start();
    STOP.store(false, SeqCst);
    handlers::register(type_id, func, bound_ns).unwrap();
    let slots: Vec<RwLock<Option<Box<Guarded>>>> = (0..16).map(|_| RwLock::new(None)).collect();
    std::thread::scope(|scope| {
        for reporter in 0..8 {
            let slots = &slots;
            scope.spawn(move || {
                let mut at = reporter;
                while !STOP.load(SeqCst) {
                    at = (at * 5 + 3) % slots.len();
                    if let Some(object) = &*slots[at].read() {
                        tell(&object.header);
                    }
                }
            });
        }
        for round in 0..rounds {
            let new = Box::new(Guarded {
                header: ObjectHeader::new(type_id),
                magic: AtomicU64::new(ALIVE),
            });
            let old = slots[round % slots.len()].write().replace(new);
            if round % 64 == 0 {
                std::thread::sleep(Duration::from_micros(300));
            }
            let Some(old) = old else { continue };
            let old = Box::into_raw(old);
            // SAFETY: alive, and no reporter finds it any more; its jobs may still be waiting.
            unsafe {
                retire(old.cast()).unwrap();
                assert_eq!(state(&(*old).header), repair_word::DEAD);
                (*old).magic.store(0xDEAD, SeqCst);
                std::ptr::write_bytes(old, 0xDD, 1);
                drop(Box::from_raw(old));
            }
        }
        // The last objects stay in their places: however late the reporters began, they report.
        until("reports enough", || healer.delta().reported > 1_000);
        STOP.store(true, SeqCst);
    });
    for slot in slots {
        if let Some(object) = slot.into_inner() {
            let object = Box::into_raw(object);
            // SAFETY: as above.
            unsafe {
                retire(object.cast()).unwrap();
                drop(Box::from_raw(object));
            }
        }
    }
    let quiet = healer.quiet();
    assert!(quiet.reported > 1_000, "{quiet:?}");
}

#[test]
fn heal_38_retired_while_8_threads_report_queued() {
    heal_38(38, Func::Rust(|object, _| check(object)), 0, 4_000);
}

#[test]
fn heal_38_retired_while_8_threads_report_inline() {
    heal_38(381, Func::Rust(|object, _| check(object)), FAST, 4_000);
}

#[test]
fn heal_38_retired_while_delayed() {
    let fail = |object: *mut ObjectHeader, ctx: &mut RepairContext| {
        check(object);
        ctx.result = asr_abi::repair_result::RETRY;
    };
    heal_38(382, Func::Rust(fail), 0, 24);
}
