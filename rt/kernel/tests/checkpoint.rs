//! The slow path of a probe, on a thread of its own per test.

use asr_abi::{flag, status};
use asr_kernel::thread::{Local, adopt, checkpoint, current, ring};

fn taken(bits: u32) -> u32 {
    let th = adopt();
    checkpoint::request(&th.flag, bits);
    checkpoint::checkpoint(th);
    th.action.get()
}

#[test]
fn abi_8_action_answers_the_request() {
    assert_eq!(taken(0), status::OK);
    assert_eq!(taken(flag::SAMPLE | flag::YIELD | flag::STOP), status::OK);
    assert_eq!(taken(flag::CANCEL), status::CANCELLED);
    assert_eq!(taken(0), status::OK, "a request is served once");
}

#[test]
fn abi_39_part_cancel_waits_for_the_mask_to_end() {
    // What waits: task words, from which the bits are recomputed.
    let th = adopt();
    th.mask_depth.set(1);
    assert_eq!(taken(flag::CANCEL), status::OK);
    th.mask_depth.set(0);
    assert_eq!(taken(0), status::CANCELLED);
}

#[test]
fn abi_41_a_thread_keeps_its_one_state() {
    let th: *const _ = adopt();
    assert_eq!(th, current());
    assert_eq!(th as usize % 64, 0);
    std::thread::spawn(move || assert!(current().is_null()))
        .join()
        .unwrap();
}

#[test]
fn heal_8_the_last_64_snapshots_are_kept() {
    let th = adopt();
    for n in 1..=100 {
        th.intent.set(n);
        taken(flag::SAMPLE);
    }
    let local = Local::of(th).unwrap();
    let kept: Vec<u64> = local
        .ring
        .borrow()
        .iter()
        .map(|snapshot| snapshot.intent)
        .collect();
    assert_eq!(kept, (37..=100).collect::<Vec<_>>());
}

#[test]
fn heal_4_a_snapshot_is_small_and_holds_the_metadata() {
    assert!(size_of::<ring::Snapshot>() <= 40);
    let th = adopt();
    th.taint.set(5);
    th.expiry.set(77);
    th.site.set(9);
    let snapshot = ring::Snapshot::of(th);
    assert_eq!((snapshot.taint, snapshot.expiry, snapshot.site), (5, 77, 9));
}

#[test]
fn abi_45_part_the_limit_lies_inside_the_stack() {
    // What waits: the compare in compiled code, tested with the lowering.
    let th = adopt();
    let here = std::ptr::from_ref(&th) as usize;
    let limit = th.stack_limit.get();
    assert!(
        limit < here && here - limit < 64 << 20,
        "{limit:x} {here:x}"
    );
}
