//! Finalizers: order, failures, budgets, and what they may do.

use std::sync::Arc;
use std::time::Duration;

use asr_base::{CancelKind, Outcome, PanicKind, Status, Time};
use asr_kernel::cx::caps;
use asr_kernel::obligation::{self, LeakResponse};
use asr_kernel::region::State;
use asr_kernel::{Cx, Escalation, RegionConfig, RegionHandle};
use asr_trace::{Kind, Sub};
use parking_lot::Mutex;

use crate::checked::{fails, run, seeds};
use crate::common::{cancelled, forever, kinds, subs, turn};

type Order = Arc<Mutex<Vec<u32>>>;

fn order() -> (Order, Order) {
    let order = Order::default();
    (order.clone(), order)
}

fn secs(n: u64) -> Time {
    Time::from_nanos(n * 1_000_000_000)
}

#[test]
fn reg_15_last_registered_first_one_at_a_time() {
    seeds(30, || {
        async |cx: Cx| {
            let (order, seen) = order();
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new(), async |scope, _| {
                    for n in 1..=3 {
                        let (one, two) = (order.clone(), order.clone());
                        scope.defer_async(async move |cx| {
                            one.lock().push(10 * n);
                            cx.sleep(Duration::from_secs(u64::from(n))).await?;
                            cx.yield_now().await?;
                            one.lock().push(10 * n + 1);
                            Ok(())
                        })?;
                        scope.defer_sync(move || {
                            two.lock().push(n);
                            Ok(())
                        })?;
                    }
                    Ok(())
                })
                .await;
            outcome.into_result()?;
            assert_eq!(*seen.lock(), [3, 30, 31, 2, 20, 21, 1, 10, 11]);
            assert_eq!(cx.now(), secs(6));
            Ok(())
        }
    });
}

/// Masked: a cancel of the region before or during its finalizers is not observed in them. The
/// cleanup budget is that of the cancel's kind, or the base one: 5 s.
#[test]
fn reg_15_finalizers_are_masked_and_budgeted() {
    for (cancel, budget) in [(None, 5000), (Some(CancelKind::Shutdown), 0)] {
        let ran = run(async move |cx| {
            let expected = cancel.map_or(budget, |kind| {
                let base = asr_base::CleanupBase::default();
                asr_base::cleanup_budget(base, kind, 0).duration.as_millis() as u64
            });
            let (order, seen) = order();
            let owned = cx.open_region(&RegionConfig::new())?;
            owned.defer_async(async |_| {
                forever().await;
                Ok(())
            })?;
            let again = owned.clone();
            owned.defer_async(async move |cx| {
                cx.sleep(Duration::from_millis(expected - 1)).await?;
                again.cancel("while it finalizes");
                cx.checkpoint()?;
                cx.yield_now().await?;
                order.lock().push(1);
                Ok(())
            })?;
            if let Some(kind) = cancel {
                owned.cancel_as(kind, "before it closes");
            }
            let _ = owned.close(&cx).await;
            assert_eq!(*seen.lock(), [1], "it came to its end");
            Ok((cx.now(), 2 * expected - 1))
        });
        let ((at, expected), trace) = ran.ok();
        assert_eq!(at, Time::from_nanos(expected * 1_000_000));
        assert_eq!(
            subs(&trace, Sub::FinalizerEscalated).len(),
            1,
            "that which waits for ever"
        );
    }
}

#[test]
fn reg_16_a_failed_finalizer_stops_no_other() {
    for (fails_how, expected) in [
        ("panics", "boom"),
        ("errs", "no"),
        ("waits, then panics", "late"),
    ] {
        let ran = run(async move |cx| {
            let (order, seen) = order();
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new(), async |scope, _| {
                    let (one, two) = (order.clone(), order);
                    scope.defer_async(async move |cx| {
                        cx.yield_now().await?;
                        one.lock().push(1);
                        Ok(())
                    })?;
                    match fails_how {
                        "panics" => scope.defer_sync(|| panic!("boom"))?,
                        "errs" => scope.defer_sync(|| Err(fails("no")))?,
                        _ => scope.defer_async(async |_| {
                            turn().await;
                            panic!("late")
                        })?,
                    }
                    scope.defer_sync(move || {
                        two.lock().push(3);
                        Ok(())
                    })?;
                    Ok(())
                })
                .await;
            assert_eq!(*seen.lock(), [3, 1]);
            match outcome {
                Outcome::Panicked(payload) => {
                    assert_eq!(payload.checkpoint(), Some("in finalizer 2"));
                    Ok(payload.message().to_owned())
                }
                Outcome::Err(error) => Ok(error.message().to_owned()),
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(ran.ok().0, expected);
    }
}

/// A value whose destructor panics, and a panic whose payload does.
struct Bomb(u32);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::panic_any(Bomb(self.0 - 1));
        }
    }
}

#[test]
fn reg_16_panics_in_destructors_of_finalizers_are_contained() {
    let ran = run(async |cx| {
        let (order, seen) = order();
        let outcome: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |scope, _| {
                let (one, two) = (order.clone(), order);
                scope.defer_sync(move || {
                    one.lock().push(1);
                    Ok(())
                })?;
                scope.defer_async(async |_| {
                    let _bomb = Bomb(1);
                    // Given up while it holds the bomb.
                    forever().await;
                    Ok(())
                })?;
                let bomb = Bomb(1);
                scope.defer_sync(move || {
                    let _bomb = bomb;
                    two.lock().push(3);
                    Ok(())
                })?;
                Ok(())
            })
            .await;
        assert!(matches!(outcome, Outcome::Panicked(_)), "{outcome:?}");
        assert_eq!(*seen.lock(), [3, 1]);
        Ok(())
    });
    ran.ok();
}

#[test]
fn reg_17_a_finalizer_registers_more() {
    let ran = run(async |cx| {
        let (order, seen) = order();
        let owned = cx.open_region(&RegionConfig::new())?;
        let first = order.clone();
        owned.defer_sync(move || {
            first.lock().push(1);
            Ok(())
        })?;
        owned.defer_async(async move |cx| {
            order.lock().push(2);
            for n in [3, 4] {
                let order = order.clone();
                cx.defer_async(async move |cx| {
                    order.lock().push(n);
                    let order = order.clone();
                    cx.defer_sync(move || {
                        order.lock().push(10 * n);
                        Ok(())
                    })?;
                    Ok(())
                })?;
            }
            cx.yield_now().await?;
            order.lock().push(5);
            Ok(())
        })?;
        owned.close(&cx).await.into_result()?;
        assert_eq!(*seen.lock(), [2, 5, 4, 40, 3, 30, 1]);
        Ok(())
    });
    ran.ok();
}

/// The context of the finalizers, kept by somebody, registers nothing after the last of them: here
/// while a region that it left is still closing.
#[test]
fn reg_17_nothing_is_registered_after_the_last() {
    let ran = run(async |cx| {
        let kept: Arc<Mutex<Option<Cx>>> = Arc::default();
        let (keep, look) = (kept.clone(), kept.clone());
        let owned = cx.open_region(&RegionConfig::new())?;
        owned.defer_async(async move |cx| {
            let left = cx.open_region(&RegionConfig::new())?;
            let _ = left.spawn(async move |cx| {
                cx.mask(9, cx.sleep(Duration::from_secs(1))).await??;
                let late = look.lock().take().expect("kept before");
                let refused = late.defer_sync(|| Ok(())).expect_err("too late");
                assert_eq!(refused.status(), Status::REGION_CLOSING);
                Ok(())
            })?;
            left.begin_close();
            *keep.lock() = Some(cx);
            Ok(())
        })?;
        let handle = owned.clone();
        let _ = owned.close(&cx).await;
        assert_eq!((handle.state(), cx.now()), (State::Closed, secs(1)));
        drop(kept.lock().take());
        Ok(())
    });
    ran.ok();
}

#[test]
fn reg_18_a_finalizer_that_never_ends_is_given_up_or_waited_for() {
    for mode in [Escalation::Drop, Escalation::Panic] {
        let ran = run(async move |cx| {
            let (order, seen) = order();
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new().escalation(mode), async |scope, _| {
                    scope.defer_sync(move || {
                        order.lock().push(1);
                        Ok(())
                    })?;
                    scope.defer_async(async |_| {
                        forever().await;
                        Ok(())
                    })?;
                    Ok(())
                })
                .await;
            assert_eq!(*seen.lock(), [1], "the next one ran");
            assert_eq!(cx.now(), secs(5));
            match (mode, outcome) {
                (Escalation::Panic, Outcome::Panicked(payload)) => {
                    assert_eq!(payload.kind(), PanicKind::Escalation);
                }
                (_, outcome) => assert!(cancelled(outcome).escalated()),
            }
            Ok(())
        });
        assert_eq!(subs(&ran.ok().1, Sub::FinalizerEscalated).len(), 1);
    }
}

/// By polls: one that wakes itself for ever has 500.
#[test]
fn reg_18_polls_are_counted() {
    let ran = run(async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        owned.defer_async(async |_| {
            loop {
                turn().await;
            }
        })?;
        let outcome = owned.close(&cx).await;
        assert!(cancelled(outcome).escalated());
        Ok(cx.now())
    });
    let (at, trace) = ran.ok();
    assert_eq!(at, secs(0));
    let given_up = subs(&trace, Sub::FinalizerEscalated);
    assert_eq!((given_up.len(), given_up[0].a, given_up[0].b), (1, 1, 500));
}

/// Soft: waits, and says so once; it does not spin meanwhile.
#[test]
fn reg_18_a_soft_region_waits_and_warns() {
    for polls in [1, 600] {
        let ran = run(async move |cx| {
            let soft = RegionConfig::new().escalation(Escalation::Soft);
            let owned = cx.open_region(&soft)?;
            owned.defer_async(async move |cx| {
                for _ in 0..polls {
                    turn().await;
                }
                cx.sleep(Duration::from_secs(60)).await?;
                Ok(())
            })?;
            owned.close(&cx).await.into_result()?;
            Ok(cx.now())
        });
        let (at, trace) = ran.ok();
        assert_eq!(at, secs(60));
        assert_eq!(kinds(&trace, Kind::CancelEscalate).len(), 1);
        assert!(subs(&trace, Sub::FinalizerEscalated).is_empty());
        assert!(trace.events.len() < 100 + 3 * polls, "it spins");
    }
}

/// What a finalizer may not do comes back as a typed error; what it may do (REG-5) is done.
#[test]
fn a_finalizer_that_spawns_is_refused() {
    let ran = run(async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let handle: RegionHandle = owned.clone();
        owned.defer_async(async move |cx| {
            let refused = cx.spawn(async |_| Ok(())).expect_err("no child any more");
            assert_eq!(refused.status(), Status::REGION_CLOSING);
            let refused = handle.spawn(async |_| Ok(())).expect_err("nor by handle");
            assert_eq!(refused.status(), Status::REGION_CLOSING);
            let refused = handle.open(&RegionConfig::new()).expect_err("nor a region");
            assert_eq!(refused.kind(), Status::REGION_CLOSING);
            let refused = handle
                .defer_sync(|| Ok(()))
                .expect_err("only its own context may");
            assert_eq!(refused.status(), Status::REGION_CLOSING);
            Ok(())
        })?;
        owned.close(&cx).await.into_result()
    });
    ran.ok();
}

/// What gives up a forgotten token runs after the last look for finalizers of the task. One that it
/// registers runs, once; one that is registered later is refused.
#[test]
fn reg_15_a_finalizer_of_a_task_at_its_very_end() {
    let mut config = crate::common::lanes();
    config.kernel.leak_response = LeakResponse::Silent;
    let ran = crate::checked::run_with(config, async |cx: Cx| {
        let (order, seen) = order();
        let child = cx.spawn(async move |cx| {
            let context = cx.share::<caps::Io>();
            let (one, two) = (order.clone(), order);
            let abort = move |_| {
                let accepted = context.defer_task(move || {
                    one.lock().push(1);
                    Ok(())
                });
                assert!(accepted.is_ok());
                let accepted = context.defer_task_async(async move |cx| {
                    cx.sleep(Duration::from_secs(1)).await?;
                    two.lock().push(2);
                    Ok(())
                });
                assert!(accepted.is_ok());
            };
            cx.reserve_raw(obligation::Kind::LEASE, Some(Box::new(abort)))?;
            Ok(cx.share::<caps::Io>())
        })?;
        let context = child.join(&cx).await?.into_result()?;
        let late = context.defer_task(|| Ok(())).expect_err("it has completed");
        assert_eq!(late.kind(), Status::REGION_CLOSED);
        assert_eq!((&*seen.lock(), cx.now()), (&vec![2, 1], secs(1)));
        Ok(())
    });
    ran.ok();
}
