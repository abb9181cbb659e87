//! Inline repair without the handler, and the enqueue of a report: single samples, percentiles.
//!
//! `cargo bench -p asr-heal --bench repair` prints a table; run as a test it takes few samples.
//! Criterion gives means; what HEAL-35 bounds is the 99th percentile of single repairs, so every
//! sample is timed alone and the cost of the timer itself, its median, is subtracted.
#![allow(unsafe_code, reason = "reports raw objects")]

use std::hint::black_box;
use std::time::Instant;

use asr_abi::{ObjectHeader, RepairContext};
use asr_heal::{Func, Outcome, handlers, report};

const FAST: u64 = 1;
const SLOW: u64 = 2;

unsafe extern "C-unwind" fn nothing(_: *mut ObjectHeader, _: *mut RepairContext) {}

fn main() {
    // `cargo bench` passes --bench, `cargo test` does not.
    let samples = if std::env::args().any(|arg| arg == "--bench") {
        1_000_000
    } else {
        1000
    };
    handlers::register(FAST, Func::C(nothing), 1_000_000_000).expect("type 1 is usable");
    handlers::register(SLOW, Func::C(nothing), 0).expect("type 2 is usable");
    let th = asr_kernel::thread::adopt();
    let timer = percentiles(samples, |_| {});
    println!("{:<28}{:>10}{:>10}{:>10}", "ns", "p50", "p99", "p99.9");
    println!(
        "{:<28}{:>10}{:>10}{:>10}",
        "timer (subtracted below)", timer[0], timer[1], timer[2]
    );

    let held = ObjectHeader::new(FAST);
    held.repair.store(
        asr_abi::repair_word::QUEUED,
        std::sync::atomic::Ordering::Release,
    );
    let one = [const { ObjectHeader::new(FAST) }];
    row("inline repair, one object", timer[0], samples, |_| {
        repaired(th, &one[0])
    });

    // In a scattered order: 4096 headers live in the second cache, 65536 in the third at best.
    for len in [4096, 65_536] {
        let many: Vec<ObjectHeader> = (0..len).map(|_| ObjectHeader::new(FAST)).collect();
        let name = format!("inline repair, {len} objects");
        let at = |n: usize| n.wrapping_mul(40_503) % len;
        row(&name, timer[0], samples, |n| repaired(th, &many[at(n)]));
    }

    row("coalesced report", timer[0], samples, |_| {
        // SAFETY: the object is alive; it is kept Queued by hand, so nobody owns it.
        let outcome = unsafe { report(th, 0x8000_0001, std::ptr::from_ref(&held).cast_mut()) };
        assert_eq!(outcome, Outcome::Coalesced);
    });
    row("handler lookup", timer[0], samples, |_| {
        assert_eq!(
            black_box(handlers::is_registered(black_box(FAST))),
            Some(true)
        );
    });
    row("slow probe, nothing asked", timer[0], samples, |_| {
        asr_kernel::thread::checkpoint::checkpoint(th);
    });

    // Without a supervisor nobody takes the tickets: the first go to the overflow stack, which is
    // the slowest enqueue, and no sleeper is woken.
    let queued: Vec<ObjectHeader> = (0..samples).map(|_| ObjectHeader::new(SLOW)).collect();
    row("enqueue, nobody to wake", timer[0], samples, |n| {
        // SAFETY: the objects live to the end of the process's reports.
        let outcome = unsafe { report(th, 0x8000_0001, std::ptr::from_ref(&queued[n]).cast_mut()) };
        assert_eq!(outcome, Outcome::Queued);
    });
    // The tickets refer to the objects for as long as the process lives.
    std::mem::forget(queued);
}

fn repaired(th: &asr_abi::Thread, object: &ObjectHeader) {
    // SAFETY: the object is alive, the state is this thread's.
    let outcome = unsafe { report(th, 0x8000_0001, std::ptr::from_ref(object).cast_mut()) };
    assert_eq!(outcome, Outcome::Repaired);
}

/// 50th, 99th and 99.9th percentile of single calls, in ns.
fn percentiles(samples: usize, mut run: impl FnMut(usize)) -> [u64; 3] {
    let mut times: Vec<u64> = (0..samples)
        .map(|n| {
            let started = Instant::now();
            run(black_box(n));
            started.elapsed().as_nanos() as u64
        })
        .collect();
    times.sort_unstable();
    [500, 990, 999].map(|permille| times[(times.len() * permille / 1000).min(times.len() - 1)])
}

fn row(name: &str, timer: u64, samples: usize, run: impl FnMut(usize)) {
    let [a, b, c] = percentiles(samples, run).map(|ns| ns.saturating_sub(timer));
    println!("{name:<28}{a:>10}{b:>10}{c:>10}");
}
