//! The same work by compiled tasks: the functions of `compiled.air`, compiled as the workload
//! starts, which is not counted.
#![allow(unsafe_code, reason = "starts compiled code")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use asr_base::{Duration, Failure, Outcome};
use asr_codegen::jit::{Registry, Unit};
use asr_codegen::{Options, air, prepare};
use asr_intrinsics::abi::{CodeRecord, StartHandler, status};
use asr_intrinsics::{SYNC, TASKS};
use asr_kernel::compiled::{PollFn, RootFrame};
use asr_kernel::{Cx, Policy, RegionConfig, Spawn, code, thread};

use super::idle::grown;
use super::{Work, work};
use crate::on::Place;
use crate::report::{Meter, Report, resident};

pub(super) const WORKS: &[Work] = &[
    work("compiled_spawn_join", 1_000_000, |place, n| {
        timed(place, "spawn_join", n, 1)
    }),
    work("compiled_spawn_seq", 1_000_000, |place, n| {
        timed(place, "spawn_seq", n, 1)
    }),
    work("compiled_suspend_twice", 1_000_000, |place, n| {
        timed(place, "suspend_twice", n, 1)
    }),
    work("compiled_yield", 1_000_000, |place, n| {
        timed(place, "yield", n / 1000, 1000)
    }),
    work("compiled_await_ready", 10_000_000, |place, n| {
        timed(place, "await_ready", n, 1)
    }),
    work("compiled_depth_0", 1_000_000, |place, n| {
        timed(place, "depth_0", n, 1)
    }),
    work("compiled_depth_10", 1_000_000, |place, n| {
        timed(place, "depth_10", n, 1)
    }),
    work("compiled_idle_yield", 1_000_000, |place, n| {
        idle(place, "yielding", n)
    }),
    work("compiled_idle_park", 1_000_000, |place, n| {
        idle(place, "parked", n)
    }),
    work("compiled_idle_sleep", 1_000_000, |place, n| {
        idle(place, "asleep", n)
    }),
];

/// Tasks of the idle workloads that have started.
static STARTED: AtomicU64 = AtomicU64::new(0);

extern "C" fn asr_bench_started() {
    STARTED.fetch_add(1, Relaxed);
}

/// The registry of code of this process.
struct Code;

impl Registry for Code {
    fn register(&self, record: *const CodeRecord) -> u32 {
        // SAFETY: the unit that registers it keeps it, and is never released.
        match unsafe { code::register(record) } {
            Ok(()) => status::OK,
            Err(error) => error.status(),
        }
    }

    fn unregister(&self, record: *const CodeRecord) -> u32 {
        match code::unregister(record) {
            true => status::OK,
            false => status::BAD_ARGUMENT,
        }
    }

    fn handler(&self, _: &StartHandler) -> u32 {
        status::UNSUPPORTED
    }
}

/// The compiled functions.
fn unit() -> &'static Unit {
    static UNIT: OnceLock<Unit> = OnceLock::new();
    UNIT.get_or_init(|| {
        let text = include_bytes!("compiled.air");
        let parsed = air::parse(text).unwrap_or_else(|errors| panic!("{}", errors[0]));
        let tables = [&TASKS, &SYNC];
        if let Err(errors) = air::verify(&parsed.module, &tables) {
            panic!("{}", errors[0]);
        }
        let prepared = prepare(&parsed.module, &tables, &Options::default());
        let prepared = prepared.unwrap_or_else(|error| panic!("{error}"));
        let mut symbols = asr_rt::symbols();
        let started = asr_bench_started as *const () as *const u8;
        symbols.push(("asr_bench_started", started));
        Unit::load(&prepared, &symbols, Box::new(Code)).unwrap_or_else(|error| panic!("{error}"))
    })
}

/// The frame of an exported function with these arguments.
fn frame(name: &str, arguments: &[u64]) -> RootFrame {
    let (Some(code), Some(size)) = (unit().lookup(name), unit().frame_size(name)) else {
        panic!("compiled.air has no asynchronous export `{name}`");
    };
    // SAFETY: the address and the size of the frame of one poll function.
    let made = unsafe {
        let poll = std::mem::transmute::<*const u8, PollFn>(code);
        RootFrame::new(thread::adopt(), poll, size.into())
    };
    let mut frame = made.expect("a size that frames have");
    for (n, &word) in arguments.iter().enumerate() {
        frame.argument(n, word);
    }
    frame
}

/// Runs a function with this argument, and counts `each` operations for every one of it.
fn timed(place: Place, name: &'static str, argument: u64, each: u64) -> Report {
    unit();
    place.run(async move |cx| {
        let meter = Meter::start();
        call(&cx, name, &[argument]).await?;
        Ok(meter.read(argument * each))
    })
}

/// The result of a function, run as a task.
async fn call(cx: &Cx, name: &str, arguments: &[u64]) -> Result<u64, Failure> {
    let task = cx.spawn_compiled(frame(name, arguments), Spawn::new())?;
    task.join(cx).await?.into_result()
}

/// Starts tasks that wait, and measures until all have started; then they are cancelled.
fn idle(place: Place, name: &'static str, count: u64) -> Report {
    unit();
    place.run(async move |cx| {
        let signal = call(&cx, "signal", &[]).await?;
        let arguments = [signal];
        let arguments = if name == "parked" {
            &arguments[..]
        } else {
            &[]
        };
        let region = cx.open_region(&RegionConfig::new().policy(Policy::CollectAll))?;
        let before = resident();
        let meter = Meter::start();
        for _ in 0..count {
            drop(region.spawn_compiled(frame(name, arguments), Spawn::new())?);
        }
        while STARTED.load(Relaxed) < count {
            cx.sleep(Duration::from_millis(1)).await?;
        }
        let report = meter.read(count);
        let report = report.with("bytes_per_task", grown(before, count));
        region.cancel("measured");
        let ended = region.close(&cx).await;
        assert!(matches!(ended, Outcome::Cancelled(_)), "{ended:?}");
        Ok(report)
    })
}
