//! Cleanup budgets in place of deadlines and quotas.

mod common;

use std::sync::Arc;
use std::time::Duration;

use asr_base::{Budget, CancelKind};
use asr_kernel::{Escalation, Policy, RegionConfig, Spawn};
use asr_trace::Sub;
use common::{cancelled, forever, ok, run, subs, turn};
use parking_lot::Mutex;

const SECOND: Duration = Duration::from_secs(1);

fn collect() -> RegionConfig {
    RegionConfig::new().policy(Policy::CollectAll)
}

#[test]
fn can_29_a_task_cancelled_by_its_deadline_has_its_whole_cleanup_budget() {
    let ((cleaned, outcome), _) = ok(run(async |cx| {
        let cleaned = Arc::new(Mutex::new(None));
        let keep = cleaned.clone();
        let mut budget = Budget::UNLIMITED
            .with_deadline(cx.now() + SECOND)
            .with_polls(3);
        budget.cost = Some(1);
        let child = cx.spawn_with(Spawn::new().budget(budget), async move |cx| {
            let slept = cx.sleep(SECOND * 9).await;
            // 5 s x 9 / 10 for a timeout, of which 4.4 are used, and more polls than it had.
            let start = cx.now();
            for _ in 0..20 {
                cx.mask(10, cx.sleep(SECOND * 22 / 100)).await??;
            }
            assert!(cx.charge(10).is_ok(), "the quota of cost is replaced too");
            // Whatever it opens for its cleanup lives on what is left.
            let opened = cx
                .mask(
                    10,
                    cx.region(collect(), async |scope, cx| {
                        scope
                            .fiber(async |cx| {
                                cx.checkpoint()?;
                                Ok(7)
                            })?
                            .join(&cx)
                            .await?
                            .into_result()
                    }),
                )
                .await?;
            *keep.lock() = Some((cx.now().since(start), opened.ok()));
            Ok(slept?)
        })?;
        let outcome = child.join(&cx).await?;
        let cleaned = *cleaned.lock();
        Ok((cleaned, outcome))
    }));
    assert_eq!(cleaned, Some((SECOND * 44 / 10, Some(7))));
    let reason = cancelled(outcome);
    assert_eq!(
        (reason.kind(), reason.escalated()),
        (CancelKind::Timeout, false)
    );
}

#[test]
fn can_29_a_child_has_no_more_than_its_parent_has_left() {
    let (left, log) = ok(run(async |cx| {
        let left = Arc::new(Mutex::new(None));
        let keep = left.clone();
        let outer = cx.open_region(&collect())?;
        let inner = outer.open(&collect())?;
        let _ = inner.spawn(async move |cx| {
            let slept = cx.sleep(SECOND * 99).await;
            *keep.lock() = Some(cx.budget().deadline.since(cx.now()));
            forever().await;
            Ok(slept?)
        })?;
        turn().await;
        // 5 s for what the outer region has; 4 s later the inner one is cancelled by itself.
        let held = outer.spawn(async |_| {
            forever().await;
            Ok(())
        })?;
        turn().await;
        outer.cancel("stop");
        cx.sleep(SECOND * 4).await?;
        inner.cancel("you too");
        drop(inner);
        drop(outer.close(&cx).await);
        drop(held);
        let left = *left.lock();
        Ok((left, cx.now()))
    }));
    assert_eq!(left.0, Some(SECOND * 5));
    assert_eq!(left.1, asr_base::Time::ZERO + SECOND * 5);
    assert_eq!(subs(&log, Sub::CancelEscalated).len(), 2);
}

#[test]
fn can_29_a_mode_of_its_own_gives_a_child_no_more_time() {
    let (ended, _) = ok(run(async |cx| {
        let outer = cx.open_region(&collect())?;
        let inner = outer.open(&collect().escalation(Escalation::Panic))?;
        outer.cancel("stop");
        // Started cancelled: with what its parent has left, 1 s of the 5.
        cx.sleep(SECOND * 4).await?;
        let late = inner.open(&collect())?;
        drop(late.close(&cx).await);
        let child = inner.spawn(async |_| Ok(()))?;
        let outcome = child.join(&cx).await?;
        drop(inner);
        drop(outer.close(&cx).await);
        Ok((outcome, cx.now()))
    }));
    assert_eq!(cancelled(ended.0).kind(), CancelKind::ParentCancelled);
    assert_eq!(ended.1, asr_base::Time::ZERO + SECOND * 4);
}
