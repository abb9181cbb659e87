//! Pinned tasks, clamped priorities and long queues, in the drivers of production.

#[path = "common/runtime.rs"]
mod runtime;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::{self, ThreadId};

use asr_base::{Budget, Duration};
use asr_kernel::sched::{Local, Workers, WorkersConfig};
use asr_kernel::{Config, Spawn};
use parking_lot::Mutex;
use runtime::{Runtime, all, done, on, turn, workers};

/// Outside of the cancel lane a priority above 199 counts as 199, and is counted.
#[test]
fn sch_3_a_priority_above_199_is_clamped_and_counted() {
    for runtime in Runtime::each() {
        done(runtime.run(async |cx| {
            for priority in [199, 200, 255] {
                let budget = Budget::UNLIMITED.with_priority(priority);
                let task = cx.spawn_with(Spawn::new().budget(budget), async |_| Ok(()))?;
                task.join(&cx).await?.into_result()?;
            }
            Ok(())
        }));
        assert_eq!(runtime.kernel().stats().priority_clamped.get(), 2);
    }
}

/// In the cancel lane it is what it is.
#[test]
fn sch_3_cancelled_tasks_are_not_clamped() {
    let runtime = workers(1);
    done(runtime.run(async |cx| {
        let budget = Budget::UNLIMITED.with_priority(255);
        let task = cx.spawn_with(Spawn::new().budget(budget), async |_| Ok(()))?;
        task.abort();
        let _ = task.join(&cx).await?;
        Ok(())
    }));
    assert_eq!(runtime.kernel().stats().priority_clamped.get(), 0);
}

/// Under the pressure of thieves each pinned task is polled by one thread, that of its worker.
#[test]
fn sch_16_pinned_tasks_stay_on_their_thread() {
    const WORKERS: usize = 4;
    let runtime = workers(WORKERS);
    let threads = done(runtime.run(async |cx| {
        let mut others = Vec::new();
        for _ in 0..500 {
            others.push(cx.spawn(async |cx| {
                for _ in 0..50 {
                    cx.yield_now().await?;
                }
                Ok(())
            })?);
        }
        let mut pinned = Vec::new();
        for n in 0..200 {
            pinned.push(cx.spawn_with(on(n % WORKERS), async move |cx| {
                let mut threads = HashSet::new();
                for _ in 0..50 {
                    threads.insert(thread::current().id());
                    cx.yield_now().await?;
                }
                Ok((n % WORKERS, threads))
            })?);
        }
        all(&cx, others).await?;
        all(&cx, pinned).await
    }));
    let mut of: [HashSet<ThreadId>; WORKERS] = Default::default();
    for (worker, seen) in threads {
        of[worker].extend(seen);
    }
    assert!(of.iter().all(|threads| threads.len() == 1), "{of:?}");
    let distinct: HashSet<_> = of.iter().flatten().collect();
    assert_eq!(distinct.len(), WORKERS);
    assert_eq!(
        runtime
            .stats()
            .map(|stats| stats.pinned_met.get())
            .sum::<u64>(),
        0
    );
}

/// Also when they are cancelled or have a deadline, which are queues that thieves look into.
#[test]
fn sch_16_urgent_pinned_tasks_stay_on_their_thread() {
    const WORKERS: usize = 4;
    let runtime = workers(WORKERS);
    let threads = done(runtime.run(async |cx| {
        let mut pinned = Vec::new();
        let seen: Arc<Mutex<Vec<(usize, ThreadId)>>> = Arc::default();
        for n in 0..200 {
            let seen = seen.clone();
            let at = cx.now() + Duration::from_secs(3600);
            let options = on(n % WORKERS).budget(Budget::UNLIMITED.with_deadline(at));
            pinned.push(cx.spawn_with(options, async move |_| {
                for _ in 0..20 {
                    seen.lock().push((n % WORKERS, thread::current().id()));
                    turn().await;
                }
                Ok(())
            })?);
        }
        for task in pinned.iter().step_by(3) {
            task.abort();
        }
        for task in pinned {
            let _ = task.join(&cx).await?;
        }
        let seen = std::mem::take(&mut *seen.lock());
        Ok(seen)
    }));
    let pairs: HashSet<_> = threads.iter().collect();
    assert_eq!(pairs.len(), WORKERS, "one thread each: {pairs:?}");
}

/// A limit of 10 and 10 000 tasks at once: all complete, and one warning.
#[test]
fn sch_30_a_full_queue_warns_once_and_drops_nothing() {
    let config = || {
        let mut config = Config::default();
        config.queue_capacity = 10;
        config
    };
    let one = Workers::new(WorkersConfig::workers(1), config()).expect("a thread");
    let local = Local::new(config());
    for runtime in [Runtime::Workers(one), Runtime::Local(local)] {
        let completed = Arc::new(AtomicUsize::new(0));
        let count = completed.clone();
        done(runtime.run(async move |cx| {
            for round in 1..=2 {
                let mut tasks = Vec::new();
                for _ in 0..10_000 {
                    let count = count.clone();
                    tasks.push(cx.spawn(async move |_| {
                        count.fetch_add(1, Relaxed);
                        Ok(())
                    })?);
                }
                all(&cx, tasks).await?;
                assert_eq!(count.load(Relaxed), round * 10_000);
                // All queues are short for a while.
                for _ in 0..100 {
                    cx.yield_now().await?;
                }
            }
            Ok(())
        }));
        assert_eq!(completed.load(Relaxed), 20_000);
        let warnings = runtime.kernel().stats().queue_warnings.get();
        assert_eq!(warnings, 2, "one for each crossing");
    }
}
