//! Workers without work: they search, sleep, are woken, and cost nothing.

#[path = "common/runtime.rs"]
mod runtime;

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::*};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use asr_base::{Budget, Failure, Outcome};
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_kernel::topology::Topology;
use asr_kernel::{Config, Cx, RegionConfig, Spawn};
use runtime::{COUNTS, settle, workers};

/// Threads are found by their names, so one test at a time has workers.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|held| held.into_inner())
}

/// Waits for something that other threads bring about; a hang is what the test would show.
fn until(done: impl Fn() -> bool) {
    while !done() {
        thread::sleep(Duration::from_micros(100));
    }
}

fn all_sleep(runtime: &Workers) {
    let count = runtime.stats().len();
    until(|| runtime.idle() == (count, 0));
}

/// Threads of workers and what the system says about each.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let status = tasks.map(|task| {
        let path = task.unwrap().path().join("status");
        std::fs::read_to_string(path).unwrap_or_default()
    });
    status.filter(|text| text.contains("asr-")).collect()
}

fn switches() -> u64 {
    let count = |text: &String| -> u64 {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse().unwrap()
    };
    threads().iter().map(count).sum()
}

/// SCH-23, for 2 s instead of 10: the rule allows 2 switches for each worker, which here are none.
#[test]
fn sch_23_an_idle_runtime_sleeps() {
    let _alone = alone();
    for count in COUNTS {
        let runtime = workers(count);
        // It has run something, and an armed timer in the far future changes nothing.
        let handle = runtime.kernel().root().spawn(async |cx: Cx| {
            cx.sleep(Duration::from_millis(1)).await?;
            cx.sleep(Duration::from_secs(3600)).await?;
            Ok(())
        });
        let handle = handle.unwrap();
        until(|| {
            runtime
                .stats()
                .map(|worker| worker.dispatches())
                .sum::<u64>()
                > 1
        });
        settle(&runtime);
        let (before, parks) = (switches(), parks(&runtime));
        thread::sleep(Duration::from_secs(2));
        assert_eq!(switches() - before, 0, "{count} workers");
        assert_eq!(self::parks(&runtime), parks);
        handle.abort();
    }
}

fn parks(runtime: &Workers) -> Vec<u64> {
    runtime.stats().map(|worker| worker.parks.get()).collect()
}

/// SCH-25: the leader sleeps for long; work from outside, and an earlier timer, interrupt it.
#[test]
fn sch_25_a_long_wait_is_interrupted() {
    let _alone = alone();
    for count in COUNTS {
        let runtime = workers(count);
        let root = runtime.kernel().root();
        let late = Arc::new(AtomicBool::new(false));
        let ended = late.clone();
        let sleeper = root.spawn(async move |cx: Cx| {
            let slept = cx.sleep(Duration::from_secs(3600)).await;
            ended.store(true, Relaxed);
            Ok(slept?)
        });
        let sleeper = sleeper.unwrap();
        for round in 0..100 {
            all_sleep(&runtime);
            let ran = root.spawn(async move |cx: Cx| {
                if round % 2 == 0 {
                    cx.sleep(Duration::from_micros(200)).await?;
                }
                Ok(())
            });
            let ran = ran.unwrap();
            until(|| ran.is_finished());
        }
        assert!(!late.load(Relaxed), "the long sleep has not ended");
        sleeper.abort();
        until(|| sleeper.is_finished());
    }
}

/// SCH-24, the part without a reactor: whoever leads, leads alone, and hands over: each timer is
/// fired, while workers come and go. Turns of a reactor wait for one.
#[test]
fn sch_24_part_the_duty_of_timers_is_handed_over() {
    let _alone = alone();
    for count in COUNTS {
        let outcome = workers(count).run(async |cx| {
            let mut tasks = Vec::new();
            for n in 0..64_u64 {
                tasks.push(cx.spawn(async move |cx| {
                    for turn in 0..20 {
                        cx.sleep(Duration::from_micros(n * 37 % 500 + turn)).await?;
                    }
                    Ok(())
                })?);
            }
            for task in tasks {
                task.join(&cx).await?.into_result()?;
            }
            Ok(())
        });
        assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
    }
}

/// SCH-21 on threads: bursts from outside, at all distances from the end of the burst before, all
/// run. The models are in `loom_park`.
#[test]
fn sch_21_bursts_from_outside_are_run() {
    let _alone = alone();
    for count in COUNTS {
        for search in [0, 50] {
            let mut config = WorkersConfig::workers(count);
            config.search = Duration::from_micros(search);
            let runtime = Workers::new(config, Config::default()).unwrap();
            let root = runtime.kernel().root();
            let done = Arc::new(AtomicUsize::new(0));
            let mut sent = 0;
            for burst in 0..300 {
                for _ in 0..burst % 4 + 1 {
                    let done = done.clone();
                    let task = root.spawn(async move |_: Cx| {
                        done.fetch_add(1, Relaxed);
                        Ok(())
                    });
                    drop(task.unwrap());
                    sent += 1;
                }
                let enough = sent - burst % 2;
                until_spinning(|| done.load(Relaxed) >= enough);
                (0..burst * 10).for_each(|_| std::hint::spin_loop());
            }
            until(|| done.load(Relaxed) == sent);
        }
    }
}

fn until_spinning(done: impl Fn() -> bool) {
    while !done() {
        thread::yield_now();
    }
}

/// SCH-47: one searcher at most on each node, of one and of two, whatever happens; with a search
/// of no time nobody searches.
#[test]
fn sch_47_one_searches_for_a_bounded_time() {
    let _alone = alone();
    for (search, nodes) in [(50, 1), (50, 2), (0, 1)] {
        let mut config = WorkersConfig::workers(8);
        let topology = Topology::synthetic(&format!("node:{nodes} core:4"));
        config.topology = Some(topology.unwrap());
        config.search = Duration::from_micros(search);
        let runtime = Arc::new(Workers::new(config, Config::default()).unwrap());
        let watched = runtime.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let watcher = thread::spawn(move || {
            let mut most = 0;
            while !stopped.load(Relaxed) {
                most = watched.idle().1.max(most);
                thread::yield_now();
            }
            most
        });
        let outcome = runtime.run(async |cx| {
            for _ in 0..50 {
                let mut tasks = Vec::new();
                for n in 0..64_u64 {
                    tasks.push(cx.spawn(async move |cx| {
                        cx.yield_now().await?;
                        cx.sleep(Duration::from_micros(n)).await?;
                        Ok(())
                    })?);
                }
                for task in tasks {
                    task.join(&cx).await?.into_result()?;
                }
            }
            Ok::<_, Failure>(())
        });
        assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
        stop.store(true, Relaxed);
        assert!(watcher.join().unwrap() <= nodes);
        // Debug builds count who is inside the search, and panic if it is a second one.
        assert_eq!(runtime.panics(), 0);
        let searches: u64 = runtime.stats().map(|worker| worker.searches.get()).sum();
        let parks: u64 = parks(&runtime).iter().sum();
        assert!(parks > 0);
        assert_eq!(searches == 0, search == 0, "{searches} searches");
    }
}

/// SCH-11: a worker that is woken for a timer which comes before the one it slept for, and finds
/// nothing to run, says so.
#[test]
fn sch_11_wakes_for_nothing_are_counted() {
    let _alone = alone();
    let runtime = Workers::new(WorkersConfig::workers(1), Config::default()).unwrap();
    let kernel = runtime.kernel().clone();
    let root = kernel.root();
    let woken = || -> u64 { runtime.stats().map(|it| it.spurious_wakes.get()).sum() };
    let mut hours = 1000;
    while woken() == 0 {
        // Only one that sleeps is woken; each region has an earlier deadline than those before.
        while runtime.idle().0 == 0 {
            thread::yield_now();
        }
        hours -= 1;
        let at = kernel
            .now()
            .saturating_add(Duration::from_secs(hours * 3600));
        let budget = Budget::UNLIMITED.with_deadline(at);
        let region = root.open(&RegionConfig::new().budget(budget)).unwrap();
        while runtime.idle().0 == 0 {
            thread::yield_now();
        }
        region.begin_close();
    }
}

/// SCH-17: the wake of a pinned task unparks its owner, and nobody else.
#[test]
fn sch_17_the_owner_of_a_pinned_task_wakes_alone() {
    let _alone = alone();
    let runtime = workers(4);
    let root = runtime.kernel().root();
    for owner in 0..4 {
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let polled = Arc::new(Mutex::new(Vec::new()));
        let (kept, threads) = (waker.clone(), polled.clone());
        let task = root.spawn_with(Spawn::new().pin(owner), async move |_: Cx| {
            poll_fn(|context| {
                let name = thread::current().name().map(str::to_owned);
                threads.lock().unwrap().push(name.unwrap());
                if threads.lock().unwrap().len() > 20 {
                    return Poll::Ready(());
                }
                *kept.lock().unwrap() = Some(context.waker().clone());
                Poll::Pending
            })
            .await;
            Ok(())
        });
        let task = task.unwrap();
        for _ in 0..20 {
            until(|| waker.lock().unwrap().is_some());
            all_sleep(&runtime);
            let before = parks(&runtime);
            waker.lock().unwrap().take().unwrap().wake();
            until(|| waker.lock().unwrap().is_some() || task.is_finished());
            all_sleep(&runtime);
            let after = parks(&runtime);
            for worker in 0..4 {
                let more = after[worker] - before[worker];
                assert_eq!(more > 0, worker == owner.into(), "{before:?} {after:?}");
            }
        }
        until(|| task.is_finished());
        let polled = polled.lock().unwrap();
        let name = format!("asr-worker-{owner}");
        assert!(polled.iter().all(|thread| *thread == name), "{polled:?}");
    }
}
