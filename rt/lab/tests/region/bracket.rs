//! Acquire, use, release (REG-19).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Outcome, Time};
use asr_kernel::{Cx, RegionConfig};
use asr_trace::Sub;

use crate::checked::{fails, run, seeds};
use crate::common::{cancelled, forever, subs, turn};
use crate::foreign::polls;

#[derive(Default)]
struct Counts {
    acquiring: AtomicU32,
    acquired: AtomicU32,
    used: AtomicU32,
    released: AtomicU32,
}

impl Counts {
    fn are(&self) -> [u32; 4] {
        let Counts {
            acquiring,
            acquired,
            used,
            released,
        } = self;
        [acquiring, acquired, used, released].map(|count| count.load(Relaxed))
    }
}

/// Three polls in each phase, each a cancel point.
async fn phases(cx: &Cx, counts: &Arc<Counts>) -> Outcome<(), asr_base::Error> {
    let (released, used) = (counts.clone(), counts.clone());
    cx.bracket(
        async {
            counts.acquiring.fetch_add(1, Relaxed);
            cx.yield_now().await?;
            cx.yield_now().await?;
            counts.acquired.fetch_add(1, Relaxed);
            Ok(counts.clone())
        },
        async |resource: &mut Arc<Counts>| {
            cx.yield_now().await?;
            cx.yield_now().await?;
            resource.used.fetch_add(1, Relaxed);
            assert_eq!(resource.are(), used.are());
            Ok(())
        },
        async move |cx: Cx, resource: Arc<Counts>| {
            cx.yield_now().await?;
            cx.yield_now().await?;
            drop(resource);
            released.released.fetch_add(1, Relaxed);
            Ok(())
        },
    )
    .await
}

/// Aborted before each poll of the task: release runs if and only if acquire came to its end.
#[test]
fn reg_19_a_cancel_at_every_poll() {
    let mut seen = std::collections::BTreeSet::new();
    for polls in 0..12 {
        let ran = run(async move |cx| {
            let counts = Arc::new(Counts::default());
            let count = counts.clone();
            let task = cx.spawn(async move |cx| phases(&cx, &count).await.into_result())?;
            for _ in 0..polls {
                turn().await;
            }
            task.abort();
            let outcome = task.join(&cx).await?;
            let [_, acquired, used, released] = counts.are();
            assert_eq!(acquired, released, "after {polls} polls");
            assert_eq!(Arc::strong_count(&counts), 1);
            Ok((acquired, used, outcome.is_ok()))
        });
        seen.insert(ran.ok().0);
    }
    let all = [(0, 0, false), (1, 0, false), (1, 1, false), (1, 1, true)];
    assert!(seen.iter().all(|found| all.contains(found)), "{seen:?}");
    assert!(seen.contains(&all[0]) && seen.contains(&all[1]) && seen.contains(&all[3]));
}

/// Dropped after each poll: the same, and the release is over when the region is.
#[test]
fn reg_19_dropped_at_every_poll() {
    let mut seen = std::collections::BTreeSet::new();
    for times in 0..12 {
        for by_scope in [false, true] {
            let ran = run(async move |cx| {
                let counts = Arc::new(Counts::default());
                let outcome: Outcome<(), _> = cx
                    .region(RegionConfig::new(), async |_, cx| {
                        if by_scope {
                            let region = cx.region(RegionConfig::new(), async |_, cx| {
                                phases(&cx, &counts).await.into_result()
                            });
                            let _: Option<Outcome<(), _>> = polls(region, times).await;
                        } else {
                            let _ = polls(phases(&cx, &counts), times).await;
                        }
                        Ok(())
                    })
                    .await;
                assert_eq!(outcome, Outcome::Ok(()));
                let [_, acquired, _, released] = counts.are();
                assert_eq!(acquired, released, "after {times} polls");
                assert_eq!(Arc::strong_count(&counts), 1);
                Ok((acquired, counts.are()[2]))
            });
            seen.insert(ran.ok().0);
        }
    }
    assert_eq!(
        seen.into_iter().collect::<Vec<_>>(),
        [(0, 0), (1, 0), (1, 1)]
    );
}

#[test]
fn reg_19_release_follows_whatever_use_did() {
    seeds(10, || {
        async |cx: Cx| {
            for (use_ends, release_ends) in (0..3).flat_map(|u| (0..3).map(move |r| (u, r))) {
                let released = Arc::new(AtomicU32::new(0));
                let count = released.clone();
                let end = |how: i32, who: &'static str| match how {
                    0 => Ok(1),
                    1 => Err(fails(who)),
                    _ => panic!("{who}"),
                };
                let outcome = cx
                    .bracket(
                        async { Ok(()) },
                        async |_: &mut ()| {
                            turn().await;
                            end(use_ends, "use")
                        },
                        async move |_: Cx, ()| {
                            count.fetch_add(1, Relaxed);
                            end(release_ends, "release").map(drop)
                        },
                    )
                    .await;
                assert_eq!(released.load(Relaxed), 1);
                // The worse of the two, the use first (VAL-3).
                let who = if use_ends >= release_ends {
                    "use"
                } else {
                    "release"
                };
                match outcome {
                    Outcome::Ok(value) => assert_eq!((value, use_ends, release_ends), (1, 0, 0)),
                    Outcome::Err(error) => assert_eq!(error.message(), who),
                    Outcome::Panicked(payload) => assert_eq!(payload.message(), who),
                    Outcome::Cancelled(_) => panic!("nobody cancelled"),
                }
            }
            Ok(())
        }
    });
}

#[test]
fn reg_19_a_failed_acquire_releases_nothing() {
    let ran = run(async |cx| {
        let outcome: Outcome<(), _> = cx
            .bracket(
                async { Err::<(), _>(fails("acquire")) },
                async |_: &mut ()| panic!("nothing was acquired"),
                async |_: Cx, ()| panic!("nothing was acquired"),
            )
            .await;
        assert!(matches!(outcome, Outcome::Err(_)));
        Ok(())
    });
    ran.ok();
}

/// A release that never ends is given up at the end of the cleanup budget: 5 s.
#[test]
fn reg_19_release_has_a_budget() {
    let ran = run(async |cx| {
        let outcome = cx
            .bracket(
                async { Ok(()) },
                async |_: &mut ()| Ok(()),
                async |_: Cx, ()| {
                    forever().await;
                    Ok(())
                },
            )
            .await;
        let reason = cancelled(outcome);
        assert!(reason.escalated());
        assert_eq!(reason.kind(), CancelKind::Exhausted);
        Ok(cx.now())
    });
    let (at, trace) = ran.ok();
    assert_eq!(at, Time::from_nanos(5_000_000_000));
    assert_eq!(subs(&trace, Sub::FinalizerEscalated).len(), 1);
}

/// The task is given up while it releases: the release goes on, with a context that is good.
#[test]
fn reg_19_release_outlives_the_cleanup_budget_of_its_task() {
    let ran = run(async |cx| {
        let released = Arc::new(AtomicU32::new(0));
        let count = released.clone();
        let task = cx.spawn(async move |cx| {
            let outcome = cx.bracket(
                async { Ok(()) },
                async |_: &mut ()| Ok(()),
                async move |cx: Cx, ()| {
                    cx.sleep(Duration::from_millis(4500)).await?;
                    count.fetch_add(1, Relaxed);
                    cx.sleep(Duration::from_millis(4500)).await?;
                    count.fetch_add(1, Relaxed);
                    Ok(())
                },
            );
            outcome.await.into_result()
        })?;
        cx.yield_now().await?;
        task.abort();
        let outcome = task.join(&cx).await?;
        assert!(cancelled(outcome).escalated());
        Ok((released.load(Relaxed), cx.now()))
    });
    let ((released, at), _) = ran.ok();
    assert_eq!((released, at), (2, Time::from_nanos(9_000_000_000)));
}
