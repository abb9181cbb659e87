//! What must not allocate does not: the slow path of a probe (rule ABI-9).
#![allow(unsafe_code, reason = "calls an entry point of C")]

#[path = "../base/tests/counting/mod.rs"]
mod counting;

use asr_abi::flag;
use asr_kernel::thread::{adopt, checkpoint};
use counting::allocations;

#[test]
fn abi_9_part_a_probe_allocates_nothing_and_moves_on() {
    // What waits: collection, which bit 8 asks for, and its pause bound.
    let runtime = asr_rt::Runtime::start(asr_rt::Config::default()).unwrap();
    let th = adopt();
    checkpoint::checkpoint(th);
    let before = allocations();
    let all = flag::REPAIR | flag::EXPIRY | flag::SAMPLE | flag::YIELD | flag::STOP | flag::COLLECT;
    for bits in [0, flag::CANCEL, flag::SHUTDOWN, all] {
        checkpoint::request(&th.flag, bits);
        checkpoint::checkpoint(th);
    }
    assert_eq!(allocations(), before);
    drop(runtime);
}

#[test]
fn heal_3_part_null_reports_allocate_nothing() {
    // What waits here: reports of objects with full queues, in the tests of the healer.
    let th = adopt();
    let before = allocations();
    for _ in 0..1000 {
        // SAFETY: the state of this thread, no object.
        unsafe { asr_heal::report(th, 0x8000_0001, std::ptr::null_mut()) };
    }
    assert_eq!(allocations(), before);
}

#[test]
fn heal_4_a_snapshot_copies_no_object_and_allocates_nothing() {
    use asr_kernel::thread::ring::{LEN, Snapshot};
    assert!(size_of::<Snapshot>() <= 40);
    let th = adopt();
    checkpoint::checkpoint(th);
    let before = allocations();
    for _ in 0..3 * LEN {
        checkpoint::request(&th.flag, flag::SAMPLE);
        checkpoint::checkpoint(th);
    }
    assert_eq!(allocations(), before);
}
