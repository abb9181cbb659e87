//! Each combinator, cancelled at every poll, and dropped at every poll.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use asr_base::{CancelKind, Failure, Outcome};
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_lab::LabConfig;
use asr_sync::combine::{join, join_all, race, race_all, timeout};

use crate::branches::{Seen, polls};
use crate::common::{ok, run_with, turn};

/// The combinators, by number.
const ALL: u32 = 7;

/// A call whose branches take three turns, and clean up for one.
async fn call(cx: &Cx, which: u32, seen: &Arc<Seen>) -> Result<u32, Failure> {
    let branch = |turns| {
        let seen = seen.clone();
        async move |cx| seen.turns(cx, turns, turns).await
    };
    let long = Duration::from_secs(9);
    let policy = [Policy::FailFast, Policy::CollectAll][which as usize % 2];
    let outcome = match which {
        0 | 1 => join(cx, policy, branch(3), branch(4)).await.map(|_| 0),
        2 | 3 => join_all(cx, policy, [3, 4, 3].map(branch)).await.map(|_| 0),
        4 => race(cx, branch(3), branch(5)).await,
        5 => race_all(cx, [5, 3, 5].map(branch)).await,
        _ => timeout(cx, long, branch(3)).await,
    };
    // Whatever came of it, nobody is left.
    assert_eq!(seen.live(), 0);
    outcome.into_result()
}

#[test]
fn cmb_2_cancelled_at_every_poll() {
    for which in 0..ALL {
        let mut finished = false;
        for times in 0..16 {
            let ((outcome, kinds), _) = ok(run_with(LabConfig::seed(1), async move |cx| {
                let seen = Seen::new();
                let inside = seen.clone();
                let config = RegionConfig::new().policy(Policy::CollectAll);
                let region = cx.open_region(&config)?;
                let task = region.spawn(async move |cx| {
                    let called = call(&cx, which, &inside).await;
                    // Its own cancel is what it gets.
                    if let Err(Failure::Cancelled(reason)) = &called {
                        assert_eq!(reason.kind(), CancelKind::User);
                    }
                    called
                })?;
                for _ in 0..times {
                    turn().await;
                }
                task.abort();
                let outcome = task.join(&cx).await?;
                drop(region.close(&cx).await);
                assert_eq!(seen.live(), 0);
                Ok((outcome, seen.kinds.lock().clone()))
            }));
            match outcome {
                Outcome::Ok(_) => finished = true,
                Outcome::Cancelled(reason) => assert_eq!(reason.kind(), CancelKind::User),
                other => panic!("{which}, {times}: {other:?}"),
            }
            // A race that was won before its loser is told RaceLost.
            for kind in kinds {
                let told = [CancelKind::ParentCancelled, CancelKind::RaceLost];
                assert!(told.contains(&kind), "{which}, {times}: {kind:?}");
            }
        }
        assert!(finished, "{which} came to its end");
    }
}

#[test]
fn cmb_2_branches_are_told_that_the_caller_is_cancelled() {
    for which in 0..ALL {
        let (kinds, _) = ok(run_with(LabConfig::seed(2), async move |cx| {
            let seen = Seen::new();
            let inside = seen.clone();
            let config = RegionConfig::new().policy(Policy::CollectAll);
            let region = cx.open_region(&config)?;
            let task = region.spawn(async move |cx| call(&cx, which, &inside).await)?;
            while seen.begun.load(Relaxed) == 0 {
                turn().await;
            }
            task.abort();
            let outcome = task.join(&cx).await?;
            assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
            drop(region.close(&cx).await);
            let kinds = seen.kinds.lock().clone();
            Ok(kinds)
        }));
        assert!(!kinds.is_empty());
        assert!(
            kinds
                .iter()
                .all(|kind| *kind == CancelKind::ParentCancelled),
            "{kinds:?}"
        );
    }
}

/// Dropped half-way by somebody who knows nothing of regions: the branches are gone with it.
#[test]
fn cmb_1_dropped_at_every_poll() {
    for which in 0..ALL {
        let mut finished = false;
        for times in 0..16 {
            let (ended, _) = ok(run_with(LabConfig::seed(3), async move |cx| {
                let seen = Seen::new();
                let mut ended = false;
                let outcome: Outcome<(), _> = cx
                    .region(RegionConfig::new(), async |_, cx| {
                        ended = polls(call(&cx, which, &seen), times).await.is_some();
                        assert_eq!(seen.live(), 0);
                        Ok(())
                    })
                    .await;
                assert_eq!(outcome, Outcome::Ok(()));
                Ok(ended)
            }));
            finished |= ended;
        }
        assert!(finished, "{which} came to its end");
    }
}
