//! No unwind crosses the C interface (rules ABI-14, ABI-26).
#![allow(unsafe_code, reason = "calls the C interface")]

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use asr_abi::{ObjectHeader, RepairContext, repair_word};
use asr_heal::{Func, handlers, ledger};
use asr_rt::c_api::asr_report_anomaly;

fn report(object: &ObjectHeader) {
    // SAFETY: the object is alive.
    unsafe { asr_report_anomaly(0x8000_0001, std::ptr::from_ref(object).cast_mut().cast()) };
}

#[test]
fn abi_14_a_panicking_callback_is_contained() {
    let panics = |_: *mut ObjectHeader, _: &mut RepairContext| panic!("on purpose");
    handlers::register(1, Func::Rust(panics), 1_000_000).unwrap();
    // Leaked: the queue refers to it for as long as the process lives.
    let object: &ObjectHeader = Box::leak(Box::new(ObjectHeader::new(1)));
    let before = ledger::read();
    report(object);
    let delta = ledger::read().since(&before);
    // The attempt failed: the object waits for the supervisor, which was never started here.
    assert_eq!((delta.reported, delta.enqueued, delta.queued), (1, 1, 1));
}

/// The child: a handler that breaks an invariant of the healer, so that the entry point panics.
#[test]
fn abi_14_child_breaks_an_invariant() {
    if std::env::var_os("ASR_TEST_BREAK").is_none() {
        return;
    }
    let steals = |object: *mut ObjectHeader, _: &mut RepairContext| {
        // SAFETY: the object is alive; that this write is forbidden is the point.
        unsafe {
            (*object)
                .repair
                .store(repair_word::QUEUED, std::sync::atomic::Ordering::SeqCst)
        };
    };
    handlers::register(2, Func::Rust(steals), 1_000_000).unwrap();
    report(&ObjectHeader::new(2));
    println!("went on");
}

#[test]
fn abi_14_a_panic_in_an_entry_point_aborts() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "abi_14_child_breaks_an_invariant", "--nocapture"])
        .env("ASR_TEST_BREAK", "1")
        .output()
        .unwrap();
    assert_eq!(
        child.status.signal(),
        Some(libc::SIGABRT),
        "{:?}",
        child.status
    );
    let (out, err) = (
        String::from_utf8_lossy(&child.stdout),
        String::from_utf8_lossy(&child.stderr),
    );
    assert!(!out.contains("went on"), "{out}");
    assert!(
        err.contains("repair state"),
        "the invariant is named: {err}"
    );
}
