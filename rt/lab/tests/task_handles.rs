//! Tiers, handles and joins.

mod common;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use asr_base::{CancelKind, Error, Outcome, Status};
use asr_kernel::task::Tier;
use asr_kernel::{JoinHandle, Policy, RegionConfig};
use asr_trace::{Kind, Sub};
use common::{cancelled, forever, kinds, ok, run, subs, turn};
use parking_lot::Mutex;

const SECOND: Duration = Duration::from_secs(1);

/// Actors, remote computations and compiled fibers come with later parts.
#[test]
fn tsk_1_part_each_tier_is_visible_as_such() {
    let (_, log) = ok(run(async |cx| {
        let inner = cx
            .region(RegionConfig::new(), async |scope, _| {
                let _ = scope.fiber(async |_| Ok(()))?;
                let _ = scope.spawn(async |_| Ok(()))?;
                scope.defer_async(async |_| Ok(()))?;
                Ok(())
            })
            .await;
        inner.into_result()
    }));
    let tiers: Vec<u64> = kinds(&log, Kind::TaskSpawn).iter().map(|e| e.b).collect();
    let tier = |tier: Tier| tier as u64;
    let all = [
        Tier::Task,
        Tier::Body,
        Tier::Fiber,
        Tier::Task,
        Tier::Finalizer,
    ];
    assert_eq!(tiers, all.map(tier));
}

/// Compiled fibers come with a later part; that a borrow cannot escape is in `tests/ui` of the
/// kernel.
#[test]
fn tsk_2_part_dropping_a_scope_drops_its_fibers_at_once() {
    let (left, log) = ok(run(async |cx| {
        let alive = AtomicU32::new(0);
        struct Alive<'a>(&'a AtomicU32);
        impl Drop for Alive<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Relaxed);
            }
        }
        let count = &alive;
        {
            let mut scope = pin!(cx.region(RegionConfig::new(), async |scope, cx| {
                for _ in 0..3 {
                    let _ = scope.fiber(async move |_| {
                        count.fetch_add(1, Relaxed);
                        let _alive = Alive(count);
                        forever().await;
                        Ok(())
                    })?;
                }
                cx.sleep(SECOND).await?;
                Ok(())
            }));
            while alive.load(Relaxed) < 3 {
                std::future::poll_fn(|context| {
                    assert!(scope.as_mut().poll(context).is_pending());
                    Poll::Ready(())
                })
                .await;
            }
        }
        Ok(alive.load(Relaxed))
    }));
    assert_eq!(left, 0);
    // The three fibers, and the body, which is a fiber too.
    assert_eq!(subs(&log, Sub::CancelEscalated).len(), 4);
}

#[test]
fn tsk_2_part_a_forgotten_scope_never_touches_its_frame_again() {
    let lab = asr_lab::Lab::new(common::lanes());
    let kernel = lab.kernel().clone();
    let polls = Arc::new(AtomicU32::new(0));
    let seen = polls.clone();
    let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
    let kept = waker.clone();
    let run = lab
        .run(async move |cx| {
            let frame = AtomicU32::new(0);
            let borrowed = &frame;
            let mut scope = Box::pin(cx.region(RegionConfig::new(), async |scope, cx| {
                let _ = scope.fiber(async move |_| {
                    std::future::poll_fn(|context| {
                        borrowed.fetch_add(1, Relaxed);
                        seen.fetch_add(1, Relaxed);
                        *kept.lock() = Some(context.waker().clone());
                        Poll::<()>::Pending
                    })
                    .await;
                    Ok(())
                })?;
                cx.sleep(SECOND).await?;
                Ok(())
            }));
            for _ in 0..3 {
                std::future::poll_fn(|context| {
                    let _ = scope.as_mut().poll(context);
                    Poll::Ready(())
                })
                .await;
            }
            std::mem::forget(scope);
            Ok(())
        })
        .expect("a forgotten scope ends with its opener");
    assert_eq!((run.outcome, run.root), (Outcome::Ok(()), Outcome::Ok(())));
    // Neither a wake nor a shutdown polls what lay in the frame.
    waker.lock().take().expect("it was polled").wake();
    kernel.shutdown();
    assert_eq!(polls.load(Relaxed), 1);
}

#[test]
fn tsk_4_without_handles_all_children_end_before_the_close() {
    let (ended, _) = ok(run(async |cx| {
        let ended = Arc::new(AtomicU32::new(0));
        let count = ended.clone();
        let inner = cx
            .region(RegionConfig::new(), async |scope, _| {
                for n in 0..10 {
                    let count = count.clone();
                    drop(scope.spawn(async move |cx| {
                        cx.sleep(SECOND * n).await?;
                        count.fetch_add(1, Relaxed);
                        Ok(())
                    })?);
                }
                Ok(())
            })
            .await;
        inner.into_result()?;
        // Nor does a region that is left to itself leave anything behind.
        let opened = cx.open_region(&RegionConfig::new())?;
        drop(opened.spawn(async |cx| Ok(cx.sleep(SECOND).await?))?);
        drop(opened);
        Ok(ended.load(Relaxed))
    }));
    assert_eq!(ended, 10);
}

#[test]
fn tsk_9_the_future_is_dropped_before_joiner_and_region_hear_of_it() {
    struct Probe(Arc<AtomicBool>);
    impl Drop for Probe {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    for way in 0..4 {
        let ((dropped, woken), log) = ok(run(async move |cx| {
            let gone = Arc::new(AtomicBool::new(false));
            let seen = gone.clone();
            let mut joined = false;
            let keep = &mut joined;
            let at_wake = Arc::new(AtomicU32::new(0));
            let wakes = at_wake.clone();
            let inner = cx
                .region(
                    RegionConfig::new().policy(Policy::CollectAll),
                    async move |scope, cx| {
                        let probe = Probe(seen.clone());
                        let child = scope.spawn(async move |cx| {
                            let _probe = probe;
                            match way {
                                0 => Ok(cx.sleep(SECOND).await?),
                                1 => Err(Error::new(Status::IO, "").into()),
                                2 => panic!("loud"),
                                _ => {
                                    forever().await;
                                    Ok(())
                                }
                            }
                        })?;
                        turn().await;
                        if way == 3 {
                            child.abort();
                        }
                        // A waker of our own sees the moment of the wake.
                        let order = Arc::new(Order {
                            gone: seen,
                            inner: std::future::poll_fn(|c| Poll::Ready(c.waker().clone())).await,
                            wakes,
                        });
                        let waker = Waker::from(order);
                        let mut join = child.join(&cx);
                        std::future::poll_fn(|_| {
                            Pin::new(&mut join)
                                .poll(&mut Context::from_waker(&waker))
                                .map(|_| ())
                        })
                        .await;
                        *keep = true;
                        Ok(())
                    },
                )
                .await;
            drop(inner);
            assert!(joined);
            Ok((gone.load(Relaxed), at_wake.load(Relaxed)))
        }));
        assert!(dropped, "way {way}");
        // Ways 1 and 2 end before they are joined.
        assert_eq!(woken, [1, 0, 0, 1][way], "way {way}");
        let completed = kinds(&log, Kind::TaskComplete);
        let mut tasks: Vec<_> = completed.iter().map(|event| event.task).collect();
        tasks.sort();
        tasks.dedup();
        assert_eq!(tasks.len(), completed.len(), "completed once each");
    }

    struct Order {
        gone: Arc<AtomicBool>,
        inner: Waker,
        wakes: Arc<AtomicU32>,
    }
    impl Wake for Order {
        fn wake(self: Arc<Self>) {
            assert!(
                self.gone.load(Relaxed),
                "the joiner is woken after the drop"
            );
            self.wakes.fetch_add(1, Relaxed);
            self.inner.wake_by_ref();
        }
    }
}

#[test]
fn tsk_15_a_join_polled_again_has_no_second_value() {
    ok(run(async |cx| {
        let child = cx.spawn(async |_| Ok(7))?;
        let mut join = child.join(&cx);
        let first = (&mut join).await?;
        assert!(matches!(first, Outcome::Ok(7)));
        for _ in 0..2 {
            let Outcome::Err(error) = (&mut join).await? else {
                panic!("a second value")
            };
            assert_eq!(error.kind(), Status::ALREADY_RESOLVED);
        }
        Ok(())
    }));
}

#[test]
fn tsk_15_a_mask_polled_again_has_no_second_value() {
    ok(run(async |cx| {
        let mut mask = pin!(cx.mask(10, async { 7 }));
        assert_eq!(mask.as_mut().await.ok(), Some(7));
        let again = mask.as_mut().await.map_err(|error| error.kind());
        assert_eq!(again, Err(Status::ALREADY_RESOLVED));
        let mut section = pin!(cx.commit_section(10, async { 7 }));
        assert_eq!(section.as_mut().await.ok(), Some(7));
        let again = section.as_mut().await.map_err(|error| error.kind());
        assert_eq!(again, Err(Status::ALREADY_RESOLVED));
        Ok(())
    }));
}

#[test]
fn tsk_15_an_interrupted_join_polled_again_has_no_value() {
    let (outcome, _) = ok(run(async |cx| {
        let joiner = cx.spawn(async |cx| {
            let child = cx.spawn(async |cx| Ok(cx.sleep(SECOND).await?))?;
            let mut join = child.join(&cx);
            assert!((&mut join).await.is_err());
            let Ok(Outcome::Err(error)) = (&mut join).await else {
                panic!("a value after the interrupt")
            };
            assert_eq!(error.kind(), Status::ALREADY_RESOLVED);
            Ok(())
        })?;
        turn().await;
        joiner.abort();
        joiner.join(&cx).await.map_err(Into::into)
    }));
    cancelled(outcome);
}

#[test]
fn tsk_17_a_dropped_handle_neither_cancels_nor_detaches() {
    let (done, log) = ok(run(async |cx| {
        let done = Arc::new(AtomicU32::new(0));
        let count = done.clone();
        let inner = cx
            .region(RegionConfig::new(), async move |scope, _| {
                drop(scope.spawn(async move |cx| {
                    cx.sleep(SECOND).await?;
                    count.store(1, Relaxed);
                    Err::<(), _>(Error::new(Status::IO, "mine").into())
                })?);
                Ok(())
            })
            .await;
        // The outcome went to the region policy.
        let Outcome::Err(error) = inner else {
            panic!("{inner:?}")
        };
        assert_eq!(error.kind(), Status::IO);
        Ok(done.load(Relaxed))
    }));
    assert_eq!(done, 1);
    assert!(kinds(&log, Kind::CancelRequest).is_empty());
}

#[test]
fn tsk_18_a_cancelled_joiner_leaves_the_joined_task_alone() {
    let (outcome, _) = ok(run(async |cx| {
        let child = Arc::new(Mutex::new(None));
        let done = Arc::new(AtomicU32::new(0));
        let (slot, count) = (child.clone(), done.clone());
        let joiner = cx.spawn(async move |cx| {
            let child = cx.spawner().spawn(async move |cx| {
                cx.sleep(SECOND).await?;
                count.store(1, Relaxed);
                Ok(())
            })?;
            *slot.lock() = Some(child.id());
            child.join(&cx).await?.into_result()
        })?;
        turn().await;
        joiner.abort();
        let outcome = joiner.join(&cx).await?;
        assert_eq!(done.load(Relaxed), 0);
        cx.sleep(SECOND * 2).await?;
        assert_eq!(done.load(Relaxed), 1);
        Ok(outcome)
    }));
    assert_eq!(cancelled(outcome).kind(), CancelKind::User);
}

#[test]
fn tsk_19_a_task_that_joins_itself_gets_cycle() {
    type Own = Arc<Mutex<Option<JoinHandle<()>>>>;
    let seen = Arc::new(Mutex::new(None));
    let keep = seen.clone();
    ok(run(async move |cx| {
        let own = Own::default();
        let slot = own.clone();
        *own.lock() = Some(cx.spawn(async move |cx| {
            let me = slot.lock().take().expect("stored before the first poll");
            if let Outcome::Err(error) = me.join(&cx).await? {
                *keep.lock() = Some((error.kind(), cx.now()));
            }
            Ok(())
        })?);
        Ok(())
    }));
    assert_eq!(*seen.lock(), Some((Status::CYCLE, asr_base::Time::ZERO)));
}

#[test]
fn tsk_20_an_aborted_task_cleans_up() {
    let (steps, _) = ok(run(async |cx| {
        let steps = Arc::new(Mutex::new(Vec::new()));
        let seen = steps.clone();
        let child = cx.spawn(async move |cx| {
            let slept = cx.sleep(SECOND * 100).await;
            seen.lock().push("woken");
            cx.mask(10, cx.sleep(SECOND)).await??;
            seen.lock().push("cleaned");
            Ok(slept?)
        })?;
        turn().await;
        child.abort();
        steps.lock().push("aborted");
        let outcome = child.join(&cx).await?;
        assert!(!cancelled(outcome).escalated());
        steps.lock().push("joined");
        let steps = steps.lock().clone();
        Ok(steps)
    }));
    assert_eq!(steps, ["aborted", "woken", "cleaned", "joined"]);
}
