//! Inline repair without the handler, and the enqueue of a report: single samples, percentiles.
//!
//! `cargo bench -p asr-heal --bench repair` prints a table; run as a test it takes few samples.
//! Criterion gives means; what HEAL-35 bounds is the 99th percentile of single repairs, so every
//! sample is timed alone and the cost of the timer itself, its median, is subtracted.
#![allow(unsafe_code, reason = "reports raw objects")]

use std::hint::black_box;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use asr_abi::repair_word::GENERATION_SHIFT;
use asr_abi::{ObjectHeader, RepairContext};
use asr_heal::{Func, Outcome, handlers, report};

const FAST: u64 = 1;
const SLOW: u64 = 2;

/// On cache lines of its own.
#[repr(align(128))]
struct Apart(ObjectHeader);

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
    let mut timer = Times::new();
    timer.sample(0..samples, |_| {});
    let timer = timer.percentiles();
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

    // Two reporters of different objects need not meet.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let th = asr_kernel::thread::adopt();
            let other = Apart(ObjectHeader::new(FAST));
            while !stop.load(Relaxed) {
                repaired(th, &other.0);
            }
        });
        let mine = Apart(ObjectHeader::new(FAST));
        row("the same, two threads", timer[0], samples, |_| {
            repaired(th, &mine.0)
        });
        stop.store(true, Relaxed);
    });

    // In a scattered order: 4096 headers live in the second cache, 65536 in the third at best. The
    // floor is what the machine takes to reach and change one word of such an object, and no more;
    // its samples lie between those of the repairs, pass by pass over all objects.
    for len in [4096, 65_536] {
        let many: Vec<ObjectHeader> = (0..len).map(|_| ObjectHeader::new(FAST)).collect();
        let at = |n: usize| &many[n.wrapping_mul(40_503) % len];
        let (mut floor, mut ours) = (Times::new(), Times::new());
        for from in (0..samples).step_by(len) {
            let pass = from..samples.min(from + len);
            floor.sample(pass.clone(), |n| {
                black_box(at(n).repair.fetch_add(1 << GENERATION_SHIFT, Relaxed));
            });
            ours.sample(pass, |n| repaired(th, at(n)));
        }
        let name = format!("one fetch_add, {len} objects");
        show(&name, timer[0], &floor);
        show(&format!("inline repair, {len} objects"), timer[0], &ours);
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

/// How many samples took how many ns; the last place is for all that took longer. Small, so that
/// what is measured need not share the caches with a long list of samples.
struct Times(Box<[u32; 4096]>);

impl Times {
    fn new() -> Times {
        Times(Box::new([0; 4096]))
    }

    /// Times single calls.
    fn sample(&mut self, samples: Range<usize>, mut run: impl FnMut(usize)) {
        for n in samples {
            let started = Instant::now();
            run(black_box(n));
            let taken = started.elapsed().as_nanos() as usize;
            self.0[taken.min(self.0.len() - 1)] += 1;
        }
    }

    /// 50th, 99th and 99.9th percentile.
    fn percentiles(&self) -> [u64; 3] {
        let total: u64 = self.0.iter().copied().map(u64::from).sum();
        [500, 990, 999].map(|permille| {
            let mut left = total * permille / 1000;
            let found = self.0.iter().position(|&count| {
                let here = left < u64::from(count);
                left = left.saturating_sub(count.into());
                here
            });
            found.unwrap_or(self.0.len() - 1) as u64
        })
    }
}

fn row(name: &str, timer: u64, samples: usize, run: impl FnMut(usize)) {
    let mut times = Times::new();
    times.sample(0..samples, run);
    show(name, timer, &times);
}

fn show(name: &str, timer: u64, times: &Times) {
    let [a, b, c] = times.percentiles().map(|ns| ns.saturating_sub(timer));
    println!("{name:<28}{a:>10}{b:>10}{c:>10}");
}
