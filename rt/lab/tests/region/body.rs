//! The body of a region is its first child (REG-35).

use std::time::Duration;

use asr_base::{Budget, CancelKind, Outcome, Time};
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_trace::{Kind, Sub};

use crate::checked::{fails, run, seeds};
use crate::common::{cancelled, kinds, turn};

#[test]
fn reg_35_a_cancel_from_outside_ends_the_body_not_the_opener() {
    seeds(30, || {
        async |cx: Cx| {
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new(), async |scope, cx| {
                    let handle = scope.handle();
                    let _ = scope.spawn(async move |cx| {
                        cx.sleep(Duration::from_secs(1)).await?;
                        handle.cancel("from outside the body");
                        Ok(())
                    })?;
                    let slept = cx.sleep(Duration::from_secs(9)).await;
                    let reason = cx.cancel_reason().expect("that is why");
                    assert_eq!(reason.kind(), CancelKind::ParentCancelled);
                    cx.checkpoint().expect_err("each one says so");
                    Ok(slept?)
                })
                .await;
            let reason = cancelled(outcome);
            assert_eq!(
                (reason.kind(), reason.message()),
                (CancelKind::User, "from outside the body")
            );
            assert!(!cx.is_cancel_requested());
            cx.checkpoint()?;
            Ok(cx.sleep(Duration::from_secs(1)).await?)
        }
    });
}

#[test]
fn reg_35_the_body_is_a_fiber_with_index_0() {
    let ran = run(async |cx| {
        let mut inside = None;
        let outcome: Outcome<(), _> = cx
            .region(
                RegionConfig::new().policy(Policy::CollectAll),
                async |scope, cx| {
                    inside = Some((scope.id(), cx.task_id()));
                    assert_eq!(cx.region_id(), scope.id());
                    let _ = scope.spawn(async |_| Err::<(), _>(fails("a child")))?;
                    turn().await;
                    turn().await;
                    Err(fails("the body"))
                },
            )
            .await;
        let Outcome::Err(error) = outcome else {
            panic!("{outcome:?}")
        };
        // Lowest spawn index first (VAL-3), though the child ended before.
        assert_eq!(error.message(), "the body");
        Ok(inside.expect("it ran"))
    });
    let ((region, task), trace) = ran.ok();
    let spawned = kinds(&trace, Kind::TaskSpawn);
    let first = spawned.iter().find(|event| event.region == Some(region));
    assert_eq!(first.expect("children").a, task.to_bits());
}

/// A budget of the region is one of its body: by polls, and by time.
#[test]
fn reg_35_the_body_has_the_budget_of_the_region() {
    let ran = run(async |cx| {
        let budget = Budget {
            polls: 3,
            ..Budget::UNLIMITED
        };
        let outcome: Outcome<(), _> = cx
            .region(RegionConfig::new().budget(budget), async |_, cx| {
                for _ in 0..9 {
                    cx.yield_now().await?;
                }
                Ok(())
            })
            .await;
        assert_eq!(cancelled(outcome).kind(), CancelKind::Exhausted);
        let timeout = RegionConfig::new().timeout(Duration::from_secs(2));
        let body = async |_, cx: Cx| Ok(cx.sleep(Duration::from_secs(9)).await?);
        let outcome: Outcome<(), _> = cx.region(timeout, body).await;
        assert_eq!(cancelled(outcome).kind(), CancelKind::Timeout);
        assert_eq!(cx.now(), Time::from_nanos(2_000_000_000));
        cx.checkpoint()?;
        Ok(())
    });
    ran.ok();
}

/// A body that ends Ok after it observed its cancel is cancelled, as any child is (TSK-6).
#[test]
fn reg_35_the_body_follows_the_rules_of_outcomes() {
    let ran = run(async |cx| {
        let outcome: Outcome<u32, _> = cx
            .region(RegionConfig::new(), async |scope, cx| {
                scope.handle().cancel("now");
                cx.checkpoint().expect_err("it observes");
                Ok(7)
            })
            .await;
        assert_eq!(cancelled(outcome).kind(), CancelKind::User);
        let unobserved: Outcome<u32, _> = cx
            .region(RegionConfig::new(), async |scope, _| {
                scope.handle().cancel("now");
                Ok(7)
            })
            .await;
        assert_eq!(unobserved, Outcome::Ok(7));
        Ok(())
    });
    let discarded = ran.ok().1;
    assert_eq!(
        crate::common::subs(&discarded, Sub::ResultDiscarded).len(),
        1
    );
}

/// The body's future and its value are dropped before the opener goes on, however it ends.
#[test]
fn reg_35_nothing_of_the_body_is_left() {
    use std::sync::Arc;
    for how in 0..4 {
        let ran = run(async move |cx| {
            let probe = Arc::new(());
            let inside = probe.clone();
            let outcome: Outcome<Arc<()>, _> = cx
                .region(RegionConfig::new(), async |scope, cx| {
                    let _held = inside.clone();
                    match how {
                        0 => Err(fails("how")),
                        1 => panic!("how"),
                        2 => {
                            let _ = scope.spawn(async |_| Err::<(), _>(fails("how")))?;
                            Ok(inside.clone())
                        }
                        _ => {
                            scope.handle().cancel("how");
                            cx.checkpoint()?;
                            Ok(inside.clone())
                        }
                    }
                })
                .await;
            assert!(!outcome.is_ok());
            drop(inside);
            assert_eq!(Arc::strong_count(&probe), 1, "way {how}");
            Ok(())
        });
        ran.ok();
    }
}
