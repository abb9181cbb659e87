//! Combinators whose branches wait for tasks that run elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use asr_base::{Failure, Outcome};
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_sync::combine::{join, race_all, timeout};

use super::Done;

/// A task that is there.
struct Lives(Arc<AtomicI64>);

impl Lives {
    fn new(count: &Arc<AtomicI64>) -> Lives {
        count.fetch_add(1, SeqCst);
        Lives(count.clone())
    }
}

impl Drop for Lives {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Starts a task in the region of the call, which gives way so many times, and waits for it.
async fn works(cx: Cx, live: Arc<AtomicI64>, turns: u64) -> Result<u64, Failure> {
    let task = cx.spawn(async move |cx| {
        let _lives = Lives::new(&live);
        for _ in 0..turns {
            cx.yield_now().await?;
        }
        Ok(turns)
    })?;
    task.join(&cx).await?.into_result()
}

/// Calls side by side: when one returns, nobody of it is left.
pub(crate) async fn nobody_is_left(cx: Cx) -> Done {
    let mut callers = Vec::new();
    for n in 0..4_u64 {
        callers.push(cx.spawn(async move |cx| {
            for round in 0..10 {
                let live = Arc::new(AtomicI64::new(0));
                let work = |turns| {
                    let live = live.clone();
                    move |cx| works(cx, live, turns)
                };
                let turns = n + round % 3;
                let won = race_all(&cx, [turns, 1, 50].map(work))
                    .await
                    .into_result()?;
                assert!([turns, 1, 50].contains(&won));
                assert_eq!(live.load(SeqCst), 0, "a race left somebody");
                let both = join(&cx, Policy::FailFast, work(turns), work(2)).await;
                assert_eq!(both, Outcome::Ok((turns, 2)));
                assert_eq!(live.load(SeqCst), 0, "a join left somebody");
                let _ = timeout(&cx, Duration::ZERO, work(9)).await;
                assert_eq!(live.load(SeqCst), 0, "a timeout left somebody");
            }
            Ok(())
        })?);
    }
    for caller in callers {
        caller.join(&cx).await?.into_result()?;
    }
    Ok(())
}

/// Callers that somebody cancels at some moment.
pub(crate) async fn cancelled(cx: Cx) -> Done {
    let live = Arc::new(AtomicI64::new(0));
    for round in 0..20_u64 {
        let region = cx.open_region(&RegionConfig::new().policy(Policy::CollectAll))?;
        let inside = live.clone();
        let caller = region.spawn(async move |cx| {
            let work = |turns| {
                let live = inside.clone();
                move |cx| works(cx, live, turns)
            };
            let outcome = race_all(&cx, [30, 40, 50].map(work)).await;
            assert_eq!(inside.load(SeqCst), 0, "a cancelled race left somebody");
            outcome.into_result()
        })?;
        for _ in 0..round {
            cx.yield_now().await?;
        }
        caller.abort_by(&cx);
        let outcome = caller.join(&cx).await?;
        assert!(
            matches!(outcome, Outcome::Ok(_) | Outcome::Cancelled(_)),
            "{outcome:?}"
        );
        drop(region.close(&cx).await);
    }
    Ok(())
}
