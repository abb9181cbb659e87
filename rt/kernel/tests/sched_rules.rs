//! Order and delay on workers.

#[path = "common/fairness.rs"]
mod fairness;
#[path = "common/runtime.rs"]
mod runtime;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use asr_base::{Budget, Duration};
use fairness::{LOADS, on_each, positions};
use runtime::{COUNTS, all, done, on, turn, workers};

/// Ten thousand cancelling tasks of a worker and one that is ready: it runs 17th.
#[test]
fn sch_5_one_ready_among_ten_thousand_cancelling() {
    for count in COUNTS {
        let runtime = workers(count);
        assert_eq!(positions(&runtime, count), vec![17; count]);
        for stats in runtime.stats() {
            assert!(stats.max_cancel_streak.get() <= 16);
        }
    }
}

/// While a drain is suggested it runs 33rd.
#[test]
fn sch_6_a_drain_doubles_the_limit() {
    for count in COUNTS {
        let runtime = workers(count);
        runtime.suggest_drain(true);
        assert_eq!(positions(&runtime, count), vec![33; count]);
        for stats in runtime.stats() {
            assert!(stats.max_cancel_streak.get() <= 32);
        }
    }
    let runtime = workers(1);
    runtime.suggest_drain(true);
    runtime.suggest_drain(false);
    assert_eq!(positions(&runtime, 1), [17]);
}

/// Timed tasks that never end, and one that is ready: within 33 dispatches.
#[test]
fn sch_7_one_ready_among_endless_timed() {
    for count in COUNTS {
        let runtime = workers(count);
        let before = done(runtime.run(async move |cx| {
            on_each(&cx, count, move |worker, cx| async move {
                let polls = Arc::new(AtomicUsize::new(0));
                let stop = Arc::new(AtomicBool::new(false));
                let mut tasks = Vec::new();
                for n in 0..10 {
                    let (polls, stop) = (polls.clone(), stop.clone());
                    let at = cx.now() + Duration::from_secs(3600 + n);
                    let budget = Budget::UNLIMITED.with_deadline(at);
                    tasks.push(cx.spawn_with(on(worker).budget(budget), async move |cx| {
                        while !stop.load(Relaxed) {
                            polls.fetch_add(1, Relaxed);
                            cx.yield_now().await?;
                        }
                        Ok(())
                    })?);
                }
                while polls.load(Relaxed) < 100 {
                    cx.yield_now().await?;
                }
                let now = polls.load(Relaxed);
                let count = polls.clone();
                let ready = cx.spawn_with(on(worker), async move |_| Ok(count.load(Relaxed)))?;
                let then = ready.join(&cx).await?.into_result()?;
                stop.store(true, Relaxed);
                all(&cx, tasks).await?;
                Ok(then - now)
            })
            .await
        }));
        assert!(before.iter().all(|&polls| polls <= 32), "{before:?}");
    }
}

/// Tasks of every lane that never end, n of them on a worker: one that is queued behind them runs
/// within n (L + 2) dispatches.
#[test]
fn sch_8_a_queued_task_runs_within_its_bound() {
    for count in COUNTS {
        for load in LOADS {
            let waited = fairness::behind(&workers(count), count, load);
            let bound = load.n() * 18;
            assert!(
                waited.iter().all(|&polls| polls < bound),
                "{waited:?}, {bound}"
            );
        }
    }
}

/// Two tasks that wake each other, and a third that waits in the ring: it runs fourth at the
/// latest. On one worker, where nobody else could take it.
#[test]
fn sch_9_two_that_wake_each_other_keep_nobody_waiting() {
    let between = fairness::between(&workers(1));
    assert!(between.iter().all(|&polls| polls <= 3), "{between:?}");
    assert!(between.contains(&3), "{between:?}");
}

/// What comes from outside runs within an interval, although the worker is never without work of
/// its own.
#[test]
fn sch_9_the_injector_is_served_while_the_worker_is_busy() {
    let runtime = workers(1);
    let waited = done(runtime.run(async |cx| {
        let polls = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let mut busy = Vec::new();
        for _ in 0..4 {
            let (stop, polls) = (stop.clone(), polls.clone());
            busy.push(cx.spawn(async move |_| {
                while !stop.load(Relaxed) {
                    polls.fetch_add(1, Relaxed);
                    turn().await;
                }
                Ok(())
            })?);
        }
        let mut waited = Vec::new();
        for round in 0..20 {
            for _ in 0..round {
                turn().await;
            }
            let before = polls.load(Relaxed);
            let (spawner, polls) = (cx.spawner(), polls.clone());
            let queued = async move |_| Ok(polls.load(Relaxed));
            // In this poll, so that the worker does nothing meanwhile.
            let outside = std::thread::spawn(move || spawner.spawn(queued).map_err(|_| ()));
            let task = outside.join().expect("no panic").expect("it is open");
            waited.push(task.join(&cx).await?.into_result()? - before);
        }
        stop.store(true, Relaxed);
        all(&cx, busy).await?;
        Ok(waited)
    }));
    assert!(waited.iter().all(|&polls| polls <= 61), "{waited:?}");
    assert!(waited.iter().any(|&polls| polls >= 30), "{waited:?}");
}
