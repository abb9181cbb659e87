//! Regions that tasks and finalizers open while theirs closes (REG-5).

use std::time::Duration;

use asr_base::{CancelKind, Error, Outcome, RegionId, Status};
use asr_kernel::region::State;
use asr_kernel::{Cx, RegionConfig};
use asr_trace::{Kind, Log};
use parking_lot::Mutex;
use std::sync::Arc;

use crate::checked::{place, run, seeds};
use crate::common::cancelled;

fn closed_at(trace: &Log, region: RegionId) -> usize {
    let closed = place(trace, |event| {
        event.kind == Kind::RegionClosed && event.region == Some(region)
    });
    closed.expect("it closed")
}

/// What a race is made of: a region with two tasks, of which the loser is cancelled.
async fn race(cx: &Cx, id: &Mutex<Option<RegionId>>) -> Outcome<u32, Error> {
    cx.region(RegionConfig::new(), async |scope, cx| {
        *id.lock() = Some(scope.id());
        let winner = scope.spawn(async |cx| {
            cx.sleep(Duration::from_secs(1)).await?;
            Ok(7)
        })?;
        let loser = scope.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(9)).await?))?;
        let won = winner.join(&cx).await?.into_result()?;
        loser.abort();
        let _ = loser.join(&cx).await?;
        Ok(won)
    })
    .await
}

#[test]
fn reg_5_a_child_races_while_its_region_waits() {
    seeds(30, || {
        async |cx: Cx| {
            let owned = cx.open_region(&RegionConfig::new())?;
            let handle = owned.clone();
            let child = owned.spawn(async move |cx| {
                cx.sleep(Duration::from_secs(1)).await?;
                assert_eq!(handle.state(), State::Draining);
                let id = Mutex::new(None);
                let outcome = race(&cx, &id).await;
                // The loser's cancel is in the outcome of the race's region, which the race judges.
                assert_eq!(cancelled(outcome).kind(), CancelKind::User);
                assert_eq!(handle.state(), State::Draining);
                let inner = id.lock().take();
                Ok(inner.expect("it ran"))
            })?;
            owned.close(&cx).await.into_result()?;
            child.join(&cx).await?.into_result()?;
            Ok(())
        }
    });
}

#[test]
fn reg_5_a_finalizer_opens_a_region() {
    let ran = run(async |cx| {
        let ids = Arc::new(Mutex::new(None));
        let owned = cx.open_region(&RegionConfig::new())?;
        let (outer, seen) = (owned.id(), ids.clone());
        owned.defer_async(async move |cx| {
            let outcome: Outcome<u32, _> = cx
                .region(RegionConfig::new(), async |scope, cx| {
                    *seen.lock() = Some(scope.id());
                    let task = scope.spawn(async |cx| {
                        cx.sleep(Duration::from_secs(1)).await?;
                        Ok(7)
                    })?;
                    task.join(&cx).await?.into_result()
                })
                .await;
            assert_eq!(outcome, Outcome::Ok(7));
            Ok(())
        })?;
        owned.cancel("the finalizer does not see it");
        let _ = owned.close(&cx).await;
        let inner = ids.lock().take();
        Ok((outer, inner.expect("the finalizer ran")))
    });
    let ((outer, inner), trace) = ran.ok();
    assert!(closed_at(&trace, inner) < closed_at(&trace, outer));
}

/// A task that has a cancel opens regions that have one too; under a mask they have none.
#[test]
fn reg_5_a_region_of_a_cancelled_task_starts_cancelled() {
    let ran = run(async |cx| {
        let task = cx.spawn(async |cx| {
            let _ = cx.sleep(Duration::from_secs(9)).await;
            let open = async |cx: &Cx| -> Outcome<(), Error> {
                cx.region(RegionConfig::new(), async |scope, cx| {
                    let _ = scope.spawn(async |_| Ok(()))?;
                    Ok(cx.sleep(Duration::from_secs(1)).await?)
                })
                .await
            };
            let at = cx.now();
            let reason = cancelled(open(&cx).await);
            assert_eq!(reason.kind(), CancelKind::ParentCancelled);
            assert_eq!(reason.root().message(), "aborted");
            assert_eq!(cx.now(), at);
            let masked = cx.mask(9, open(&cx)).await?;
            assert_eq!(masked, Outcome::Ok(()));
            assert!(cx.now() > at);
            Ok(())
        })?;
        cx.yield_now().await?;
        task.abort();
        let _ = task.join(&cx).await?;
        Ok(())
    });
    ran.ok();
}

/// A cancel that comes while the region is open reaches what its tasks opened, and not what they
/// opened under a mask.
#[test]
fn reg_5_a_cancel_goes_down_into_nested_regions() {
    let ran = run(async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        for masked in [false, true] {
            let _ = owned.spawn(async move |cx| {
                let nested = cx.region(RegionConfig::new(), async |_, cx| {
                    Ok(cx.sleep(Duration::from_secs(5)).await?)
                });
                let outcome: Outcome<(), _> = if masked {
                    cx.mask(9, nested).await?
                } else {
                    nested.await
                };
                assert_eq!(outcome.is_ok(), masked, "{outcome:?}");
                Ok(())
            })?;
        }
        cx.yield_now().await?;
        cx.sleep(Duration::from_secs(1)).await?;
        owned.cancel("enough");
        let _ = owned.close(&cx).await;
        Ok(cx.now().as_nanos() / 1_000_000_000)
    });
    assert_eq!(ran.ok().0, 5);
}

/// Everybody who may not: a task of the region, of a region below, a finalizer.
#[test]
fn a_close_from_inside_is_a_cycle() {
    let ran = run(async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let (one, two) = (owned.clone(), owned.clone());
        owned.defer_async(async move |cx| {
            assert_cycle(one.close(&cx).await);
            Ok(())
        })?;
        let inside = owned.spawn(async move |cx| {
            assert_cycle(two.close(&cx).await);
            let body = async |_, cx: Cx| {
                assert_cycle(two.close(&cx).await);
                Ok(())
            };
            cx.region(RegionConfig::new(), body).await.into_result()
        })?;
        inside.join(&cx).await?.into_result()?;
        owned.close(&cx).await.into_result()
    });
    ran.ok();
}

fn assert_cycle(outcome: Outcome<(), Error>) {
    let Outcome::Err(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.kind(), Status::CYCLE);
}
