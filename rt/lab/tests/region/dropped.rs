//! Futures of regions that are dropped half-way (REG-36), and what is left behind (REG-21).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Error, Failure, Outcome, Time};
use asr_kernel::{Cx, RegionConfig, Scope};
use asr_trace::{Kind, Sub};
use parking_lot::Mutex;

use crate::checked::{fails, place, run};
use crate::common::{cancelled, forever, kinds, subs, turn};
use crate::foreign::polls;

fn secs(n: u64) -> Time {
    Time::from_nanos(n * 1_000_000_000)
}

/// The branch that loses holds a region with tasks in cleanup: the select goes on at once, the
/// region around it closes after the last of them, and its outcome is not touched.
#[test]
fn reg_36_a_dropped_region_is_waited_for_above() {
    let ran = run(async |cx| {
        let mut selected = None;
        let mut inner = None;
        let outcome: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |_, cx| {
                let branch = cx.region(RegionConfig::new(), async |scope, cx| {
                    inner = Some(scope.id());
                    for n in 1..=3 {
                        let _ = scope.spawn(async move |cx| {
                            let slept = cx.sleep(Duration::from_secs(9)).await;
                            let reason = cx.cancel_reason().expect("it was cancelled");
                            assert_eq!(reason.kind(), CancelKind::ParentCancelled);
                            assert_eq!(reason.root().kind(), CancelKind::RaceLost);
                            cx.mask(9, cx.sleep(Duration::from_secs(n))).await??;
                            Ok(slept?)
                        })?;
                    }
                    // The tasks run between the two polls.
                    turn().await;
                    cx.sleep(Duration::from_secs(9)).await?;
                    Ok(())
                });
                let lost: Option<Outcome<(), Error>> = polls(branch, 2).await;
                assert!(lost.is_none());
                cx.yield_now().await?;
                selected = Some(cx.now());
                Ok(())
            })
            .await;
        assert_eq!(outcome, Outcome::Ok(()), "RaceLost does not count");
        assert_eq!(selected, Some(secs(0)));
        assert_eq!(cx.now(), secs(3));
        Ok(inner.expect("the branch was polled"))
    });
    let (inner, trace) = ran.ok();
    let closed = place(&trace, |event| {
        event.kind == Kind::RegionClosed && event.region == Some(inner)
    });
    let closed = trace.events[closed.expect("it closed")];
    assert_eq!((closed.time, closed.a), (secs(3), 2), "Cancelled");
}

#[test]
fn reg_36_an_error_of_a_dropped_region_counts() {
    for panics in [false, true] {
        let ran = run(async move |cx| {
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new(), async |_, cx| {
                    let branch = cx.region(RegionConfig::new(), async |scope, cx| {
                        scope.defer_sync(move || {
                            assert!(!panics, "cleanup");
                            Err(fails("cleanup"))
                        })?;
                        Ok(cx.sleep(Duration::from_secs(9)).await?)
                    });
                    let _ = polls(branch, 1).await;
                    Ok(())
                })
                .await;
            // A cancel is worse than an error: what went wrong in the cleanup comes with it, or
            // above it.
            Ok(outcome.into_result().is_err())
        });
        let panicked = panics;
        let (failed, _) = ran.ok();
        assert_eq!(
            failed, panicked,
            "Cancelled(RaceLost) covers an Err, and a panic covers it"
        );
    }
}

/// A region whose body had failed when it was dropped: the error counts.
#[test]
fn reg_36_a_region_that_had_failed_counts() {
    let ran = run(async |cx| {
        let outcome: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |_, cx| {
                let branch = cx.region(RegionConfig::new(), async |scope, _| {
                    // Its cleanup does not take part in the outcome.
                    scope.defer_async(async |cx| Ok(cx.sleep(Duration::from_secs(2)).await?))?;
                    Err::<(), _>(fails("the body"))
                });
                let lost = polls(branch, 1).await;
                assert!(lost.is_none());
                Ok(())
            })
            .await;
        let Outcome::Err(error) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!((error.message(), cx.now()), ("the body", secs(2)));
        Ok(())
    });
    ran.ok();
}

/// What a fiber leaves in its environment, which it borrows.
#[derive(Default)]
struct Seen {
    dropped: AtomicU32,
}

struct Probe<'p>(&'p Seen);

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Relaxed);
    }
}

/// Dropped after each number of polls, with borrowing fibers, tasks in cleanup, nested regions,
/// finalizers of the region and of a fiber: whatever was registered is run, once, and what borrows
/// is gone when the future is.
#[test]
fn reg_36_dropped_at_every_poll() {
    let mut done = false;
    for times in 0..60 {
        let ran = run(async move |cx| {
            let registered = Arc::new(AtomicU32::new(0));
            let finalized = Arc::new(AtomicU32::new(0));
            let tasks = Arc::new(AtomicU32::new(0));
            let outcome: Outcome<bool, _> = cx
                .region(RegionConfig::new(), async |_, cx| {
                    let marks = Marks {
                        seen: Seen::default(),
                        fibers: AtomicU32::new(0),
                        registered: registered.clone(),
                        finalized: finalized.clone(),
                        tasks: tasks.clone(),
                    };
                    let marks = &marks;
                    let body = move |scope, cx| half_way(scope, cx, marks);
                    let ended = polls(cx.region(RegionConfig::new(), body), times).await;
                    assert_eq!(marks.seen.dropped.load(Relaxed), marks.fibers.load(Relaxed));
                    Ok(ended.is_some_and(|outcome: Outcome<(), Error>| outcome.is_ok()))
                })
                .await;
            assert_eq!(
                finalized.load(Relaxed),
                registered.load(Relaxed),
                "after {times} polls"
            );
            assert_eq!(tasks.load(Relaxed) % 2, 0, "each task that began has ended");
            outcome.into_result()
        });
        done |= ran.ok().0;
    }
    assert!(done, "some of them came to their end");
}

/// What [`half_way`] leaves its marks in.
struct Marks {
    seen: Seen,
    fibers: AtomicU32,
    registered: Arc<AtomicU32>,
    finalized: Arc<AtomicU32>,
    tasks: Arc<AtomicU32>,
}

async fn half_way<'e>(scope: Scope<'e>, cx: Cx, marks: &'e Marks) -> Result<(), Failure> {
    let Marks {
        seen,
        fibers,
        registered,
        finalized,
        tasks,
    } = marks;
    for n in 0..3 {
        let count = finalized.clone();
        registered.fetch_add(1, Relaxed);
        scope.defer_async(async move |cx| {
            cx.sleep(Duration::from_millis(n)).await?;
            count.fetch_add(1, Relaxed);
            Ok(())
        })?;
        let _ = scope.fiber(async move |cx| {
            fibers.fetch_add(1, Relaxed);
            let _probe = Probe(seen);
            let count = finalized.clone();
            registered.fetch_add(1, Relaxed);
            cx.defer_task_async(async move |cx| {
                cx.sleep(Duration::from_millis(2)).await?;
                count.fetch_add(1, Relaxed);
                Ok(())
            })?;
            cx.sleep(Duration::from_millis(n)).await?;
            cx.yield_now().await?;
            Ok(())
        })?;
        let tasks = tasks.clone();
        let _ = scope.spawn(async move |cx| {
            tasks.fetch_add(1, Relaxed);
            let slept = cx.sleep(Duration::from_millis(3)).await;
            cx.mask(9, cx.sleep(Duration::from_millis(n))).await??;
            tasks.fetch_add(1, Relaxed);
            Ok(slept?)
        })?;
    }
    let nested = cx.region(RegionConfig::new(), async |scope, cx| {
        let _ = scope.fiber(async |cx| {
            fibers.fetch_add(1, Relaxed);
            let _probe = Probe(seen);
            Ok(cx.sleep(Duration::from_millis(1)).await?)
        })?;
        Ok(cx.yield_now().await?)
    });
    nested.await.into_result()
}

/// A fiber in its own finalizers when its scope goes: they borrow nothing, and go on.
#[test]
fn reg_36_finalizers_of_a_dropped_fiber_go_on() {
    for when in [2, 3, 4] {
        let ran = run(async move |cx| {
            let order = Arc::new(Mutex::new(Vec::new()));
            let seen = order.clone();
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new(), async |_, cx| {
                    let branch = cx.region(RegionConfig::new(), async |scope, cx| {
                        let _ = scope.fiber(async |cx| {
                            for n in [1, 2] {
                                let order = order.clone();
                                cx.defer_task_async(async move |cx| {
                                    cx.sleep(Duration::from_secs(1)).await?;
                                    order.lock().push(n);
                                    Ok(())
                                })?;
                            }
                            cx.yield_now().await?;
                            Ok(())
                        })?;
                        Ok(cx.sleep(Duration::from_secs(9)).await?)
                    });
                    let lost: Option<Outcome<(), Error>> = polls(branch, when).await;
                    assert!(lost.is_none());
                    Ok(())
                })
                .await;
            assert_eq!(outcome, Outcome::Ok(()));
            assert_eq!(*seen.lock(), [2, 1]);
            Ok(())
        });
        ran.ok();
    }
}

#[test]
fn reg_36_each_live_fiber_is_recorded() {
    let ran = run(async |cx| {
        let branch = cx.region(RegionConfig::new(), async |scope, _| {
            for _ in 0..3 {
                let _ = scope.fiber(async |_| {
                    forever().await;
                    Ok(())
                })?;
            }
            forever().await;
            Ok(())
        });
        let lost: Option<Outcome<(), Error>> = polls(branch, 2).await;
        assert!(lost.is_none());
        Ok(())
    });
    // Three fibers and the body (CAN-23).
    assert_eq!(subs(&ran.ok().1, Sub::CancelEscalated).len(), 4);
}

#[test]
fn reg_36_an_open_region_without_its_owner_closes() {
    let ran = run(async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let task = owned.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(9)).await?))?;
        let handle = owned.clone();
        drop(owned);
        let reason = cancelled(task.join(&cx).await?);
        assert_eq!(reason.root().kind(), CancelKind::RaceLost);
        assert_eq!(
            cancelled(handle.close(&cx).await).kind(),
            CancelKind::RaceLost
        );
        Ok(cx.now())
    });
    assert_eq!(ran.ok().0, secs(0));
}

/// In-flight I/O is not there yet: a resource whose release must wait stands for it. It is released
/// before the region closes, whoever drops the future that holds it.
#[test]
fn reg_21_part_cleanup_that_waits_is_left_to_the_region() {
    for times in 1..=4 {
        let ran = run(async move |cx| {
            let in_flight = Arc::new(AtomicU32::new(0));
            let count = in_flight.clone();
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new(), async |_, cx| {
                    let (up, down) = (count.clone(), count);
                    let stream = cx.bracket(
                        async {
                            up.fetch_add(1, Relaxed);
                            Ok(())
                        },
                        async |_: &mut ()| {
                            turn().await;
                            turn().await;
                            Ok(())
                        },
                        async move |cx: Cx, ()| {
                            cx.sleep(Duration::from_secs(1)).await?;
                            down.fetch_sub(1, Relaxed);
                            Ok(())
                        },
                    );
                    let _ = polls(stream, times).await;
                    Ok(())
                })
                .await;
            assert_eq!(outcome, Outcome::Ok(()));
            assert_eq!(in_flight.load(Relaxed), 0);
            Ok(cx.now())
        });
        let (at, trace) = ran.ok();
        assert_eq!(at, secs(1));
        assert!(!kinds(&trace, Kind::TimerFire).is_empty());
    }
}
