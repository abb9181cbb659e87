//! The main function of a program that uses concurrency: the first task of the main isolate.
//!
//! The heap of the main isolate leaves the thread that started the program, is that of worker 0
//! while tasks run, and comes back.
#![allow(unsafe_code, reason = "hands a heap to the worker that will use it")]

use std::sync::atomic::Ordering;

use asr_abi::{Ret, Thread, status};
use asr_kernel::code::frame_meta;
use asr_kernel::compiled::{Exception, IsolateHooks, PollFn, RootFrame, isolate_hooks};
use asr_kernel::thread::{self, trace};
use asr_kernel::{Cx, RegionConfig, Spawn};
use asr_rt::{Builder, Outcome};

use super::isolate::WORKERS;
use crate::heap::Heap;

/// The environment variable that says how many workers there are.
pub const WORKERS_VARIABLE: &str = "ASR_WORKERS";

/// How many workers a program has: what it was asked for, or what the environment says, or one for
/// each core.
pub fn workers(asked: Option<usize>) -> usize {
    let environment = || std::env::var(WORKERS_VARIABLE).ok()?.parse().ok();
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    asked
        .or_else(environment)
        .filter(|n| *n > 0)
        .unwrap_or_else(cores)
}

/// A heap on its way to a worker.
struct Main(*const Heap);

// SAFETY: `run` leaves the heap before, and enters it after the tasks have ended; in between the
// worker to which the main task is pinned alone uses it.
unsafe impl Send for Main {}

/// How the program ended, and where its error came by.
struct Ended {
    ret: (u64, u64),
    trace: Vec<u64>,
}

fn failed(status: u32) -> Ret {
    Ret {
        value: 0,
        status: status.into(),
    }
}

/// Runs the async main function of a program whose heap is that of this thread.
pub fn run(th: &Thread, poll: PollFn, workers: usize) -> Ret {
    let Some(size) = frame_meta(poll as usize).map(|meta| u64::from(meta.size)) else {
        return failed(status::BAD_ARGUMENT);
    };
    run_frame(th, workers, move || {
        // SAFETY: the main function, without parameters, whose frame has this size.
        unsafe { RootFrame::new(thread::adopt(), poll, size) }
    })
}

/// The same of a frame that is made on the worker that will run it.
pub fn run_frame(
    th: &Thread,
    workers: usize,
    make: impl FnOnce() -> Option<RootFrame> + Send + 'static,
) -> Ret {
    isolate_hooks(IsolateHooks {
        // SAFETY: the pointers are those of `set_isolate`: heaps that live until their regions
        // have closed, each entered by one worker at a time.
        enter: |th, heap| unsafe { Heap::enter(th, heap.cast()) },
        // SAFETY: as above.
        leave: |th, heap| unsafe { (*heap.cast::<Heap>()).leave(th) },
    });
    // Relaxed: a number for those who start isolates, which comes before them.
    WORKERS.store(workers, Ordering::Relaxed);
    let tasks = match Builder::new().workers(workers).start() {
        Ok(tasks) => tasks,
        Err(error) => {
            eprintln!("asr: {error}");
            return failed(status::BAD_ARGUMENT);
        }
    };
    let heap = Heap::of(th);
    heap.leave(th);
    let main = Main(heap);
    let outcome = tasks.run(async move |cx| {
        let options = Spawn::new().name("main").pin(0);
        let main = cx.spawn_with(options, async move |cx| Ok(script(&cx, main, make).await))?;
        main.join(&cx).await?.into_result()
    });
    // SAFETY: the heap of this thread before, which no task uses any more.
    unsafe { Heap::enter(th, heap) };
    let ended = match outcome {
        Outcome::Ok(ended) => ended,
        _ => return failed(status::CANCELLED),
    };
    ended.trace.iter().for_each(|site| trace::push(th, *site));
    let (value, status) = ended.ret;
    Ret { value, status }
}

/// The task that has the region of the main isolate.
async fn script(cx: &Cx, main: Main, make: impl FnOnce() -> Option<RootFrame>) -> Ended {
    let ended = |value: u64, status: u32| Ended {
        ret: (value, status.into()),
        trace: Vec::new(),
    };
    let Ok(region) = cx.open_region(&RegionConfig::new()) else {
        return ended(0, status::CANCELLED);
    };
    let Main(heap) = main;
    region.region().set_isolate(heap.cast_mut().cast());
    let started = make().map(|frame| region.spawn_compiled(frame, Spawn::new().pin(0)));
    if let Some(Ok(task)) = started {
        // What it ended with is what its region ends with.
        let _ = task.join(cx).await;
    }
    match region.close(cx).await {
        Outcome::Ok(()) => ended(0, status::OK),
        Outcome::Err(error) => {
            let ret = Exception::ret(&error);
            let sites = trace::take(thread::adopt()).map(|trace| trace.sites().to_vec());
            Ended {
                ret: (ret.value, ret.status),
                trace: sites.unwrap_or_default(),
            }
        }
        Outcome::Cancelled(_) | Outcome::Panicked(_) => ended(0, status::CANCELLED),
    }
}
