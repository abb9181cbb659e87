//! Many cleanups at once: one timer for all, and each ends at its own time.

mod common;

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use asr_base::{Budget, Outcome, Time};
use asr_kernel::RegionConfig;
use asr_kernel::region::Spawn;
use asr_trace::Kind;
use common::{cancelled, forever, ok, run, turn};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn can_23_a_storm_of_cancels_arms_one_timer() {
    const TASKS: usize = 1000;
    let ((), log) = ok(run(async |cx| {
        let region = cx.open_region(&RegionConfig::new())?;
        for _ in 0..TASKS {
            // Each ends at the first checkpoint after the cancel.
            let _task = region.spawn(async |cx| {
                cx.sleep(1_000_000 * SECOND).await?;
                Ok(())
            })?;
        }
        turn().await;
        region.cancel("storm");
        assert!(matches!(region.close(&cx).await, Outcome::Cancelled(_)));
        assert_eq!(cx.now(), Time::ZERO, "nobody waited for a cleanup");
        Ok(())
    }));
    let count = |kind: Kind| log.events.iter().filter(|event| event.kind == kind).count();
    // One each to sleep, and one for all cleanups; none is left to fire.
    assert_eq!(count(Kind::TimerSet), TASKS + 1);
    assert_eq!(count(Kind::TimerCancel), TASKS + 1);
    assert_eq!(count(Kind::TimerFire), 0);
}

#[test]
fn can_23_each_cleanup_ends_at_its_own_time() {
    let ends = ok(run(async |cx| {
        let region = cx.open_region(&RegionConfig::new())?;
        let mut tasks = Vec::new();
        for _ in 0..4 {
            tasks.push(region.spawn(async |cx| {
                let _ = cx.sleep(1_000_000 * SECOND).await;
                forever().await;
                Ok(())
            })?);
        }
        turn().await;
        // Asked at 0, 2, 1 and 3 seconds; the cleanup of each may take five.
        for task in [0, 2, 1, 3] {
            tasks[task].abort();
            cx.sleep(SECOND).await?;
        }
        let mut ends = Vec::new();
        for task in [0, 2, 1, 3] {
            let at = &mut tasks[task];
            while !at.is_finished() {
                cx.sleep(SECOND / 10).await?;
            }
            ends.push(cx.now().as_nanos() / 100_000_000);
        }
        for task in tasks {
            assert!(cancelled(task.join(&cx).await?).escalated());
        }
        Ok(ends)
    }));
    assert_eq!(ends.0, [50, 60, 70, 80]);
}

/// A waker of somebody else's that panics.
struct Rough;

impl Wake for Rough {
    fn wake(self: Arc<Self>) {
        panic!("planted");
    }
}

#[test]
fn can_27_a_waker_that_panics_takes_no_other_timer_along() {
    let ((), _) = ok(run(async |cx| {
        let at = cx.now().saturating_add(SECOND);
        let budget = Budget::UNLIMITED.with_deadline(at);
        // Cancelled by its deadline while it waits through a combinator with wakers of its own.
        let rough = cx.spawn_with(Spawn::new().budget(budget), async |cx| {
            let waker = Waker::from(Arc::new(Rough));
            let mut sleep = pin!(cx.sleep(1_000_000 * SECOND));
            poll_fn(|_| sleep.as_mut().poll(&mut Context::from_waker(&waker))).await?;
            Ok(())
        })?;
        let mut others = Vec::new();
        for _ in 0..3 {
            others.push(cx.spawn(async move |cx| Ok(cx.sleep_until(at).await?))?);
        }
        for other in others {
            other.join(&cx).await?.into_result()?;
        }
        assert!(matches!(rough.join(&cx).await?, Outcome::Cancelled(_)));
        assert_eq!(cx.now(), at);
        Ok(())
    }));
}
