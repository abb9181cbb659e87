//! The state table of tasks, row by row, and what the outcome is in each.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Error, Outcome, Status};
use asr_kernel::task::Phase;
use asr_kernel::{Escalation, Policy, RegionConfig};
use asr_trace::{Kind, Sub};
use common::{cancelled, forever, kinds, ok, run, subs, turn};

const SECOND: Duration = Duration::from_secs(1);

fn collect() -> RegionConfig {
    RegionConfig::new().policy(Policy::CollectAll)
}

#[test]
fn tsk_5_a_first_poll_starts_a_created_task() {
    let (phases, log) = ok(run(async |cx| {
        let child = cx.spawn(async |cx| Ok(cx.sleep(SECOND).await?))?;
        let before = child.phase();
        turn().await;
        let after = child.phase();
        child.join(&cx).await?.into_result()?;
        Ok((before, after))
    }));
    assert_eq!(phases, (Phase::Created, Phase::Running));
    // The main task and the child start once each; three changes of state for each.
    assert_eq!(kinds(&log, Kind::TaskStart).len(), 2);
    assert_eq!(kinds(&log, Kind::TaskComplete).len(), 2);
}

#[test]
fn tsk_5_a_cancel_ends_a_created_task_unstarted() {
    let ((phase, outcome, ran), log) = ok(run(async |cx| {
        let ran = Arc::new(AtomicU32::new(0));
        let count = ran.clone();
        let child = cx.spawn(async move |_| {
            count.fetch_add(1, Relaxed);
            Ok(())
        })?;
        child.abort();
        let phase = child.phase();
        let outcome = child.join(&cx).await?;
        Ok((phase, outcome, ran.load(Relaxed)))
    }));
    assert_eq!(phase, Phase::Created);
    assert_eq!(cancelled(outcome).kind(), CancelKind::User);
    assert_eq!(ran, 0);
    // Only the main task started.
    assert_eq!(kinds(&log, Kind::TaskStart).len(), 1);
}

#[test]
fn tsk_5_a_cancel_of_a_running_task_is_observed_at_a_checkpoint() {
    let ((phases, outcome), log) = ok(run(async |cx| {
        let child = cx.spawn(async |cx| {
            while !cx.is_cancel_requested() {
                turn().await;
            }
            let observed = cx.checkpoint();
            cx.mask(10, cx.sleep(SECOND)).await??;
            Ok(observed?)
        })?;
        turn().await;
        let mut phases = vec![child.phase()];
        child.abort();
        phases.push(child.phase());
        turn().await;
        phases.push(child.phase());
        Ok((phases, child.join(&cx).await?))
    }));
    let way = [Phase::Running, Phase::CancelRequested, Phase::Cancelling];
    assert_eq!(phases, way);
    assert_eq!(cancelled(outcome).kind(), CancelKind::User);
    assert_eq!(kinds(&log, Kind::CancelRequest).len(), 1);
    assert_eq!(kinds(&log, Kind::CancelObserve).len(), 1);
}

/// What a task does after its cancel was requested.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Ok,
    Err,
    Panic,
}

/// The outcome of a task that ends in a way, before or after it observed the cancel.
fn ends(way: Way, observe: bool) -> (Outcome<u32, Error>, usize) {
    let (outcome, log) = ok(run(async move |cx| {
        let mut outcome = None;
        let keep = &mut outcome;
        let around = cx
            .region(collect(), async |scope, cx| {
                let child = scope.spawn(async move |cx| {
                    while !cx.is_cancel_requested() {
                        turn().await;
                    }
                    if observe {
                        assert!(cx.checkpoint().is_err());
                    }
                    match way {
                        Way::Ok => Ok(7),
                        Way::Err => Err(Error::new(Status::IO, "broken").into()),
                        Way::Panic => panic!("loud"),
                    }
                })?;
                turn().await;
                child.abort();
                *keep = Some(child.join(&cx).await?);
                Ok(())
            })
            .await;
        drop(around);
        Ok(outcome.expect("it was joined"))
    }));
    (outcome, subs(&log, Sub::ResultDiscarded).len())
}

#[test]
fn tsk_6_what_was_returned_before_the_cancel_was_observed_stands() {
    assert!(matches!(ends(Way::Ok, false), (Outcome::Ok(7), 0)));
    let (Outcome::Err(error), 0) = ends(Way::Err, false) else {
        panic!("an Err stands")
    };
    assert_eq!(error.kind(), Status::IO);
    assert!(matches!(ends(Way::Panic, false), (Outcome::Panicked(_), 0)));
}

#[test]
fn tsk_6_after_the_cancel_was_observed_the_outcome_is_cancelled() {
    let (discarded, events) = ends(Way::Ok, true);
    let reason = cancelled(discarded);
    assert_eq!(
        (reason.kind(), reason.error(), events),
        (CancelKind::User, None, 1)
    );
    let (attached, events) = ends(Way::Err, true);
    let reason = cancelled(attached);
    let status = reason.error().map(Error::kind);
    assert_eq!((status, events), (Some(Status::IO), 0));
    let (Outcome::Panicked(payload), 0) = ends(Way::Panic, true) else {
        panic!("a panic prevails")
    };
    assert_eq!(payload.message(), "loud");
}

#[test]
fn tsk_5_a_running_task_that_returns_finalizes_if_it_has_finalizers() {
    let ((phase, outcome), log) = ok(run(async |cx| {
        let child = cx.spawn(async |cx| {
            cx.defer_task_async(async |cx| {
                cx.sleep(SECOND).await?;
                Ok(())
            })?;
            Ok(7)
        })?;
        turn().await;
        let phase = child.phase();
        Ok((phase, child.join(&cx).await?))
    }));
    assert_eq!(phase, Phase::Finalizing);
    assert!(matches!(outcome, Outcome::Ok(7)));
    assert_eq!(kinds(&log, Kind::FinalizerRun).len(), 1);
}

#[test]
fn tsk_5_a_cancel_while_finalizing_changes_no_outcome() {
    let ((phases, outcome), log) = ok(run(async |cx| {
        let child = cx.spawn(async |cx| {
            cx.defer_task_async(async |cx| {
                for _ in 0..10 {
                    cx.sleep(SECOND / 10).await?;
                }
                Ok(())
            })?;
            Ok(7)
        })?;
        turn().await;
        child.abort();
        let first = child.phase();
        cx.sleep(SECOND / 2).await?;
        Ok(((first, child.phase()), child.join(&cx).await?))
    }));
    assert_eq!(phases, (Phase::Finalizing, Phase::Finalizing));
    assert!(matches!(outcome, Outcome::Ok(7)), "{outcome:?}");
    assert_eq!(kinds(&log, Kind::FinalizerRun).len(), 1);
    assert!(subs(&log, Sub::CancelEscalated).is_empty());
}

/// The cleanup budget is that of the body; each finalizer has one of its own.
#[test]
fn tsk_5_finalizers_of_a_cancelled_task_have_their_own_budget() {
    let ((outcome, ran), log) = ok(run(async |cx| {
        let ran = Arc::new(AtomicU32::new(0));
        let count = ran.clone();
        let child = cx.spawn(async move |cx| {
            for _ in 0..3 {
                let count = count.clone();
                cx.defer_task_async(async move |cx| {
                    cx.sleep(SECOND * 3).await?;
                    count.fetch_add(1, Relaxed);
                    Ok(())
                })?;
            }
            cx.sleep(SECOND * 100).await?;
            Ok(())
        })?;
        turn().await;
        child.abort();
        let outcome = child.join(&cx).await?;
        Ok((outcome, ran.load(Relaxed)))
    }));
    let reason = cancelled(outcome);
    assert!(!reason.escalated(), "{reason}");
    assert_eq!(ran, 3);
    assert!(subs(&log, Sub::CancelEscalated).is_empty());
    assert!(subs(&log, Sub::FinalizerEscalated).is_empty());
}

#[test]
fn tsk_5_the_last_finalizer_escalated_completes_the_task() {
    let (outcome, log) = ok(run(async |cx| {
        let child = cx.spawn(async |cx| {
            cx.defer_task_async(async |_| {
                forever().await;
                Ok(())
            })?;
            Ok(7)
        })?;
        child.join(&cx).await.map_err(Into::into)
    }));
    let reason = cancelled(outcome);
    assert!(reason.escalated());
    assert_eq!(subs(&log, Sub::FinalizerEscalated).len(), 1);
}

#[test]
fn tsk_5_a_cleanup_budget_that_ends_completes_the_task() {
    for observe in [false, true] {
        let (outcome, log) = ok(run(async move |cx| {
            let child = cx.spawn(async move |cx| {
                while !cx.is_cancel_requested() {
                    turn().await;
                }
                if observe {
                    assert!(cx.checkpoint().is_err());
                }
                forever().await;
                Ok(())
            })?;
            turn().await;
            child.abort();
            child.join(&cx).await.map_err(Into::into)
        }));
        assert!(cancelled(outcome).escalated());
        assert_eq!(subs(&log, Sub::CancelEscalated).len(), 1);
    }
}

#[test]
fn tsk_5_a_stronger_request_changes_reason_and_not_the_state() {
    let ((phases, outcome), _) = ok(run(async |cx| {
        let mut phases = Vec::new();
        let mut joined = None;
        let (keep, seen) = (&mut joined, &mut phases);
        let around: Outcome<(), _> = cx
            .region(collect().escalation(Escalation::Soft), async |scope, cx| {
                let child = scope.spawn(async |cx| {
                    while !cx.is_cancel_requested() {
                        turn().await;
                    }
                    let _ = cx.checkpoint();
                    while cx.cancel_reason().map(|r| r.kind()) != Some(CancelKind::ParentCancelled)
                    {
                        turn().await;
                    }
                    Ok(())
                })?;
                turn().await;
                child.abort();
                turn().await;
                seen.push(child.phase());
                scope.handle().cancel_as(CancelKind::Shutdown, "stop");
                seen.push(child.phase());
                cx.mask(1000, async {
                    while !child.is_finished() {
                        turn().await;
                    }
                })
                .await?;
                *keep = Some(child.try_join());
                Ok(())
            })
            .await;
        drop(around);
        let outcome = match joined {
            Some(Ok(outcome)) => outcome,
            other => panic!("{other:?}"),
        };
        Ok((phases, outcome))
    }));
    assert_eq!(phases, [Phase::Cancelling, Phase::Cancelling]);
    // The region's own cancel reaches the task as that of its parent.
    let reason = cancelled(outcome);
    assert_eq!(reason.kind(), CancelKind::ParentCancelled);
    assert_eq!(reason.root().kind(), CancelKind::Shutdown);
}

#[test]
fn tsk_8_a_late_request_is_a_no_op() {
    let (outcome, log) = ok(run(async |cx| {
        let child = cx.spawn(async |_| Ok(7))?;
        turn().await;
        for _ in 0..3 {
            child.abort();
        }
        child.join(&cx).await.map_err(Into::into)
    }));
    assert!(matches!(outcome, Outcome::Ok(7)));
    assert_eq!(subs(&log, Sub::CancelLate).len(), 3);
    assert!(kinds(&log, Kind::CancelRequest).is_empty());
}
