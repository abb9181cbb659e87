//! Polls that last: they are asked to yield, reported, and keep no other work waiting.

#[path = "common/runtime.rs"]
mod runtime;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use asr_abi::flag;
use asr_base::{Budget, Failure, Outcome};
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_kernel::{Config, Cx, RegionConfig, Spawn};
use asr_trace::{Draft, Sink, Sub};
use runtime::{COUNTS, settle, workers};

/// Threads are found by their names, so one test at a time has workers.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|held| held.into_inner())
}

/// A runtime whose slices are short, so that tests are.
fn sliced(count: usize) -> Workers {
    let mut config = WorkersConfig::workers(count);
    config.slices.slice = Duration::from_millis(1);
    config.slices.poll_warn = Duration::from_millis(3);
    Workers::new(config, Config::default()).unwrap()
}

fn asked(runtime: &Workers) -> u64 {
    runtime
        .stats()
        .map(|worker| worker.yields_asked.get())
        .sum()
}

fn until(done: impl Fn() -> bool) {
    while !done() {
        thread::sleep(Duration::from_micros(100));
    }
}

/// Threads of this name.
fn named(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.map(|task| {
        let path = task.unwrap().path().join("comm");
        std::fs::read_to_string(path).unwrap_or_default()
    });
    names.filter(|found| found.trim() == name).count()
}

/// SCH-46: one ticker for any number of workers; no tick while all sleep (here 2 s instead of 10);
/// a poll that goes on is asked at every slice, here until it was asked 50 times.
#[test]
fn sch_46_one_ticker_while_a_worker_polls() {
    let _alone = alone();
    for count in COUNTS {
        let runtime = workers(count);
        settle(&runtime);
        // A new thread has its name a little later.
        until(|| named("asr-ticker") > 0);
        assert_eq!(named("asr-ticker"), 1);
        let before = runtime.ticks();
        thread::sleep(Duration::from_secs(2));
        assert_eq!(runtime.ticks(), before, "it ticks while all sleep");
        let go_on = Arc::new(AtomicBool::new(true));
        let goes_on = go_on.clone();
        let task = runtime.kernel().root().spawn(async move |_: Cx| {
            while goes_on.load(Relaxed) {
                std::hint::spin_loop();
            }
            Ok(())
        });
        until(|| asked(&runtime) >= 50);
        go_on.store(false, Relaxed);
        until(|| task.as_ref().is_ok_and(|task| task.is_finished()));
        assert!(runtime.ticks() >= before + 50);
    }
}

/// SCH-45 for tasks in Rust: asked, a task yields at the next operation after a checkpoint that
/// could yield; a fiber does as well.
#[test]
fn sch_45_part_a_task_that_is_asked_yields() {
    let _alone = alone();
    let runtime = Arc::new(sliced(1));
    for fiber in [false, true] {
        let (watched, seen) = (runtime.clone(), asked(&runtime));
        let others = Arc::new(AtomicUsize::new(0));
        let ran = others.clone();
        let task = runtime.kernel().root().spawn(async move |cx: Cx| {
            let long = async |cx: &Cx| {
                let other = ran.clone();
                drop(cx.spawn(async move |_| {
                    other.fetch_add(1, Relaxed);
                    Ok(())
                })?);
                while asked(&watched) == seen {
                    cx.checkpoint()?;
                }
                cx.checkpoint()?;
                assert_eq!(ran.load(Relaxed), 0, "it has not yielded");
                poll_fn(|context| cx.poll_coop(context)).await;
                assert_eq!(ran.load(Relaxed), 1, "it yielded");
                Ok::<_, Failure>(())
            };
            if fiber {
                let region = cx.region(RegionConfig::new(), async |scope, cx| {
                    let fiber = scope.fiber(async |cx| long(&cx).await)?;
                    fiber.join(&cx).await?.into_result()
                });
                region.await.into_result()
            } else {
                long(&cx).await
            }
        });
        let task = task.unwrap();
        until(|| task.is_finished());
        let outcome = task.try_join().unwrap();
        assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
        assert_eq!(others.load(Relaxed), 1);
    }
}

/// SCH-45, ABI-39 for compiled code, as far as the thread's word goes: the yield bit is set while
/// the poll lasts. That code is parked for it waits for stacks that can be.
#[test]
fn sch_45_part_the_yield_bit_of_the_thread_is_set() {
    let _alone = alone();
    let runtime = sliced(2);
    let outcome = runtime.run(async |_| {
        let word = &asr_kernel::thread::adopt().flag;
        while word.load(Relaxed) & flag::YIELD == 0 {
            std::hint::spin_loop();
        }
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}

/// Keeps the reports of long polls.
#[derive(Default)]
struct Reports(Mutex<Vec<Draft>>);

impl Sink for Reports {
    fn emit(&self, draft: Draft) -> u64 {
        if draft.sub == Sub::LongPoll {
            self.0.lock().unwrap().push(draft);
        }
        0
    }
}

/// SCH-45: each place of the program is reported once, with the time the poll had lasted by then,
/// while it lasts.
#[test]
fn sch_45_part_long_polls_are_reported_once_a_site() {
    let _alone = alone();
    let runtime = sliced(2);
    let reports = Arc::new(Reports::default());
    runtime.kernel().trace_to(reports.clone());
    let stats = runtime.kernel().clone();
    let outcome = runtime.run(async move |cx| {
        for round in 1..=3 {
            let (counted, ticks) = (stats.clone(), Arc::new(AtomicUsize::new(0)));
            let first = cx.spawn(async move |_| {
                // The first time until it is reported, then for a while.
                while counted.stats().long_polls.get() == 0 {
                    thread::yield_now();
                }
                thread::sleep(Duration::from_millis(20));
                Ok(ticks.fetch_add(1, Relaxed))
            })?;
            first.join(&cx).await?.into_result()?;
            if round == 2 {
                let counted = stats.clone();
                let second = cx.spawn(async move |_| {
                    while counted.stats().long_polls.get() == 1 {
                        thread::yield_now();
                    }
                    Ok(())
                })?;
                second.join(&cx).await?.into_result()?;
            }
        }
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
    assert_eq!(runtime.kernel().stats().long_polls.get(), 2);
    let reports = reports.0.lock().unwrap();
    assert_eq!(reports.len(), 2);
    assert_ne!(reports[0].a, reports[1].a, "two sites");
    for report in &*reports {
        assert!(report.task.is_some());
        assert!(report.b >= 3_000_000, "it lasted {} ns", report.b);
    }
}

/// What a blocked worker has queued, its newest-first slot included, is run by the others.
#[test]
fn a_blocked_worker_strands_nothing() {
    let _alone = alone();
    for count in [2, 8] {
        for children in [1, 2, 50] {
            let runtime = sliced(count);
            let outcome = runtime.run(async move |cx| {
                let ran = Arc::new(AtomicUsize::new(0));
                for n in 0..children {
                    let ran = ran.clone();
                    let mut options = Spawn::new();
                    if n % 3 == 1 {
                        options = options.budget(Budget::request(cx.now()));
                    }
                    drop(cx.spawn_with(options, async move |_| {
                        ran.fetch_add(1, Relaxed);
                        Ok(())
                    })?);
                }
                while ran.load(Relaxed) < children {
                    thread::yield_now();
                }
                Ok(())
            });
            assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
        }
    }
}

/// A timer that comes due while the one worker that is awake is in a long poll.
#[test]
fn a_blocked_worker_keeps_no_timer() {
    let _alone = alone();
    let runtime = sliced(2);
    let outcome = runtime.run(async move |cx| {
        for _ in 0..10 {
            let fired = Arc::new(AtomicBool::new(false));
            let seen = fired.clone();
            drop(cx.spawn(async move |cx| {
                cx.sleep(Duration::from_micros(100)).await?;
                seen.store(true, Relaxed);
                Ok(())
            })?);
            cx.yield_now().await?;
            while !fired.load(Relaxed) {
                thread::yield_now();
            }
        }
        Ok(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}
