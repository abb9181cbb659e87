//! Budgets as the kernel keeps them: met on the way down, enforced once, where they were set.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{
    Budget, BudgetComponent, CancelKind, CancelReason, Error, Origin, Outcome, Status, Time,
};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx, RegionConfig, Spawn};
use asr_lab::LabConfig;
use asr_trace::{Kind, Sub};
use common::{cancelled, kinds, ok, run, run_with, turn};

const SECOND: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

#[test]
fn val_17_a_budget_is_the_meet_of_those_above() {
    let run = run(async |cx| {
        let config = RegionConfig::new().budget(
            Budget::UNLIMITED
                .with_deadline(at(30))
                .with_polls(50)
                .with_priority(7),
        );
        let inner: Outcome<(), _> = cx
            .region(config, async |scope, cx| {
                let asked = Budget::UNLIMITED
                    .with_deadline(at(60))
                    .with_polls(20)
                    .with_priority(3);
                let child = scope.spawn_with(Spawn::new().budget(asked), async |cx| {
                    let own = cx.budget();
                    assert_eq!(own.deadline, at(30), "the earlier");
                    assert_eq!((own.polls, own.priority), (20, 7));
                    // Below the task, its own budget counts too.
                    let below = cx
                        .region(RegionConfig::new(), async |_, cx| Ok(cx.budget()))
                        .await
                        .into_result()?;
                    assert_eq!(below, own);
                    Ok(cx.sleep(60 * SECOND).await?)
                })?;
                let outcome = child.join(&cx).await?;
                panic!("cancelled with its region before it is joined: {outcome:?}")
            })
            .await;
        Ok((cancelled(inner), cx.now()))
    });
    let ((reason, now), _) = ok(run);
    assert_eq!((reason.kind(), now), (CancelKind::Timeout, at(30)));
}

#[test]
fn val_18_siblings_share_the_cost_of_their_region() {
    for seed in 0..100 {
        let charged = Arc::new(AtomicU64::new(0));
        let refused = Arc::new(AtomicU32::new(0));
        let (sum, over) = (charged.clone(), refused.clone());
        let run = run_with(LabConfig::seed(seed), async move |cx: Cx| {
            let config = RegionConfig::new().budget(Budget::UNLIMITED.with_cost(100));
            let inner: Outcome<(), _> = cx
                .region(config, async |scope, _| {
                    for _ in 0..2 {
                        let (sum, over) = (sum.clone(), over.clone());
                        let _ = scope.spawn(async move |cx| {
                            for _ in 0..60 {
                                sum.fetch_add(1, Relaxed);
                                if let Err(error) = cx.charge(1) {
                                    assert_eq!(error.kind(), Status::QUOTA_EXCEEDED);
                                    over.fetch_add(1, Relaxed);
                                }
                                cx.yield_now().await?;
                            }
                            Ok(())
                        })?;
                    }
                    Ok(())
                })
                .await;
            Ok(cancelled(inner))
        });
        let (reason, _) = ok(run);
        assert_eq!(reason.kind(), CancelKind::Exhausted);
        assert_eq!(reason.component(), Some(BudgetComponent::Cost));
        assert_eq!((charged.load(Relaxed), refused.load(Relaxed)), (100, 1));
    }
}

#[test]
fn val_18_polls_are_counted_per_task() {
    let run = run(async |cx| {
        let config = RegionConfig::new().budget(Budget::UNLIMITED.with_polls(5));
        let inner = cx
            .region(config, async |scope, _| {
                for _ in 0..2 {
                    let _ = scope.spawn(async |_| {
                        // Five polls each.
                        for _ in 0..4 {
                            turn().await;
                        }
                        Ok(())
                    })?;
                }
                Ok(())
            })
            .await;
        inner.into_result()
    });
    ok(run);
}

#[test]
fn val_19_exactly_the_polls_of_the_quota_run() {
    let run = run(async |cx| {
        let polls = Arc::new(AtomicU32::new(0));
        let count = polls.clone();
        let budget = Budget::UNLIMITED.with_polls(3);
        let child = cx.spawn_with(Spawn::new().budget(budget), async move |cx| {
            loop {
                if cx.is_cancel_requested() {
                    // One more, to clean up.
                    cx.checkpoint()?;
                }
                count.fetch_add(1, Relaxed);
                turn().await;
            }
        })?;
        let id = child.id();
        let outcome: Outcome<(), Error> = child.join(&cx).await?;
        Ok((cancelled(outcome), polls.load(Relaxed), id))
    });
    let ((reason, polls, id), log) = ok(run);
    assert_eq!((reason.kind(), polls), (CancelKind::Exhausted, 3));
    assert_eq!(reason.component(), Some(BudgetComponent::Polls));
    assert_eq!(reason.origin(), Origin::Task(id));
    let semantic = log.iter().filter(|event| event.sub == Sub::None);
    let before = semantic.take_while(|event| event.kind != Kind::CancelRequest);
    let polls = before.filter(|e| e.kind == Kind::TaskPoll && e.task == Some(id));
    assert_eq!(polls.count(), 3);
}

/// A region without a scope is in nobody's poll: the deadline that it has from its opener is kept
/// while that one is masked, and after its end.
#[test]
fn val_19_the_deadline_of_an_opener_is_enforced_in_its_region() {
    for ends in [false, true] {
        let run = run(async move |cx| {
            let budget = Budget::UNLIMITED.with_deadline(at(1));
            let seen = Arc::new(AtomicU32::new(0));
            let count = seen.clone();
            let opener = cx.spawn_with(Spawn::new().budget(budget), async move |cx| {
                let region = cx.open_region(&RegionConfig::new())?;
                let _ = region.spawn(async move |cx| {
                    let slept = cx.sleep(60 * SECOND).await;
                    assert_eq!(cx.now(), at(1));
                    count.fetch_add(1, Relaxed);
                    Ok(slept?)
                })?;
                if !ends {
                    cx.mask(9, cx.sleep(5 * SECOND)).await??;
                }
                Ok(region)
            })?;
            let kept = opener.join(&cx).await?;
            cx.sleep(6 * SECOND).await?;
            drop(kept);
            Ok(seen.load(Relaxed))
        });
        assert_eq!(ok(run).0, 1, "{ends}");
    }
}

#[test]
fn val_19_a_region_deadline_is_enforced_once() {
    let run = run(async |cx| {
        let region = cx.open_region(&RegionConfig::new().timeout(30 * SECOND))?;
        let id = region.id();
        let mut tasks = Vec::new();
        for _ in 0..3 {
            tasks.push(region.spawn(async |cx| {
                let slept = cx.sleep(60 * SECOND).await;
                assert_eq!(cx.now(), at(30));
                Ok(slept?)
            })?);
        }
        let whole = region.close(&cx).await;
        let mut reasons = Vec::new();
        for task in tasks {
            reasons.push(cancelled(task.join(&cx).await?));
        }
        Ok((id, cancelled(whole), reasons))
    });
    let ((id, whole, reasons), log) = ok(run);
    assert_eq!(whole.kind(), CancelKind::Timeout);
    assert_eq!(whole.component(), Some(BudgetComponent::Deadline));
    assert_eq!((whole.origin(), whole.at()), (Origin::Region(id), at(30)));
    assert_eq!(reasons.len(), 3);
    for reason in &reasons {
        assert_eq!(reason.kind(), CancelKind::ParentCancelled);
        assert_eq!(reason.cause(), Some(&whole), "linked");
    }
    let ranks = kinds(&log, Kind::CancelRequest);
    let of = |kind: CancelKind| ranks.iter().filter(move |e| e.a == u64::from(kind.rank()));
    assert_eq!(of(CancelKind::Timeout).count(), 1);
    assert_eq!(of(CancelKind::ParentCancelled).count(), 3);
    assert_eq!(kinds(&log, Kind::TimerFire).len(), 1, "one timer for all");
}

#[test]
fn val_20_a_task_without_budget_is_made_and_never_runs() {
    struct Captured(Arc<AtomicU32>);
    impl Drop for Captured {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let none = Budget::UNLIMITED;
    let cases = [
        (none.with_deadline(at(5)), BudgetComponent::Deadline),
        (none.with_deadline(at(1)), BudgetComponent::Deadline),
        (none.with_polls(0), BudgetComponent::Polls),
        (none.with_cost(0), BudgetComponent::Cost),
    ];
    for (budget, component) in cases {
        let run = run(async move |cx| {
            cx.sleep(5 * SECOND).await?;
            let (ran, dropped) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
            let (effect, captured) = (ran.clone(), Captured(dropped.clone()));
            let child = cx.spawn_with(Spawn::new().budget(budget), async move |_| {
                effect.fetch_add(1, Relaxed);
                drop(captured);
                Ok(())
            })?;
            let id = child.id();
            let reason = cancelled(child.join(&cx).await?);
            Ok((reason, ran.load(Relaxed), dropped.load(Relaxed), id))
        });
        let ((reason, ran, dropped, id), log) = ok(run);
        assert_eq!((ran, dropped), (0, 1), "{component:?}");
        assert_eq!(reason.component(), Some(component));
        assert_eq!(Some(reason.kind()), component.cancel_kind());
        let polls = kinds(&log, Kind::TaskPoll);
        assert!(polls.iter().all(|event| event.task != Some(id)));
        let spawned = kinds(&log, Kind::TaskSpawn);
        assert!(spawned.iter().any(|event| event.a == id.to_bits()));
    }
}

/// What a fresh runtime says of its defaults.
async fn defaults(cx: Cx) -> Result<(Budget, Budget, Time), asr_base::Failure> {
    let child = cx.spawn(async |cx| Ok(cx.budget()))?;
    let child = child.join(&cx).await?.into_result()?;
    let own = Budget::UNLIMITED.with_polls(9).with_deadline(at(99));
    let below: Budget = cx
        .region(RegionConfig::new().budget(own), async |scope, cx| {
            let child = scope.spawn(async |cx| Ok(cx.budget()))?;
            child.join(&cx).await?.into_result()
        })
        .await
        .into_result()?;
    assert_eq!(below, own, "the parent's");
    Ok((cx.budget(), child, cx.now()))
}

#[test]
fn val_26_the_defaults_of_a_fresh_runtime() {
    let check = |kernel: &asr_kernel::Kernel| {
        assert_eq!(kernel.root().region().budget(), Budget::UNLIMITED);
        let now = kernel.now();
        let request = kernel.request_budget();
        assert!(request.deadline >= now + 30 * SECOND);
        assert!(request.deadline <= kernel.now() + 30 * SECOND);
        assert_eq!((request.polls, request.priority), (10_000, 100));
        assert_eq!((request.cost, request.trace), (None, None));
        let cleanup = kernel.config().cleanup;
        assert_eq!((cleanup.duration, cleanup.polls), (5 * SECOND, 500));
    };
    let local = Local::new(Config::default());
    check(local.kernel());
    let Outcome::Ok((main, child, _)) = local.run(defaults) else {
        panic!("it ends")
    };
    assert_eq!((main, child), (Budget::UNLIMITED, Budget::UNLIMITED));
    let lab = asr_lab::Lab::new(LabConfig::default());
    check(lab.kernel());
    let ((main, child, now), _) = ok(run(defaults));
    assert_eq!((main, child), (Budget::UNLIMITED, Budget::UNLIMITED));
    assert_eq!(now, Time::ZERO);
}

#[test]
fn val_13_the_reason_of_a_leaf_ends_at_the_request() {
    let run = run(async |cx| {
        let found = Arc::new(parking_lot::Mutex::new(None));
        let seen = found.clone();
        let inner: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |scope, cx| {
                let handle = scope.handle();
                let _ = scope.spawn(async move |cx| {
                    let parent: Outcome<(), _> = cx
                        .region(RegionConfig::new(), async |scope, _| {
                            let _ = scope.spawn(async move |cx| {
                                let slept = cx.sleep(60 * SECOND).await;
                                *seen.lock() = cx.cancel_reason();
                                Ok(slept?)
                            })?;
                            Ok(())
                        })
                        .await;
                    parent.into_result()
                })?;
                cx.sleep(SECOND).await?;
                handle.cancel("the grandparent goes");
                Ok(cx.sleep(SECOND).await?)
            })
            .await;
        let leaf: CancelReason = found.lock().take().expect("the leaf saw it");
        Ok((cancelled(inner), leaf))
    });
    let ((request, leaf), _) = ok(run);
    assert_eq!(request.kind(), CancelKind::User);
    assert_eq!(request.message(), "the grandparent goes");
    assert_eq!(request.at(), at(1));
    assert_eq!(leaf.kind(), CancelKind::ParentCancelled);
    assert_eq!(leaf.chain().last(), Some(&request));
    assert!(leaf.depth() >= 3, "a link for each generation: {leaf}");
    let between = leaf.chain().take(leaf.depth() as usize - 1);
    for link in between {
        assert_eq!(link.kind(), CancelKind::ParentCancelled);
    }
}
