//! Handlers of a language run on the thread of its heap only.
#![allow(unsafe_code, reason = "reports raw objects")]

mod common;

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::mpsc;

use asr_abi::{ObjectHeader, RepairContext, Thread, flag, repair_path, repair_word, status};
use asr_heal::home::{self, Home};
use asr_heal::{Func, Outcome, handlers};
use asr_kernel::thread::hooks::{self, Hooks};
use asr_kernel::thread::{adopt, checkpoint, current};
use common::*;

/// What `rt` installs, as far as these tests go.
static HOOKS: Hooks = Hooks {
    repair: home::at_probe,
    expiry: |_| status::OK,
    collect: |_| (),
    shutdown: |_| status::OK,
    fault: |_, _| (),
    thread_ends: home::ends,
};

static RUNS: AtomicU32 = AtomicU32::new(0);
static THREAD: AtomicU64 = AtomicU64::new(0);
static CONTEXT: AtomicU64 = AtomicU64::new(0);

fn run(data: u64, object: *mut ObjectHeader, ctx: &mut RepairContext) {
    RUNS.fetch_add(1, SeqCst);
    THREAD.store(current() as u64, SeqCst);
    CONTEXT.store(u64::from(ctx.code) << 8 | u64::from(ctx.path), SeqCst);
    // SAFETY: in repair by this handler.
    unsafe { (*object).owner = data };
}

fn at_home(th: &Thread, type_id: u64, bound_ns: u64) {
    hooks::install(&HOOKS);
    let func = Func::Language {
        home: Home::here(th),
        run,
        data: type_id,
    };
    handlers::register(type_id, func, bound_ns).unwrap();
}

#[test]
fn heal_16_a_fast_handler_runs_inline_at_home() {
    let healer = Healer::start();
    let th = adopt();
    at_home(th, 50, FAST);
    let object = ObjectHeader::new(50);
    assert_eq!(tell(&object), Outcome::Repaired);
    assert_eq!((object.owner, THREAD.load(SeqCst)), (50, current() as u64));
    assert_eq!(healer.quiet().enqueued, 0);
}

#[test]
fn heal_17_other_threads_ask_for_a_probe_of_the_home() {
    let healer = Healer::start();
    let th = adopt();
    let here = current() as u64;
    at_home(th, 51, FAST);
    let object = ObjectHeader::new(51);
    let runs = RUNS.load(SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| assert_eq!(tell(&object), Outcome::Queued));
    });
    assert_eq!(RUNS.load(SeqCst), runs, "nobody but the home may run it");
    assert_eq!(state(&object), repair_word::QUEUED);
    assert_eq!(th.flag.load(SeqCst) & flag::REPAIR, flag::REPAIR);
    checkpoint::checkpoint(th);
    assert_eq!(th.action.get(), status::OK);
    assert_eq!(th.flag.load(SeqCst), 0);
    assert_eq!((object.owner, THREAD.load(SeqCst)), (51, here));
    let expected = u64::from(CODE) << 8 | u64::from(repair_path::SUPERVISOR);
    assert_eq!(CONTEXT.load(SeqCst), expected, "the report came with it");
    let quiet = healer.quiet();
    assert_eq!((quiet.enqueued, quiet.repaired), (1, 1));
}

#[test]
fn heal_17_a_slow_handler_waits_for_a_probe_of_its_home() {
    let healer = Healer::start();
    let th = adopt();
    at_home(th, 52, 0);
    let object = ObjectHeader::new(52);
    assert_eq!(tell(&object), Outcome::Queued);
    assert_eq!(object.owner, 0);
    checkpoint::checkpoint(th);
    assert_eq!(object.owner, 52);
    assert_eq!(healer.quiet().repaired, 1);
}

#[test]
fn abi_9_part_a_probe_inside_a_handler_leaves_repairs_to_the_outermost() {
    // What waits: time bounds with the collector.
    static DEEPEST: AtomicU32 = AtomicU32::new(0);
    static DEPTH: AtomicU32 = AtomicU32::new(0);
    static LEFT: AtomicU32 = AtomicU32::new(100);
    fn nest(_: u64, _: *mut ObjectHeader, _: &mut RepairContext) {
        DEEPEST.fetch_max(DEPTH.fetch_add(1, SeqCst) + 1, SeqCst);
        if LEFT.fetch_sub(1, SeqCst) > 1 {
            std::thread::spawn(|| tell(Box::leak(Box::new(ObjectHeader::new(53)))))
                .join()
                .unwrap();
        }
        checkpoint::checkpoint(adopt());
        DEPTH.fetch_sub(1, SeqCst);
    }
    let healer = Healer::start();
    let th = adopt();
    hooks::install(&HOOKS);
    let func = Func::Language {
        home: Home::here(th),
        run: nest,
        data: 0,
    };
    handlers::register(53, func, FAST).unwrap();
    let object = ObjectHeader::new(53);
    assert_eq!(tell(&object), Outcome::Repaired);
    let mut probes = 0;
    while th.flag.load(SeqCst) & flag::REPAIR != 0 {
        checkpoint::checkpoint(th);
        probes += 1;
    }
    assert_eq!((DEEPEST.load(SeqCst), LEFT.load(SeqCst)), (1, 0));
    assert!(probes > 0);
    assert_eq!(healer.quiet().repaired, 99);
}

#[test]
fn heal_14_what_waits_for_a_thread_that_ends_is_quarantined() {
    let healer = Healer::start();
    let (ready, wait) = mpsc::channel();
    let (go, end) = mpsc::channel::<()>();
    let owner = std::thread::spawn(move || {
        at_home(adopt(), 54, FAST);
        ready.send(()).unwrap();
        end.recv().unwrap();
    });
    wait.recv().unwrap();
    let (before, after) = (ObjectHeader::new(54), ObjectHeader::new(54));
    assert_eq!(tell(&before), Outcome::Queued);
    assert_eq!(state(&before), repair_word::QUEUED);
    go.send(()).unwrap();
    owner.join().unwrap();
    assert_eq!(state(&before), repair_word::QUARANTINED);
    tell(&after);
    assert_eq!(healer.quiet().quarantined, 2);
    assert_eq!(state(&after), repair_word::QUARANTINED);
}

#[test]
fn heal_38_a_home_thread_retires_what_waits_for_itself() {
    let healer = Healer::start();
    let th = adopt();
    at_home(th, 55, 0);
    let object = ObjectHeader::new(55);
    assert_eq!(tell(&object), Outcome::Queued);
    // SAFETY: alive.
    unsafe { asr_heal::retire((&raw const object).cast_mut()) }.unwrap();
    assert_eq!((state(&object), object.owner), (repair_word::DEAD, 55));
    assert_eq!(healer.quiet().repaired, 1);
}

#[test]
fn heal_17_a_stop_on_the_home_thread_finishes_what_waits_there() {
    fn fails(_: u64, _: *mut ObjectHeader, ctx: &mut RepairContext) {
        ctx.result = asr_abi::repair_result::RETRY;
    }
    let healer = Healer::start();
    let th = adopt();
    at_home(th, 56, 0);
    let func = Func::Language {
        home: Home::here(th),
        run: fails,
        data: 0,
    };
    handlers::register(57, func, 0).unwrap();
    let (sound, lost) = (ObjectHeader::new(56), ObjectHeader::new(57));
    assert_eq!(tell(&sound), Outcome::Queued);
    assert_eq!(tell(&lost), Outcome::Queued);
    let delta = healer.stop();
    assert_eq!((sound.owner, state(&sound)), (56, repair_word::HEALTHY));
    assert_eq!(state(&lost), repair_word::DEAD);
    assert_eq!((delta.repaired, delta.dead, delta.enqueued), (1, 1, 2));
    assert!(delta.balances());
}
