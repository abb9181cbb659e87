//! Bytes per task, region, obligation and timer.
//!
//! `cargo run --release -p asr-kernel --example bytes [COUNT]` makes so many of each and prints
//! what the allocator was asked for and what of it is resident, per record. Chunks of records
//! double, so up to half of what was asked for is not touched; the resident bytes are the cost.
#![allow(unsafe_code, reason = "counts what the global allocator is asked for")]

#[path = "../benches/ops/mod.rs"]
mod ops;

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

use asr_abi::{Frame, Ret, Thread};
use asr_base::{Duration, ObligationId};
use asr_kernel::compiled::RootFrame;
use asr_kernel::compiled::slot::PENDING;
use asr_kernel::cx::Sleep;
use asr_kernel::obligation::Kind;
use asr_kernel::region::Region;
use asr_kernel::task::Task;
use asr_kernel::thread::adopt;
use asr_kernel::{Cx, OpenRegion, RegionConfig, Spawn};
use ops::Bench;

static LIVE: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: forwards to the system's allocator; the counter neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        // SAFETY: forwarded.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        // SAFETY: forwarded.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: forwarded.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    let count = std::env::args().nth(1).and_then(|count| count.parse().ok());
    let count: usize = count.unwrap_or(100_000);
    println!("hot record of a task     {:>6}", size_of::<Task>());
    println!("record of a region       {:>6}", size_of::<Region>());
    println!("{count} of each: bytes per record   asked  resident");
    show("compiled task, suspended", count, |bench| {
        for _ in 0..count {
            // SAFETY: the function is made for frames of this size.
            let frame = unsafe { RootFrame::new(adopt(), suspends, 48) }.expect("small");
            let root = bench.kernel.root();
            drop(root.spawn_compiled(frame, Spawn::new()).expect("open"));
        }
        bench.drain();
    });
    show("task, suspended at once", count, |bench| {
        for _ in 0..count {
            let task = bench.kernel.root().spawn(async |_| pending().await);
            drop::<asr_kernel::JoinHandle<()>>(task.expect("the root is open"));
        }
        bench.drain();
    });
    show("task with a side record", count, |bench| {
        for _ in 0..count {
            let named = Spawn::new().name("t");
            let task = bench
                .kernel
                .root()
                .spawn_with(named, async |_| pending().await);
            drop::<asr_kernel::JoinHandle<()>>(task.expect("the root is open"));
        }
        bench.drain();
    });
    show("region, open and empty", count, |bench| {
        inside(bench, async move |cx| {
            let open = |_| cx.open_region(&RegionConfig::new());
            let regions: Result<Vec<OpenRegion>, _> = (0..count).map(open).collect();
            let _regions = regions.expect("the root is open");
            pending().await
        });
    });
    show("obligation with a record", count, |bench| {
        inside(bench, async move |cx| {
            let reserve = |_| cx.reserve_raw(Kind::SEND_PERMIT, None);
            let ids: Result<Vec<ObligationId>, _> = (0..count).map(reserve).collect();
            let _ids = ids.expect("the root is open");
            pending().await
        });
    });
    show("timer, with its future", count, |bench| {
        inside(bench, async move |cx| {
            let sleep = |n: usize| cx.sleep(Duration::from_millis(1 + n as u64 % 60_000));
            let mut sleeps: Vec<Sleep<'_>> = (0..count).map(sleep).collect();
            poll_fn(|context| {
                for sleep in &mut sleeps {
                    assert!(Pin::new(sleep).poll(context).is_pending());
                }
                Poll::Ready(())
            })
            .await;
            pending().await
        });
    });
}

/// A compiled function with two words of its own, that suspends at its first poll.
unsafe extern "C" fn suspends(frame: *mut Frame, th: *const Thread) -> Ret {
    // SAFETY: a frame of this function, and the state of this thread.
    unsafe {
        (*frame).state = 1;
        (*th).leaf.set(frame);
    }
    PENDING
}

/// Runs a task that keeps what it makes.
fn inside<F, Fut>(bench: &Bench, main: F)
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), asr_base::Failure>> + Send + 'static,
{
    drop(bench.kernel.root().spawn(main).expect("the root is open"));
    bench.drain();
}

fn show(what: &str, count: usize, make: impl FnOnce(&Bench)) {
    let bench = Bench::new();
    let before = (LIVE.load(Relaxed), resident());
    make(&bench);
    let after = (LIVE.load(Relaxed), resident());
    let per = |after: usize, before: usize| after.saturating_sub(before) as f64 / count as f64;
    let (asked, kept) = (per(after.0, before.0), per(after.1, before.1));
    println!("{what:<24} {asked:>14.1} {kept:>9.1}");
    bench.kernel.abandon();
}

/// Bytes of this process in memory.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0) * 4096
}
