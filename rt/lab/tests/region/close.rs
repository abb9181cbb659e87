//! Closing: order, waiting, closers, policies.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Error, Failure, Outcome, RegionId, Time};
use asr_kernel::obligation::{self, AbortCause};
use asr_kernel::region::State;
use asr_kernel::{Cx, Policy, RegionConfig};
use asr_trace::{Event, Kind, Log};

use crate::checked::{fails, of, place, run, seeds};
use crate::common::{cancelled, kinds, lanes, turn};

fn secs(n: u64) -> Time {
    Time::from_nanos(n * 1_000_000_000)
}

/// A lease that its region holds is expired at once: waiting for those that come to their end (step
/// 5) is not there yet.
#[test]
fn reg_7_part_the_steps_of_a_close_come_in_order() {
    for policy in [Policy::FailFast, Policy::CollectAll] {
        let ran = run(async move |cx| {
            let mut id = None;
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new().policy(policy), async |scope, cx| {
                    id = Some(scope.id());
                    let token = cx.reserve_raw(obligation::Kind::ACK, None)?;
                    assert_eq!(cx.transfer_raw(token, &scope.handle()), Ok(()));
                    for n in 1..=3 {
                        let _ = scope.spawn(async move |cx| {
                            cx.sleep(Duration::from_secs(n)).await?;
                            Ok(())
                        })?;
                        scope.defer_sync(|| Ok(()))?;
                    }
                    Err(fails("body"))
                })
                .await;
            assert!(!outcome.is_ok());
            Ok(id.expect("the body ran"))
        });
        let (id, trace) = ran.ok();
        let own = of(&trace, id);
        let at = |kind: Kind| {
            let found: Vec<usize> = (0..own.len()).filter(|&at| own[at].kind == kind).collect();
            (
                found.first().copied().unwrap_or(0),
                found.last().copied().unwrap_or(0),
            )
        };
        let body_ended = at(Kind::TaskComplete).0;
        let closing = at(Kind::RegionClosing).0;
        let draining = at(Kind::RegionDraining).0;
        let finalizing = at(Kind::RegionFinalizing).0;
        let finalizers = at(Kind::FinalizerRun);
        let resolved = at(Kind::ObligationAbort).0;
        assert!(finalizers.1 < resolved, "tokens of the region are last");
        assert_eq!(own[resolved].c, AbortCause::RegionClosed as u64);
        let closed = at(Kind::RegionClosed).0;
        assert!(body_ended < closing && closing < draining && draining < finalizing);
        assert!(finalizing < finalizers.0 && resolved < closed && closed == own.len() - 1);
        let requests: Vec<usize> = (0..own.len())
            .filter(|&at| own[at].kind == Kind::CancelRequest)
            .collect();
        if policy == Policy::FailFast {
            assert_eq!(requests.len(), 3, "one for each child");
            assert!(requests.iter().all(|&at| closing < at && at < draining));
        } else {
            assert!(requests.is_empty());
        }
        let ended: Vec<usize> = (0..own.len())
            .filter(|&at| own[at].kind == Kind::TaskComplete && at < finalizing)
            .collect();
        assert_eq!(
            ended.len(),
            4,
            "body and children end before the finalizers begin"
        );
    }
}

#[test]
fn reg_9_closers_share_one_close() {
    seeds(50, || {
        async |cx: Cx| {
            let runs = Arc::new(AtomicU32::new(0));
            let owned = cx.open_region(&RegionConfig::new())?;
            let count = runs.clone();
            owned.defer_async(async move |cx| {
                cx.sleep(Duration::from_secs(1)).await?;
                count.fetch_add(1, Relaxed);
                Err(fails("the one outcome"))
            })?;
            let _ = owned.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(1)).await?))?;
            let mut closers = Vec::new();
            for _ in 0..8 {
                let handle = owned.clone();
                closers.push(cx.spawn(async move |cx| Ok(handle.close(&cx).await))?);
            }
            let mut outcomes = Vec::new();
            for closer in closers {
                outcomes.push(closer.join(&cx).await?.into_result()?);
            }
            assert_eq!(runs.load(Relaxed), 1);
            assert!(matches!(&outcomes[0], Outcome::Err(_)), "{:?}", outcomes[0]);
            assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]));
            let at = cx.now();
            assert_eq!(owned.close(&cx).await, outcomes[0], "closed long ago");
            assert_eq!((cx.now(), owned.state()), (at, State::Closed));
            Ok(())
        }
    });
}

#[test]
fn reg_10_a_normal_close_waits_and_cancels_nobody() {
    let ran = run(async |cx| {
        let outcome: Outcome<Vec<_>, _> = cx
            .region(RegionConfig::new(), async |scope, _| {
                let mut handles = Vec::new();
                for n in 1..=3 {
                    let child = async move |cx: Cx| {
                        cx.sleep(Duration::from_secs(n)).await?;
                        Ok(n)
                    };
                    handles.push(scope.spawn(child)?);
                }
                Ok(handles)
            })
            .await;
        assert_eq!(cx.now(), secs(3));
        for (handle, n) in outcome.into_result()?.into_iter().zip(1..) {
            let ended = handle.try_join().expect("the region is closed");
            assert_eq!(ended, Outcome::Ok(n));
        }
        Ok(())
    });
    assert_eq!(ran.ended, secs(3));
    assert!(kinds(&ran.ok().1, Kind::CancelRequest).is_empty());
}

/// A closer that is cancelled at any moment of the close: the children hear of it, and the closer
/// sees nothing before the region is closed.
#[test]
fn reg_11_a_cancelled_closer_waits_on() {
    for (by_hand, after) in [(false, 1), (false, 3), (true, 1), (true, 3)] {
        let ran = run(async move |cx| {
            let task = cx.spawn(async move |cx| {
                let children = async |cx: Cx| {
                    let slept = cx.sleep(Duration::from_secs(9)).await;
                    // Cleanup that takes a while.
                    cx.mask(9, cx.sleep(Duration::from_secs(2))).await??;
                    Ok(slept?)
                };
                let outcome: Outcome<(), Error> = if by_hand {
                    let owned = cx.open_region(&RegionConfig::new())?;
                    let _ = owned.spawn(children)?;
                    owned.close(&cx).await
                } else {
                    let body = async |scope: asr_kernel::Scope<'_>, _| {
                        let _ = scope.spawn(children)?;
                        Ok(())
                    };
                    cx.region(RegionConfig::new(), body).await
                };
                let reason = cancelled(outcome);
                assert_eq!(reason.kind(), CancelKind::ParentCancelled);
                assert_eq!(reason.cause().expect("linked").kind(), CancelKind::User);
                let at = cx.now();
                cx.checkpoint()
                    .expect_err("the closer's own cancel is seen now");
                Ok::<_, Failure>(at)
            })?;
            cx.sleep(Duration::from_secs(after)).await?;
            task.abort();
            let _ = task.join(&cx).await?;
            Ok(cx.now())
        });
        let (at, trace) = ran.ok();
        assert_eq!(
            at,
            secs(after + 2),
            "the cleanup of the child was waited for"
        );
        let closed = place(&trace, |event| event.kind == Kind::RegionClosed).expect("closed");
        let observed: Vec<&Event> = trace
            .iter()
            .skip(closed)
            .filter(|event| event.kind == Kind::CancelObserve)
            .collect();
        assert_eq!(observed.len(), 1, "the closer's, after the close");
        let region = trace.events[closed].region;
        assert!(
            trace
                .iter()
                .skip(closed + 1)
                .all(|event| event.region != region)
        );
    }
}

/// The same if the scope is polled with a waker that is not the task's, as combinators do.
#[test]
fn reg_11_a_cancel_is_passed_on_through_any_waker() {
    let ran = run(async |cx| {
        let task = cx.spawn(async |cx| {
            let body = async |_, cx: Cx| Ok(cx.sleep(Duration::from_secs(9)).await?);
            let region = cx.region(RegionConfig::new(), body);
            let outcome: Outcome<(), _> = crate::foreign::ThroughOwnWaker::new(region).await;
            Ok(cancelled(outcome).kind())
        })?;
        cx.sleep(Duration::from_secs(1)).await?;
        task.abort();
        let _ = task.join(&cx).await?;
        Ok(cx.now())
    });
    assert_eq!(ran.ok().0, secs(1));
}

fn last_of_children(trace: &Log, region: RegionId) -> (usize, usize) {
    let in_region = |event: &Event| event.region == Some(region) && event.is_semantic();
    let child = trace
        .iter()
        .rposition(|event| in_region(event) && event.kind != Kind::RegionClosed);
    let closed = place(trace, |event| {
        event.kind == Kind::RegionClosed && event.region == Some(region)
    });
    (child.expect("it had children"), closed.expect("it closed"))
}

#[test]
fn reg_12_a_panic_of_the_body_is_published_last() {
    for policy in [Policy::FailFast, Policy::CollectAll] {
        let ran = run(async move |cx| {
            let mut id = None;
            let config = RegionConfig::new().policy(policy);
            let outcome: Outcome<(), _> = cx
                .region(config, async |scope, _| {
                    id = Some(scope.id());
                    let _ = scope.spawn(async |cx| {
                        let slept = cx.sleep(Duration::from_secs(9)).await;
                        assert_eq!(
                            cx.cancel_reason().map(|r| r.kind()),
                            Some(CancelKind::FailFast)
                        );
                        cx.mask(9, cx.sleep(Duration::from_secs(2))).await??;
                        Ok(slept?)
                    })?;
                    turn().await;
                    panic!("the body")
                })
                .await;
            let Outcome::Panicked(payload) = outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(payload.message(), "the body");
            assert_eq!(cx.now(), secs(2));
            Ok(id.expect("the body ran"))
        });
        let (id, trace) = ran.ok();
        let (child, closed) = last_of_children(&trace, id);
        assert!(child < closed);
        assert_eq!(trace.events[closed].a, 3, "Panicked");
    }
}

#[test]
fn reg_14_fail_fast_and_collect_all() {
    for (policy, panics) in [
        (Policy::FailFast, false),
        (Policy::FailFast, true),
        (Policy::CollectAll, false),
        (Policy::CollectAll, true),
    ] {
        let ran = run(async move |cx| {
            let mut handles = Vec::new();
            let config = RegionConfig::new().policy(policy);
            let outcome: Outcome<(), _> = cx
                .region(config, async |scope, _| {
                    for n in 0..3_u64 {
                        handles.push(scope.spawn(async move |cx| {
                            cx.sleep(Duration::from_secs(3 - n)).await?;
                            match n {
                                1 if panics => panic!("the second"),
                                1 => Err(fails("the second")),
                                n => Ok(n),
                            }
                        })?);
                    }
                    Ok(())
                })
                .await;
            assert_eq!(
                matches!(outcome, Outcome::Panicked(_)),
                panics,
                "{outcome:?}"
            );
            let mut ended = handles.into_iter().map(|h| h.try_join().expect("closed"));
            let (first, second, third) = (ended.next(), ended.next(), ended.next());
            assert!(!second.expect("there are three").is_ok());
            assert_eq!(third, Some(Outcome::Ok(2)), "it ended before");
            let first = first.expect("there are three");
            match policy {
                Policy::FailFast => {
                    let reason = cancelled(first);
                    assert_eq!(reason.kind(), CancelKind::FailFast);
                    assert_eq!(cx.now(), secs(2));
                }
                Policy::CollectAll => {
                    assert_eq!(first, Outcome::Ok(0));
                    assert_eq!(cx.now(), secs(3));
                }
            }
            Ok(())
        });
        ran.ok();
    }
    assert_eq!(Policy::default(), Policy::FailFast);
}

#[test]
fn reg_14_a_cancelled_child_cancels_nobody() {
    let ran = run(async |cx| {
        let outcome: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |scope, _| {
                let aborted =
                    scope.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(9)).await?))?;
                let sibling =
                    scope.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(1)).await?))?;
                aborted.abort();
                let _ = scope.spawn(async move |cx| sibling.join(&cx).await?.into_result())?;
                Ok(())
            })
            .await;
        assert_eq!(cx.now(), secs(1));
        Ok(cancelled(outcome).kind())
    });
    assert_eq!(ran.ok().0, CancelKind::User);
}

/// Closers that give up, and one that does not.
#[test]
fn a_dropped_closer_leaves_the_close_going() {
    let mut config = lanes();
    config.max_steps = 10_000;
    let ran = crate::checked::run_with(config, async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let _ = owned.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(2)).await?))?;
        crate::foreign::polls(owned.close(&cx), 1).await;
        assert_eq!(owned.state(), State::Draining);
        owned.close(&cx).await.into_result()?;
        Ok(cx.now())
    });
    assert_eq!(ran.ok().0, secs(2));
}

/// The owner begins a close and goes: what comes of it counts above (REG-13).
#[test]
fn reg_13_a_close_that_nobody_waits_for_counts_above() {
    let ran = run(async |cx| {
        let outcome: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |_, cx| {
                let owned = cx.open_region(&RegionConfig::new())?;
                let _ = owned.spawn(async |cx| {
                    cx.sleep(Duration::from_secs(1)).await?;
                    Err::<(), _>(fails("below"))
                })?;
                owned.begin_close();
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Outcome::Err(_)), "{outcome:?}");
        Ok(())
    });
    ran.ok();
}
