//! Tokens and the ends of tasks and regions: every way out resolves what is held.

mod tokens;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;

use asr_base::{Duration, Failure, Outcome, TaskId};
use asr_kernel::obligation::{AbortCause, HolderId, Kind, LeakResponse, Obligation};
use asr_kernel::sched::Local;
use asr_kernel::{Cx, Escalation, Kernel, Policy, RegionConfig, RegionHandle};
use tokens::{Pool, Slot, config, four, local, reports};

/// How the task ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// It returns at its next checkpoint.
    Returns,
    /// It ignores the cancel until its future is dropped.
    Dropped,
    /// It panics.
    Panics,
}

/// One typed and one raw token of each kind. The raw ones check that their task is not terminal
/// when they are aborted.
fn one_of_each(
    cx: &Cx,
    kernel: &Arc<Kernel>,
    pool: &Arc<Pool>,
    late: &Arc<AtomicBool>,
) -> Result<Vec<Obligation<Slot>>, asr_base::Error> {
    let task: TaskId = cx.task_id();
    let mut held = Vec::new();
    for &kind in Kind::BUILTIN {
        held.push(cx.reserve(pool.take(kind)?)?);
        let (abort, kernel, late) = (pool.take_raw(), kernel.clone(), late.clone());
        let abort = Box::new(move |cause| {
            let completed = asr_kernel::task::Phase::Completed;
            if kernel.task(task).map_or(completed, |task| task.phase()) == completed {
                late.store(true, Relaxed);
            }
            abort(cause);
        });
        cx.reserve_raw(kind, Some(abort))?;
    }
    Ok(held)
}

async fn hold(cx: &Cx, region: RegionHandle, at: u32, way: Way) -> Result<(), asr_base::Failure> {
    let masked = async {
        for poll in 0..6 {
            if poll == at {
                region.cancel("now");
                assert!(way != Way::Panics, "with tokens");
            }
            let yielded = cx.yield_now().await;
            if way == Way::Returns {
                yielded?;
            }
            if way == Way::Dropped && poll >= at {
                std::future::pending::<()>().await;
            }
        }
        Ok::<(), asr_base::Failure>(())
    };
    // The first half of the polls is under a mask.
    cx.mask(3, masked).await??;
    Ok(())
}

#[test]
fn obl_9_every_way_out_aborts_before_the_task_is_terminal() {
    for records in [false, true] {
        for way in [Way::Returns, Way::Dropped, Way::Panics] {
            for at in 0..6 {
                let mut config = config(LeakResponse::Panic, records);
                config.cleanup.duration = Duration::from_millis(5);
                let local = Local::new(config);
                let kernel = local.kernel().clone();
                let reports = reports(&kernel);
                let pool = Pool::new(100);
                let late = Arc::new(AtomicBool::new(false));
                let inside = (kernel.clone(), pool.clone(), late.clone());
                let outcome = local.run(async move |cx| {
                    let config = RegionConfig::new().escalation(Escalation::Drop);
                    let region = cx.open_region(&config)?;
                    let own = RegionHandle::clone(&region);
                    let task = region.spawn(async move |cx| {
                        let (kernel, pool, late) = inside;
                        let held = one_of_each(&cx, &kernel, &pool, &late)?;
                        hold(&cx, own, at, way).await?;
                        drop(held);
                        Ok(())
                    })?;
                    let ended = task.join(&cx).await?;
                    let _ = region.close(&cx).await;
                    Ok(matches!(ended, Outcome::Panicked(_)))
                });
                let panics = way == Way::Panics;
                assert!(
                    matches!(outcome, Outcome::Ok(p) if p == panics),
                    "{outcome:?}"
                );
                assert!(!late.load(Relaxed), "aborted after the end");
                assert_eq!(pool.free(), 100);
                assert_eq!(pool.aborts(), [AbortCause::Unwound; 22], "{way:?} at {at}");
                for &kind in Kind::BUILTIN {
                    assert_eq!(four(&kernel, kind), [2, 0, 2, 0]);
                }
                assert_eq!(kernel.obligations().recorded(), 0);
                assert_eq!(kernel.stats().leaks.get(), 0);
                assert!(reports.lock().unwrap().is_empty());
            }
        }
    }
}

/// One token of each kind forgotten in a region: what the reports say, by who forgets.
fn forgotten(records: bool, raw: bool) {
    let local = local(LeakResponse::Log, records);
    let kernel = local.kernel().clone();
    let reports = reports(&kernel);
    let pool = Pool::new(11);
    let slots = pool.clone();
    let outcome = local.run(async move |cx| {
        let region = cx.open_region(&RegionConfig::new())?;
        // The pool is that of the region: its close is the end of all slots.
        let owner = slots.clone();
        region.defer_sync(move || {
            owner.reset(11);
            Ok(())
        })?;
        let task = region.spawn(async move |cx| {
            for &kind in Kind::BUILTIN {
                match raw {
                    true => drop(cx.reserve_raw(kind, Some(slots.take_raw()))?),
                    false => std::mem::forget(cx.reserve(slots.take(kind)?)?),
                }
            }
            Ok(cx.task_id())
        })?;
        let task = task.join(&cx).await?.into_result()?;
        let id = region.id();
        region.close(&cx).await.into_result()?;
        Ok((task, id))
    });
    let Outcome::Ok((task, region)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(pool.free(), 11, "no capacity is missing after the close");
    let reports = reports.lock().unwrap();
    assert_eq!(reports.len(), 11);
    assert_eq!(kernel.stats().leaks.get(), 11);
    for (report, &kind) in reports.iter().zip(Kind::BUILTIN) {
        assert_eq!((report.kind, report.count), (kind, 1));
        assert_eq!(report.class, AbortCause::Forgotten);
        assert_eq!(report.region, region);
        let recorded = records || raw;
        assert_eq!(report.id.is_some(), recorded);
        assert_eq!(report.age.is_some(), recorded);
        assert_eq!(report.place.is_some(), recorded);
        let holder = match recorded {
            true => HolderId::Task(task),
            false => HolderId::Region(region),
        };
        assert_eq!(report.holder, holder);
        assert_eq!(four(&kernel, kind), [1, 0, 1, 0]);
    }
}

/// What is left of the Check: the capacity of a primitive of the library, and the C interface.
#[test]
fn obl_33_part_three_forms_of_report() {
    forgotten(false, false);
    forgotten(true, false);
    forgotten(false, true);
}

#[test]
fn obl_33_forgotten_tokens_without_record_are_reported_by_count() {
    let local = local(LeakResponse::Panic, false);
    let kernel = local.kernel().clone();
    let reports = reports(&kernel);
    let outcome = local.run(async |cx| {
        let region = cx.open_region(&RegionConfig::new())?;
        let task = region.spawn(async |cx| {
            let pool = Pool::new(9);
            for _ in 0..5 {
                std::mem::forget(cx.reserve(pool.take(Kind::LEASE)?)?);
            }
            Ok(())
        })?;
        task.join(&cx).await?.into_result()?;
        Ok(region.close(&cx).await)
    });
    let Outcome::Ok(Outcome::Panicked(payload)) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(payload.kind(), asr_base::PanicKind::Leak);
    assert_eq!(reports.lock().unwrap().len(), 1);
    assert_eq!(reports.lock().unwrap()[0].count, 5);
    assert_eq!(kernel.stats().leaks.get(), 5);
    assert_eq!(four(&kernel, Kind::LEASE), [5, 0, 5, 0]);
}

/// A token that outlives its region, because it was moved and not transferred.
#[test]
fn obl_2_a_late_token_is_given_up_once() {
    for records in [false, true] {
        for commit in [false, true] {
            let local = local(LeakResponse::Log, records);
            let kernel = local.kernel().clone();
            let pool = Pool::new(1);
            let slots = pool.clone();
            let outcome = local.run(async move |cx| {
                let region = cx.open_region(&RegionConfig::new())?;
                let task =
                    region.spawn(async move |cx| Ok(cx.reserve(slots.take(Kind::REPLY)?)?))?;
                let token = task.join(&cx).await?.into_result()?;
                region.close(&cx).await.into_result()?;
                // Its slot goes to another region, whose marking stays its own.
                drop(region);
                let other = cx.open_region(&RegionConfig::new())?;
                match commit {
                    true => {
                        let refused = token.commit(5).unwrap_err();
                        assert_eq!(refused.status, asr_base::Status::ALREADY_RESOLVED);
                        assert_eq!(refused.value, 5);
                    }
                    false => drop(token),
                }
                assert_eq!(other.region().marking(), Default::default());
                other.close(&cx).await.into_result()?;
                Ok(())
            });
            assert!(outcome.is_ok(), "{outcome:?}");
            assert_eq!(pool.free(), 1);
            assert_eq!(pool.aborts(), [AbortCause::Late]);
            assert_eq!(four(&kernel, Kind::REPLY), [1, 0, 1, 0]);
            assert_eq!(kernel.stats().leaks.get(), 1);
        }
    }
}

/// Has a token that its region holds, and ends so many polls after it was cancelled.
async fn shares(cx: Cx, pool: Arc<Pool>, polls: Option<u32>) -> Result<(), Failure> {
    let token = cx.reserve(pool.take(Kind::LEASE)?)?;
    let _held = token.transfer(&cx.spawner()).ok();
    let Some(polls) = polls else { return Ok(()) };
    while !cx.is_cancel_requested() {
        let _ = cx.yield_now().await;
    }
    for _ in 0..polls {
        let _ = cx.checkpoint();
        let mut first = true;
        poll_fn(|context| {
            context.waker().wake_by_ref();
            match std::mem::take(&mut first) {
                true => Poll::Pending,
                false => Poll::Ready(()),
            }
        })
        .await;
    }
    Ok(cx.checkpoint()?)
}

/// Whoever drops a token that its region holds says why: a task on the way out of a cancel unwinds
/// it, and one that was not cancelled leaks it, in the same scope as well.
#[test]
fn obl_10_a_token_held_by_a_region_goes_with_who_drops_it() {
    for polls in [None, Some(0), Some(1), Some(3)] {
        for fiber in [false, true] {
            let local = local(LeakResponse::Silent, true);
            let pool = Pool::new(2);
            let slots = pool.clone();
            let outcome = local.run(async move |cx| {
                let config = RegionConfig::new().policy(Policy::CollectAll);
                let region = cx.region(config, async |scope, cx| {
                    let first = slots.clone();
                    let handle = match fiber {
                        true => scope.fiber(async move |cx| shares(cx, first, polls).await)?,
                        false => scope.spawn(async move |cx| shares(cx, first, polls).await)?,
                    };
                    cx.yield_now().await?;
                    if polls.is_some() {
                        handle.abort();
                    }
                    while !handle.is_finished() {
                        cx.yield_now().await?;
                    }
                    shares(cx, slots, None).await
                });
                let _: Outcome<(), _> = region.await;
                Ok(())
            });
            assert!(outcome.is_ok(), "{outcome:?}");
            let first = match polls {
                Some(_) => AbortCause::Unwound,
                None => AbortCause::Dropped,
            };
            assert_eq!(pool.aborts(), [first, AbortCause::Dropped], "{polls:?}");
        }
    }
}
