//! Mutex, semaphore, notify.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use asr_base::{Failure, Outcome, Time};
use asr_kernel::Cx;
use asr_lab::{Explorer, Lab, LabConfig, Reason};
use asr_sync::{Mutex, Semaphore};

use super::apart;
use crate::bodies::{locks, notify, once, semaphore, until};

#[asr_lab::test(seeds = 20)]
async fn chn_16_one_at_a_time(cx: Cx) -> Result<(), Failure> {
    locks::exclusion(cx).await
}

#[asr_lab::test(seeds = 10)]
async fn chn_16_a_cancelled_waiter_leaves_no_trace(cx: Cx) -> Result<(), Failure> {
    for who in 0..5 {
        apart(&cx, async move |cx| locks::cancelled_waiter(cx, who).await).await?;
    }
    for who in 0..3 {
        apart(&cx, async move |cx| {
            locks::cancelled_when_called(cx, who).await
        })
        .await?;
    }
    Ok(())
}

#[asr_lab::test(seeds = 20)]
async fn chn_16_at_most_64_go_ahead(cx: Cx) -> Result<(), Failure> {
    locks::newcomers(cx).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_17_a_cancel_poisons_a_critical_section_only(cx: Cx) -> Result<(), Failure> {
    apart(&cx, async |cx| locks::cancelled_holder(cx, false).await).await?;
    apart(&cx, async |cx| locks::cancelled_holder(cx, true).await).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_18_waits_are_counted(cx: Cx) -> Result<(), Failure> {
    let start = cx.now();
    let mutex = Mutex::new(());
    let held = mutex.lock(&cx).await?;
    let mut wait = pin!(mutex.lock(&cx));
    assert!(once(wait.as_mut()).await.is_pending());
    cx.sleep(Duration::from_secs(3)).await?;
    drop(held);
    drop(wait.await?);
    let stats = mutex.stats();
    assert_eq!(stats.contended, 1);
    assert_eq!(
        (stats.waited, stats.longest),
        (Duration::from_secs(3), stats.waited)
    );
    assert_eq!(cx.now(), start.saturating_add(Duration::from_secs(3)));
    assert_ne!(cx.now(), Time::ZERO);
    Ok(())
}

#[asr_lab::test(seeds = 20)]
async fn chn_21_permits_add_up(cx: Cx) -> Result<(), Failure> {
    semaphore::bounded(cx).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_21_a_large_request_is_served(cx: Cx) -> Result<(), Failure> {
    semaphore::large_request(cx).await
}

#[asr_lab::test(seeds = 10)]
async fn chn_2_part_a_closed_semaphore_tells_all(cx: Cx) -> Result<(), Failure> {
    semaphore::close(cx).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_23_who_waits_longest_is_woken(cx: Cx) -> Result<(), Failure> {
    notify::order(cx).await
}

#[asr_lab::test(seeds = 20)]
async fn chn_23_a_permit_passes_on(cx: Cx) -> Result<(), Failure> {
    for who in 0..3 {
        apart(&cx, async move |cx| notify::passes_on(cx, who).await).await?;
    }
    Ok(())
}

/// Three waiters for one permit; waiter `who` is cancelled at any moment, or gives up its wait
/// half-way. The others get it.
async fn three(cx: Cx, who: usize, gives_up: bool) -> Result<u32, Failure> {
    let semaphore = Arc::new(Semaphore::new(1)?);
    let held = semaphore.acquire(&cx).await?;
    let mut waiters = Vec::new();
    for n in 0..3 {
        let semaphore = semaphore.clone();
        waiters.push(cx.spawn(async move |cx| {
            if gives_up && n == who {
                let mut wait = Box::pin(semaphore.acquire(&cx));
                std::future::poll_fn(|context| {
                    let _ = wait.as_mut().poll(context);
                    std::task::Poll::Ready(())
                })
                .await;
                // It keeps its place, and may be called, while it is not polled.
                cx.yield_now().await?;
                return Ok(());
            }
            drop(semaphore.acquire(&cx).await?);
            Ok(())
        })?);
    }
    cx.yield_now().await?;
    drop(held);
    if !gives_up {
        waiters[who].abort();
    }
    let mut got = 0;
    for (n, waiter) in waiters.into_iter().enumerate() {
        let outcome = waiter.join(&cx).await?;
        got += u32::from(matches!(outcome, Outcome::Ok(())) && n != who);
    }
    assert_eq!((semaphore.available(), semaphore.waiting()), (1, 0));
    Ok(got)
}

#[test]
fn obl_18_the_rest_proceed() {
    for (who, gives_up) in [0, 1, 2]
        .into_iter()
        .flat_map(|who| [(who, false), (who, true)])
    {
        let explored = Explorer::default().run(
            || async move |cx: Cx| three(cx, who, gives_up).await,
            |run| match &run.outcome {
                Outcome::Ok(2) => Ok(()),
                other => Err(format!("{other:?}")),
            },
        );
        let explored = explored.unwrap_or_else(|found| panic!("{who} {gives_up}: {found:?}"));
        assert!(explored.complete, "{} schedules", explored.executions);
    }
}

/// Two tasks take two locks in opposite order: the cycle is named.
#[test]
fn lab_14_part_two_locks_in_opposite_order() {
    let mut deadlocks = 0;
    for seed in 0..50 {
        let outcome = Lab::new(LabConfig::seed(seed)).run(async move |cx| {
            let locks = Arc::new([Mutex::new(()), Mutex::new(())]);
            let mut tasks = Vec::new();
            for at in 0..2 {
                let locks = locks.clone();
                tasks.push(cx.spawn(async move |cx| {
                    let _first = locks[at].lock(&cx).await?;
                    cx.yield_now().await?;
                    let _second = locks[1 - at].lock(&cx).await?;
                    Ok(())
                })?);
            }
            for task in tasks {
                task.join(&cx).await?.into_result()?;
            }
            Ok(())
        });
        if let Err(failure) = outcome {
            assert_eq!(failure.reason, Reason::Deadlock);
            let cycle = failure.waits().cycle();
            assert!(cycle.is_some_and(|cycle| cycle.len() == 2), "{failure}");
            deadlocks += 1;
        }
    }
    assert!(deadlocks > 0, "some seed takes one lock each");
}

/// A task that stops polling a wait for a lock that it was called to holds up the others: the lab
/// sees the holder of a guard that is not polled.
#[test]
fn obl_19_a_guard_that_is_not_polled_is_a_futurelock() {
    let mut config = LabConfig::default();
    config.futurelock_max_idle_steps = 50;
    config.panic_on_futurelock = true;
    let failure = Lab::new(config)
        .run(async |cx| {
            let mutex = Mutex::new(());
            let _holder = cx.spawn(async move |cx| {
                let _guard = mutex.lock(&cx).await?;
                cx.sleep(Duration::from_secs(1 << 30)).await?;
                Ok(())
            })?;
            until(&cx, || false).await?;
            Ok(())
        })
        .expect_err("it is detected");
    assert!(
        matches!(failure.reason, Reason::Futurelock(_, 1, _)),
        "{failure}"
    );
}
