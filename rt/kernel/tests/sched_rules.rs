//! Order and delay on workers.

#[path = "common/runtime.rs"]
mod runtime;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::Poll;

use asr_base::{Budget, Duration, Failure};
use asr_kernel::sched::Workers;
use asr_kernel::{Cx, JoinHandle};
use parking_lot::Mutex;
use runtime::{COUNTS, all, done, on, turn, workers};

/// Runs `test` once in a task of each of so many workers, all at a time.
async fn on_each<T, F, Fut>(cx: &Cx, workers: usize, test: F) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Fn(usize, Cx) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let mut tasks = Vec::new();
    for worker in 0..workers {
        let test = test.clone();
        tasks.push(cx.spawn_with(on(worker), async move |cx| test(worker, cx).await)?);
    }
    all(cx, tasks).await
}

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

/// On each worker, the position of a ready task among many cancelling ones that were asked in the
/// same poll.
fn positions(runtime: &Workers, count: usize) -> Vec<usize> {
    const READY: usize = usize::MAX;
    done(runtime.run(async move |cx| {
        on_each(&cx, count, move |worker, cx| async move {
            let order: Arc<Mutex<Vec<usize>>> = Arc::default();
            let started = Arc::new(AtomicUsize::new(0));
            let mut tasks = Vec::new();
            for n in 0..10_000 / count {
                let (order, started) = (order.clone(), started.clone());
                tasks.push(cx.spawn_with(on(worker), async move |cx| {
                    started.fetch_add(1, Relaxed);
                    cancelled(&cx).await;
                    order.lock().push(n);
                    Ok(())
                })?);
            }
            while started.load(Relaxed) < tasks.len() {
                cx.yield_now().await?;
            }
            // In one poll on this worker: nothing runs there meanwhile.
            tasks.iter().for_each(JoinHandle::abort);
            let noted = order.clone();
            let ready = cx.spawn_with(on(worker), async move |_| {
                noted.lock().push(READY);
                Ok(())
            })?;
            let all = tasks.len() + 1;
            for task in tasks {
                let _ = task.join(&cx).await?;
            }
            ready.join(&cx).await?.into_result()?;
            let order = order.lock();
            assert_eq!(order.len(), all);
            let position = order.iter().position(|&who| who == READY);
            Ok(position.expect("it ran") + 1)
        })
        .await
    }))
}

/// Waits for a cancel, and is no cancel point.
async fn cancelled(cx: &Cx) {
    poll_fn(|_| match cx.is_cancel_requested() {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
    .await;
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
        for (cancelling, timed, ready) in [(0, 0, 20), (3, 0, 5), (0, 2, 30), (2, 2, 10)] {
            let runtime = workers(count);
            let n = cancelling + timed + ready + 1;
            let waited = done(runtime.run(async move |cx| {
                on_each(&cx, count, move |worker, cx| async move {
                    let polls = Arc::new(AtomicUsize::new(0));
                    let stop = Arc::new(AtomicBool::new(false));
                    let mut tasks = Vec::new();
                    for who in 0..n - 1 {
                        let (polls, stop) = (polls.clone(), stop.clone());
                        let mut options = on(worker);
                        if (cancelling..cancelling + timed).contains(&who) {
                            let at = cx.now() + Duration::from_secs(3600);
                            options = options.budget(Budget::UNLIMITED.with_deadline(at));
                        }
                        tasks.push(cx.spawn_with(options, async move |_| {
                            while !stop.load(Relaxed) {
                                polls.fetch_add(1, Relaxed);
                                turn().await;
                            }
                            Ok(())
                        })?);
                    }
                    while polls.load(Relaxed) < n {
                        cx.yield_now().await?;
                    }
                    tasks[..cancelling].iter().for_each(JoinHandle::abort);
                    // The ones that are ready may have ended their turn just before.
                    let mut worst = 0;
                    for _ in 0..20 {
                        let now = polls.load(Relaxed);
                        let count = polls.clone();
                        let queued = async move |_| Ok(count.load(Relaxed));
                        let queued = cx.spawn_with(on(worker), queued)?;
                        let then = queued.join(&cx).await?.into_result()?;
                        worst = worst.max(then - now);
                    }
                    stop.store(true, Relaxed);
                    for task in tasks {
                        let _ = task.join(&cx).await?;
                    }
                    Ok(worst)
                })
                .await
            }));
            let bound = n * 18;
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
    let runtime = workers(1);
    let between = done(runtime.run(async |cx| {
        let polls = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let wakers: Arc<[Mutex<Option<std::task::Waker>>; 2]> = Arc::default();
        let mut pair = Vec::new();
        for me in 0..2 {
            let (polls, stop, wakers) = (polls.clone(), stop.clone(), wakers.clone());
            pair.push(cx.spawn(async move |_| {
                poll_fn(|context| {
                    polls.fetch_add(1, Relaxed);
                    *wakers[me].lock() = Some(context.waker().clone());
                    if let Some(other) = wakers[1 - me].lock().take() {
                        other.wake();
                    }
                    match stop.load(Relaxed) {
                        true => Poll::Ready(()),
                        false => Poll::Pending,
                    }
                })
                .await;
                Ok(())
            })?);
        }
        let mut between = Vec::new();
        while between.len() < 100 {
            let before = polls.load(Relaxed);
            // A yield goes to the end of the ring.
            cx.yield_now().await?;
            between.push(polls.load(Relaxed) - before);
        }
        stop.store(true, Relaxed);
        let wake = |at: usize| wakers[at].lock().take().map(std::task::Waker::wake);
        wake(0);
        wake(1);
        all(&cx, pair).await?;
        Ok(between)
    }));
    // At first one of the two is in the ring as well.
    let between = &between[1..];
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
