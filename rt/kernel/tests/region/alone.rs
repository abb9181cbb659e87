//! Scopes that end while nobody else knows of them, and those of which somebody does.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Poll, Waker};

use asr_base::{Duration, Failure, Outcome};
use asr_kernel::region::State;
use asr_kernel::sched::{Workers, WorkersConfig};
use asr_kernel::{Cx, RegionConfig, Spawn};

use crate::local;

/// A region within a region within a region, three of them with something that is seen to at the
/// end: a finalizer, a token, a waker that was left behind.
async fn nested(cx: &Cx, round: usize) -> Result<usize, Failure> {
    let outer = cx.region(RegionConfig::new(), async |scope, cx| {
        let inner = cx.region(RegionConfig::new(), async |_, cx| {
            if round.is_multiple_of(3) {
                cx.yield_now().await?;
            }
            Ok(round)
        });
        let found = inner.await.into_result()?;
        match round % 5 {
            1 => drop(scope.handle()),
            2 => drop(poll_fn(|context| Poll::Ready(context.waker().clone())).await),
            3 => {
                let fiber = scope.fiber(async |_| Ok(1))?;
                fiber.join(&cx).await?.into_result()?;
            }
            4 => {
                let task = scope.spawn(async |_| Ok(1))?;
                task.join(&cx).await?.into_result()?;
            }
            _ => {}
        }
        Ok(found)
    });
    outer.await.into_result()
}

/// REG-7, VAL-28: look-ups from another thread find a region that is open, and its tasks, or none;
/// scopes close with what their bodies gave, and nothing is left.
#[test]
fn reg_7_scopes_that_end_alone_against_look_ups() {
    let config = WorkersConfig::workers(2);
    let workers = Workers::new(config, Default::default()).expect("threads");
    let kernel = workers.kernel().clone();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                for region in kernel.regions() {
                    let again = kernel.region(region.id());
                    assert_eq!(again.expect("held").id(), region.id());
                    assert!(region.depth() <= 3, "{}", region.depth());
                }
                for task in kernel.tasks() {
                    let again = kernel.task(task.id());
                    assert_eq!(again.expect("held").region_id(), task.region_id());
                }
            }
        });
        let outcome = workers.run(async move |cx| {
            let mut tasks = Vec::new();
            for _ in 0..4 {
                tasks.push(cx.spawn(async |cx| {
                    for round in 0..3_000 {
                        assert_eq!(nested(&cx, round).await?, round);
                    }
                    Ok(())
                })?);
            }
            for task in tasks {
                task.join(&cx).await?.into_result()?;
            }
            Ok(())
        });
        over.store(true, Relaxed);
        assert!(outcome.is_ok(), "{outcome:?}");
    });
    assert_eq!(kernel.owned_records(), (0, 0));
    assert_eq!(kernel.check_tree(), Ok(()));
}

/// REG-36: a scope counts no reference to its parent while its opener has one; a handle of a scope
/// that was dropped half-way, and all around it, outlives the opener, the root and the runtime.
#[test]
fn reg_36_a_handle_of_a_dropped_scope_outlives_the_runtime() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let task = cx.spawn(async |cx| {
            let outer = cx.region(RegionConfig::new(), async |_, cx| {
                let mut kept = None;
                {
                    let inner = cx.region(RegionConfig::new(), async |scope, _| {
                        kept = Some(scope.handle());
                        std::future::pending::<()>().await;
                        Ok(())
                    });
                    let mut inner = pin!(inner);
                    poll_fn(|context| {
                        assert!(inner.as_mut().poll(context).is_pending());
                        Poll::Ready(())
                    })
                    .await;
                }
                Ok(kept.expect("it was polled"))
            });
            outer.await.into_result()
        })?;
        task.join(&cx).await?.into_result()
    });
    drop(runtime);
    let handle = outcome.into_result().expect("handed out");
    assert_eq!(handle.state(), State::Closed);
    handle.cancel("too late");
    assert!(handle.spawn(async |_| Ok(())).is_err());
    assert!(handle.outcome().is_some_and(|outcome| !outcome.is_ok()));
}

/// TSK-14: a waker of a body that has ended wakes nobody, also when another body has the slot.
#[test]
fn tsk_14_a_waker_that_was_kept_is_no_danger() {
    let outcome = local().run(async |cx| {
        let mut kept: Vec<Waker> = Vec::new();
        for _ in 0..100 {
            let scope = cx.region(RegionConfig::new(), async |_, _| {
                Ok(poll_fn(|context| Poll::Ready(context.waker().clone())).await)
            });
            kept.push(scope.await.into_result()?);
            kept.iter().for_each(Waker::wake_by_ref);
            if kept.len() > 7 {
                kept.clear();
            }
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// Polls with a waker that is not the task's, as some combinators do.
struct Foreign<F>(std::pin::Pin<Box<F>>);

impl<F: Future> Future for Foreign<F> {
    type Output = F::Output;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> Poll<F::Output> {
        struct Pass(Waker);
        impl std::task::Wake for Pass {
            fn wake(self: Arc<Pass>) {
                self.0.wake_by_ref();
            }
        }
        let waker = Waker::from(Arc::new(Pass(context.waker().clone())));
        let mut inner = std::task::Context::from_waker(&waker);
        self.0.as_mut().poll(&mut inner)
    }
}

/// A scope that is polled with another waker than its opener's keeps its parent itself, and gives
/// it back.
#[test]
fn reg_36_a_scope_of_a_foreign_poller_gives_its_parent_back() {
    let runtime = local();
    let kernel = Arc::downgrade(runtime.kernel());
    let outcome = runtime.run(async |cx| {
        for _ in 0..3 {
            let scope = cx.region(RegionConfig::new(), async |_, _| Ok(1));
            assert_eq!(Foreign(Box::pin(scope)).await.into_result()?, 1);
        }
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    drop(runtime);
    assert!(kernel.upgrade().is_none(), "somebody keeps the kernel");
}

/// VAL-20: a deadline that has passed when the region opens: its body never runs.
#[test]
fn val_20_a_scope_whose_time_is_over_starts_cancelled() {
    let outcome = local().run(async |cx| {
        let config = RegionConfig::new().timeout(Duration::ZERO);
        let mut ran = false;
        let outcome = cx.region(config, async |_, _| {
            ran = true;
            Ok(())
        });
        assert!(matches!(outcome.await, Outcome::Cancelled(_)));
        assert!(!ran);
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// REG-5: the opener has a cancel that it has not observed: its region starts cancelled.
#[test]
fn reg_5_a_scope_of_a_cancelled_opener_starts_cancelled() {
    let outcome = local().run(async |cx| {
        let ran = Arc::new(AtomicBool::new(false));
        let seen = ran.clone();
        let opener = cx.spawn(async move |cx| {
            poll_fn(|context| {
                context.waker().wake_by_ref();
                match cx.is_cancel_requested() {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
            let body = async |_, _| {
                seen.store(true, Relaxed);
                Ok(())
            };
            let outcome = cx.region(RegionConfig::new(), body).await;
            assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
            Ok(())
        })?;
        cx.yield_now().await?;
        opener.abort();
        let outcome = opener.join(&cx).await?;
        assert!(
            matches!(outcome, Outcome::Ok(()) | Outcome::Cancelled(_)),
            "{outcome:?}"
        );
        assert!(!ran.load(Relaxed));
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// REG-7: a task inside an inner scope ends it on one worker while the body of the outer one ends
/// on another; a handle of the task outlives both.
#[test]
fn reg_7_an_end_inside_against_the_end_of_the_body() {
    let workers = Workers::new(WorkersConfig::workers(2), Default::default()).expect("threads");
    let kernel = workers.kernel().clone();
    let outcome = workers.run(async |cx| {
        let opener = cx.spawn_with(Spawn::new().pin(0), async |cx| {
            let mut kept = Vec::new();
            for _ in 0..2_000 {
                let outer = cx.region(RegionConfig::new(), async |_, cx| {
                    let inner = cx.region(RegionConfig::new(), async |scope, _| {
                        let task = scope.spawn_with(Spawn::new().pin(1), async |_| Ok(()))?;
                        Ok(task)
                    });
                    inner.await.into_result()
                });
                kept.push(outer.await.into_result()?);
                if kept.len() > 7 {
                    kept.clear();
                }
            }
            Ok(())
        })?;
        opener.join(&cx).await?.into_result()
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    drop(workers);
    assert_eq!(kernel.owned_records(), (0, 0));
}
