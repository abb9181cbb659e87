//! Handlers: registration, results, bounds, containment.
#![allow(unsafe_code, reason = "defines foreign handlers")]

mod common;

use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use asr_abi::{ObjectHeader, RepairContext, Ret, Thread, repair_result, repair_word};
use asr_heal::handlers::{HandlerError, RESERVED_TYPE};
use asr_heal::{Func, Outcome, handlers, ledger, retire};
use common::*;
use parking_lot::Mutex;

#[test]
fn heal_9_lookups_never_wait_for_registrations() {
    let healer = Healer::start();
    static RUNS: AtomicU64 = AtomicU64::new(0);
    static STOP: AtomicBool = AtomicBool::new(false);
    fn one(_: *mut ObjectHeader, _: &mut RepairContext) {
        RUNS.fetch_add(1, SeqCst);
    }
    fn two(_: *mut ObjectHeader, _: &mut RepairContext) {
        RUNS.fetch_add(1, SeqCst);
    }
    register(9, one, FAST);
    let told = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let mut told = 0;
                    while !STOP.load(SeqCst) {
                        assert_eq!(tell(&ObjectHeader::new(9)), Outcome::Repaired);
                        told += 1;
                    }
                    told
                })
            })
            .collect();
        // Replaces the handler, and makes the table grow under the readers.
        for n in 0..2_000 {
            register(9, if n % 2 == 0 { two } else { one }, FAST);
            register(90_000 + n, one, FAST);
        }
        STOP.store(true, SeqCst);
        readers
            .into_iter()
            .map(|reader| reader.join().unwrap())
            .sum::<u64>()
    });
    assert_eq!(RUNS.load(SeqCst), told);
    assert_eq!(healer.quiet().inline_repaired, told);
}

/// As from C.
unsafe extern "C-unwind" fn of_c(object: *mut ObjectHeader, ctx: *mut RepairContext) {
    // SAFETY: in repair by this handler, with its context.
    unsafe {
        (*object).owner += u64::from((*ctx).code == CODE);
    }
}

/// As compiled: hidden thread, pair of registers.
unsafe extern "C" fn of_air(
    th: *const Thread,
    object: *mut ObjectHeader,
    _: *mut RepairContext,
) -> Ret {
    // SAFETY: in repair by this handler.
    unsafe { (*object).owner += u64::from(th == asr_kernel::thread::current()) };
    Ret {
        value: 0,
        status: 0,
    }
}

#[test]
fn heal_9_part_one_handler_per_language() {
    // Compiled code and C++ proper: tests of the driver, and of the C interface in `rt`.
    let _healer = Healer::start();
    handlers::register(91, Func::C(of_c), FAST).unwrap();
    handlers::register(92, Func::Compiled(of_air), FAST).unwrap();
    register(
        93,
        // SAFETY: in repair by this handler.
        |object, _| unsafe { (*object).owner += 1 },
        FAST,
    );
    for type_id in 91..=93 {
        let object = ObjectHeader::new(type_id);
        assert_eq!(tell(&object), Outcome::Repaired);
        assert_eq!(object.owner, 1, "{type_id}");
    }
}

#[test]
fn heal_10_registration_replaces_repeats_and_removes() {
    let healer = Healer::start();
    fn one(_: *mut ObjectHeader, _: &mut RepairContext) {}
    fn two(object: *mut ObjectHeader, _: &mut RepairContext) {
        // SAFETY: in repair by this handler.
        unsafe { (*object).owner = 2 };
    }
    let replaced = || healer.delta().handlers_replaced;
    handlers::register_new(10, Func::Rust(one), FAST).unwrap();
    register(10, one, FAST);
    assert_eq!(replaced(), 0, "the same again is a no-op");
    assert_eq!(
        handlers::register_new(10, Func::Rust(two), FAST),
        Err(HandlerError::Duplicate)
    );
    register(10, two, FAST);
    assert_eq!(replaced(), 1);
    let object = ObjectHeader::new(10);
    assert_eq!(tell(&object), Outcome::Repaired);
    assert_eq!(object.owner, 2);
    handlers::unregister(10).unwrap();
    handlers::unregister(10).unwrap();
    assert_eq!(replaced(), 1, "removing is not replacing");
    assert_eq!(tell(&object), Outcome::NoHandler);
    assert_eq!(
        handlers::register(RESERVED_TYPE, Func::Rust(one), FAST),
        Err(HandlerError::ReservedType)
    );
}

#[test]
fn heal_10_a_repair_ends_with_the_handler_it_began_with() {
    let healer = Healer::start();
    static GATE: Mutex<()> = Mutex::new(());
    static INSIDE: AtomicBool = AtomicBool::new(false);
    register(
        101,
        |object, _| {
            INSIDE.store(true, SeqCst);
            drop(GATE.lock());
            // SAFETY: in repair by this handler.
            unsafe { (*object).owner = 1 };
        },
        0,
    );
    let object = ObjectHeader::new(101);
    let closed = GATE.lock();
    tell(&object);
    until("the handler runs", || INSIDE.load(SeqCst));
    // SAFETY: in repair by this handler.
    register(101, |object, _| unsafe { (*object).owner = 2 }, 0);
    drop(closed);
    healer.quiet();
    assert_eq!(object.owner, 1);
    tell(&object);
    healer.quiet();
    assert_eq!(object.owner, 2);
}

#[test]
fn heal_11_the_context_says_what_and_every_result_counts() {
    let healer = Healer::start();
    static SEEN: Mutex<Vec<RepairContext>> = Mutex::new(Vec::new());
    static ANSWER: AtomicU32 = AtomicU32::new(0);
    register(
        11,
        |_, ctx| {
            SEEN.lock().push(*ctx);
            // One of the answers inline, then content.
            ctx.result = ANSWER.swap(0, SeqCst);
        },
        FAST,
    );
    let th = asr_kernel::thread::adopt();
    th.site.set(0x1_0000_0002);
    th.intent.set(3);
    th.expiry.set(4);
    th.taint.set(5);
    th.logical.set(6);
    let mut runs = Vec::new();
    for answer in [
        repair_result::REPAIRED,
        repair_result::NEEDS_SLOW,
        repair_result::RETRY,
        repair_result::FAILED,
        77,
    ] {
        ANSWER.store(answer, SeqCst);
        let object = ObjectHeader::new(11);
        tell(&object);
        healer.quiet();
        assert_eq!(state(&object), repair_word::HEALTHY);
        runs.push(SEEN.lock().len());
    }
    assert_eq!(runs, [1, 3, 5, 7, 9]);
    for ctx in SEEN.lock().iter() {
        assert_eq!(ctx.size as usize, size_of::<RepairContext>());
        assert_eq!((ctx.code, ctx.site, ctx.intent), (CODE, 0x1_0000_0002, 3));
        assert_eq!((ctx.expiry, ctx.taint, ctx.logical), (4, 5, 6));
        assert_eq!((ctx.budget_ns, ctx.result), (FAST, repair_result::REPAIRED));
    }
    let attempts: Vec<_> = SEEN
        .lock()
        .iter()
        .map(|ctx| (ctx.path, ctx.attempt))
        .collect();
    assert_eq!(
        attempts,
        [
            (0, 0),
            (0, 0),
            (1, 0),
            (0, 0),
            (1, 1),
            (0, 0),
            (1, 1),
            (0, 0),
            (1, 1)
        ]
    );
}

#[test]
fn heal_12_a_slow_handler_declared_fast_is_treated_as_slow() {
    let healer = Healer::start();
    register(
        12,
        |_, _| std::thread::sleep(Duration::from_millis(1)),
        1_000,
    );
    let object = ObjectHeader::new(12);
    let told: Vec<_> = (0..10)
        .map(|_| {
            let told = tell(&object);
            healer.quiet();
            told
        })
        .collect();
    assert_eq!(told[..8], [Outcome::Repaired; 8]);
    assert_eq!(told[8..], [Outcome::Queued; 2]);
    assert_eq!(handlers::is_registered(12), Some(false));
    assert!(healer.delta().overruns >= 8);
}

/// Reports until the object is given up, and how often its handler ran.
fn attempts_until_dead(healer: &Healer, type_id: u64, runs: &AtomicU32) -> u32 {
    let object = ObjectHeader::new(type_id);
    let before = healer.delta();
    assert_eq!(tell(&object), Outcome::Queued, "{type_id}");
    let after = healer.quiet().since(&before);
    assert_eq!((state(&object), after.dead), (repair_word::DEAD, 1));
    runs.swap(0, SeqCst)
}

#[test]
fn heal_13_faults_and_panics_are_contained_and_never_recur() {
    static RUNS: AtomicU32 = AtomicU32::new(0);
    static DEPTH: AtomicU32 = AtomicU32::new(0);
    static HELD: Mutex<()> = Mutex::new(());
    unsafe extern "C" fn faults(
        _: *const Thread,
        _: *mut ObjectHeader,
        _: *mut RepairContext,
    ) -> Ret {
        RUNS.fetch_add(1, SeqCst);
        // What a compiled handler does on its error edge.
        tell_null(0x0100_0001);
        Ret {
            value: 0xFFFC << 48,
            status: 2,
        }
    }
    unsafe extern "C-unwind" fn unwinds(_: *mut ObjectHeader, _: *mut RepairContext) {
        RUNS.fetch_add(1, SeqCst);
        panic!("planted, behind the C interface");
    }
    let healer = Healer::start();
    register(
        131,
        |_, _| {
            struct Bomb;
            impl Drop for Bomb {
                fn drop(&mut self) {
                    panic!("planted, in the payload of the other");
                }
            }
            let _held = HELD.lock();
            RUNS.fetch_add(1, SeqCst);
            std::panic::panic_any(Bomb);
        },
        FAST,
    );
    handlers::register(132, Func::Compiled(faults), FAST).unwrap();
    handlers::register(133, Func::C(unwinds), FAST).unwrap();
    register(
        134,
        |object, _| {
            RUNS.fetch_add(1, SeqCst);
            assert_eq!(DEPTH.fetch_add(1, SeqCst), 0, "ran inside itself");
            // SAFETY: in repair by this handler.
            let told = unsafe { asr_heal::report(std::ptr::null(), CODE, object) };
            assert_eq!(told, Outcome::Coalesced);
            // SAFETY: as above.
            assert!(unsafe { retire(object) }.is_err(), "would wait for itself");
            DEPTH.fetch_sub(1, SeqCst);
        },
        FAST,
    );
    for type_id in 131..=134 {
        assert_eq!(attempts_until_dead(&healer, type_id, &RUNS), 5, "{type_id}");
    }
    assert!(HELD.try_lock().is_some(), "released on every exit");
    assert!(ledger::read().balances());
}

#[test]
fn heal_13_handlers_that_report_other_objects_nest_within_bounds() {
    let healer = Healer::start();
    register(
        135,
        |object, _| {
            // SAFETY: in repair by this handler.
            let left = unsafe { (*object).owner };
            if left != 0 {
                let mut next = Box::new(ObjectHeader::new(135));
                next.owner = left - 1;
                // Leaked: its repair may end long after this handler.
                tell(Box::leak(next));
            }
        },
        FAST,
    );
    let mut first = ObjectHeader::new(135);
    first.owner = 1_000;
    assert_eq!(tell(&first), Outcome::Repaired);
    let quiet = healer.quiet();
    assert_eq!(quiet.inline_repaired + quiet.repaired, 1_001);
}

#[test]
fn heal_13_a_trap_in_a_foreign_handler_ends_the_process() {
    const CHILD: &str = "ASR_TEST_TRAPPING_HANDLER";
    unsafe extern "C-unwind" fn traps(_: *mut ObjectHeader, _: *mut RepairContext) {
        // SAFETY: raises a signal.
        unsafe { libc::raise(libc::SIGILL) };
    }
    if std::env::var_os(CHILD).is_some() {
        let _healer = Healer::start();
        handlers::register(136, Func::C(traps), FAST).unwrap();
        tell(&ObjectHeader::new(136));
        unreachable!("the process has ended");
    }
    let name = "heal_13_a_trap_in_a_foreign_handler_ends_the_process";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let ended = std::os::unix::process::ExitStatusExt::signal(&child.status);
    assert_eq!(ended, Some(libc::SIGILL), "{child:?}");
}
