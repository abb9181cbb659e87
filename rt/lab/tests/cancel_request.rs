//! Requests: idempotent, merging, spreading downwards only.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Origin, Outcome, Status};
use asr_kernel::{Cx, OpenRegion, Policy, RegionConfig};
use asr_lab::{Lab, LabConfig};
use asr_trace::{Kind, Resource};
use common::{cancelled, kinds, ok, run, run_with, turn};
use parking_lot::Mutex;

const SECOND: Duration = Duration::from_secs(1);

fn collect() -> RegionConfig {
    RegionConfig::new().policy(Policy::CollectAll)
}

#[test]
fn can_1_a_thousand_equal_requests_are_one() {
    let lab = Lab::new(common::lanes());
    let kernel = lab.kernel().clone();
    let run = lab
        .run(async |cx| {
            let region = cx.open_region(&collect())?;
            let child = region.spawn(async |cx| Ok(cx.sleep(SECOND * 100).await?))?;
            turn().await;
            for _ in 0..1000 {
                region.cancel("stop");
            }
            let other = region.close(&cx);
            let (outcome, closed) = (child.join(&cx).await?, other.await);
            assert_eq!(cancelled(closed).kind(), CancelKind::User);
            for task in [cx.spawn(async |_| Ok(()))?] {
                for _ in 0..1000 {
                    task.abort();
                }
            }
            Ok(outcome)
        })
        .expect("it ends");
    let (outcome, log) = ok(run);
    let reason = cancelled(outcome);
    assert_eq!(reason.kind(), CancelKind::ParentCancelled);
    assert_eq!(reason.root().message(), "stop");
    // One for the region, one for its task, one for the task that is aborted.
    assert_eq!(kinds(&log, Kind::CancelRequest).len(), 3);
    assert_eq!(kinds(&log, Kind::CancelObserve).len(), 1);
    assert_eq!(kernel.stats().repeated_cancels.get(), 2 * 999);
}

/// A handle names the region of its task, for it does not know who uses it; a context names its
/// task.
#[test]
fn val_13_an_abort_names_who_aborts() {
    ok(run(async |cx| {
        let region = cx.open_region(&collect())?;
        for known in [false, true] {
            let child = region.spawn(async |cx| Ok(cx.sleep(SECOND).await?))?;
            let origin = match known {
                false => Origin::Region(region.id()),
                true => Origin::Task(cx.task_id()),
            };
            match known {
                false => child.abort(),
                true => child.abort_by(&cx),
            }
            let reason = cancelled(child.join(&cx).await?);
            assert_eq!((reason.kind(), reason.origin()), (CancelKind::User, origin));
        }
        drop(region.close(&cx).await);
        Ok(())
    }));
}

/// What a task has after two requests, in a state.
fn merged(state: u32, first: CancelKind, second: CancelKind) -> (CancelKind, u32, Duration) {
    let (seen, _) = ok(run(async move |cx| {
        let region = cx.open_region(&collect())?;
        let seen = Arc::new(Mutex::new(None));
        let keep = seen.clone();
        let look = move |cx: &Cx| {
            let budget = cx.budget();
            let kind = cx.cancel_reason().expect("pending").root().kind();
            *keep.lock() = Some((kind, budget.polls, budget.deadline.since(cx.now())));
        };
        let early = state == 0;
        let child = region.spawn(async move |cx| {
            // Running until the request comes.
            while !cx.is_cancel_requested() {
                turn().await;
            }
            if state == 2 {
                assert!(cx.checkpoint().is_err());
            }
            if state == 3 {
                cx.defer_task_async(async move |cx| {
                    cx.sleep(SECOND / 100).await?;
                    look(&cx);
                    Ok(())
                })?;
                return Ok(());
            }
            cx.mask(100, cx.sleep(SECOND / 100)).await??;
            look(&cx);
            Ok(())
        })?;
        if !early {
            turn().await;
        }
        region.cancel_as(first, "one");
        if state > 1 {
            turn().await;
        }
        region.cancel_as(second, "two");
        let outcome = child.join(&cx).await?;
        let seen = *seen.lock();
        let reason = match &outcome {
            Outcome::Cancelled(reason) => Some(reason.root().kind()),
            _ => None,
        };
        drop(region.close(&cx).await);
        Ok((seen, reason))
    }));
    match seen {
        (Some(seen), _) => seen,
        // It never ran: its outcome alone says what it was asked.
        (None, reason) => (reason.expect("cancelled"), 0, Duration::ZERO),
    }
}

#[test]
fn can_2_requests_merge_in_every_state() {
    let pairs = [
        (CancelKind::User, CancelKind::Shutdown),
        (CancelKind::FailFast, CancelKind::Exhausted),
        (CancelKind::Timeout, CancelKind::RaceLost),
    ];
    // Created, CancelRequested, Cancelling, Finalizing.
    for state in 0..4 {
        for (one, two) in pairs {
            let forwards = merged(state, one, two);
            assert_eq!(forwards, merged(state, two, one), "state {state}");
            if state != 3 {
                assert_eq!(forwards.0, one.max(two), "state {state}");
            }
        }
    }
}

#[test]
fn can_3_a_request_reaches_all_below_and_nobody_else() {
    let ((ids, untouched), log) = ok(run(async |cx| {
        let (left, right) = (cx.open_region(&collect())?, cx.open_region(&collect())?);
        // Regions and tasks by turns, so that spawn order is more than "tasks first".
        let mut ids = vec![left.id().to_bits()];
        let mut deep = Vec::new();
        let mut below = Vec::new();
        for n in 0..6 {
            if n % 2 == 0 {
                let inner = left.open(&collect())?;
                ids.push(inner.id().to_bits());
                let task = inner.spawn(async |cx| Ok(cx.sleep(SECOND * 9).await?))?;
                deep.push(task.id().to_bits());
                below.push(inner);
            } else {
                let task = left.spawn(async |cx| Ok(cx.sleep(SECOND * 9).await?))?;
                ids.push(task.id().to_bits());
            }
        }
        ids.extend(deep);
        let other = right.spawn(async |cx| Ok(cx.sleep(SECOND).await?))?;
        turn().await;
        left.cancel("enough");
        let untouched = matches!(other.join(&cx).await?, Outcome::Ok(()));
        drop(below);
        drop(left.close(&cx).await);
        assert!(matches!(right.close(&cx).await, Outcome::Ok(())));
        Ok((ids, untouched && !cx.is_cancel_requested()))
    }));
    assert!(untouched);
    // Later ones are of the regions that are left to themselves.
    let mut asked = kinds(&log, Kind::CancelRequest);
    asked.truncate(ids.len());
    let order: Vec<u64> = asked
        .iter()
        .map(
            |event| match event.objects.iter().next().expect("a target").resource {
                Resource::Task(task) => task.to_bits(),
                Resource::Region(region) => region.to_bits(),
                other => panic!("{other:?}"),
            },
        )
        .collect();
    assert_eq!(order, ids);
    let kinds: Vec<u64> = asked.iter().map(|event| event.a).collect();
    assert_eq!(kinds[0], CancelKind::User as u64);
    assert!(
        kinds[1..]
            .iter()
            .all(|&kind| kind == CancelKind::ParentCancelled as u64)
    );
}

/// A tree of 100 000 tasks in regions up to 500 deep: one request, one turn of the scheduler.
#[test]
fn can_4_a_hundred_thousand_descendants_need_no_stack_and_one_turn() {
    let mut config = common::lanes();
    config.max_steps = 1_000_000;
    config.capture_trace = false;
    let lab = Lab::new(config);
    let asked = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(move || {
            let (asked, _) = ok(lab
                .run(async |cx| {
                    let asked = Arc::new(AtomicU32::new(0));
                    let mut regions: Vec<OpenRegion> = vec![cx.open_region(&collect())?];
                    for depth in 0..500 {
                        let inner = regions[depth].open(&collect())?;
                        regions.push(inner);
                    }
                    for region in &regions[..500] {
                        for _ in 0..200 {
                            let asked = asked.clone();
                            let _ = region.spawn(async move |cx| {
                                let slept = cx.sleep(SECOND).await;
                                asked.fetch_add(u32::from(slept.is_err()), Relaxed);
                                Ok(slept?)
                            })?;
                        }
                    }
                    // Started, and waiting.
                    cx.sleep(SECOND / 2).await?;
                    regions[0].cancel("all of you");
                    // Before anybody else has run, all were asked.
                    let pending = regions.iter().all(|region| region.region().has_cancel());
                    assert!(pending);
                    let top = regions.remove(0);
                    drop(regions);
                    drop(top.close(&cx).await);
                    Ok(asked.load(Relaxed))
                })
                .expect("it ends"));
            asked
        })
        .expect("a thread")
        .join()
        .expect("no overflow");
    assert_eq!(asked, 100_000);
}

#[test]
fn can_5_after_the_request_no_body_runs() {
    for seed in 0..300 {
        let (late, _) = ok(run_with(LabConfig::seed(seed), async |cx| {
            let region = Arc::new(cx.open_region(&collect())?);
            let complete = Arc::new(AtomicU32::new(0));
            let late = Arc::new(AtomicU32::new(0));
            let (by, done) = (region.clone(), complete.clone());
            let canceller = cx.spawn(async move |cx| {
                cx.yield_now().await?;
                by.cancel("stop");
                done.store(1, Relaxed);
                Ok(())
            })?;
            let (into, count) = (region.clone(), late.clone());
            let spawner = cx.spawn(async move |cx| {
                for _ in 0..10 {
                    let (count, complete) = (count.clone(), complete.clone());
                    let _ = into.spawn(async move |_| {
                        count.fetch_add(complete.load(Relaxed), Relaxed);
                        Ok(())
                    })?;
                    cx.yield_now().await?;
                }
                Ok(())
            })?;
            canceller.join(&cx).await?.into_result()?;
            spawner.join(&cx).await?.into_result()?;
            drop(region.close(&cx).await);
            Ok(late.load(Relaxed))
        }));
        assert_eq!(late, 0, "seed {seed}");
    }
}

#[test]
fn can_8_cancelling_takes_the_handle_of_the_region_or_of_one_above() {
    let (kinds, _) = ok(run(async |cx| {
        let outer = cx.open_region(&collect())?;
        let inner = outer.open(&collect())?;
        let beside = cx.open_region(&collect())?;
        // With the handle of one region neither that around it nor that beside it is cancelled.
        let denied = |result: Result<(), asr_base::Error>| result.map_err(|error| error.kind());
        let refused = Err(Status::CAP_DENIED);
        assert_eq!(denied(inner.cancel_below(outer.id(), "up")), refused);
        assert_eq!(denied(inner.cancel_below(beside.id(), "aside")), refused);
        assert_eq!(denied(inner.cancel_below(cx.region_id(), "up")), refused);
        assert!(!outer.region().has_cancel() && !beside.region().has_cancel());
        // From above it is.
        outer.cancel_below(inner.id(), "down")?;
        assert!(inner.region().has_cancel() && !outer.region().has_cancel());
        let ended = inner.close(&cx).await;
        drop(outer.close(&cx).await);
        let gone = outer
            .cancel_below(inner.id(), "late")
            .map_err(|error| error.kind());
        drop(inner);
        drop((ended, beside));
        Ok(gone)
    }));
    // Its record is still held: late, and no error.
    assert_eq!(kinds, Ok(()));
}

#[test]
fn can_8_a_cancelled_child_leaves_its_siblings_alone() {
    let ((outcome, lived), _) = ok(run(async |cx| {
        let lived = Arc::new(AtomicU32::new(0));
        let count = lived.clone();
        let outcome = cx
            .region(RegionConfig::new(), async move |scope, cx| {
                let _ = scope.spawn(async move |cx| {
                    cx.sleep(SECOND * 2).await?;
                    count.store(1, Relaxed);
                    Ok(())
                })?;
                let child = scope.spawn(async |cx| Ok(cx.sleep(SECOND * 9).await?))?;
                cx.sleep(SECOND).await?;
                child.abort();
                let joined = child.join(&cx).await?;
                assert_eq!(cancelled(joined).kind(), CancelKind::User);
                Ok(())
            })
            .await;
        Ok((outcome, lived.load(Relaxed)))
    }));
    // The region reports it upwards; the sibling ended by itself.
    assert_eq!(lived, 1);
    assert_eq!(cancelled(outcome).kind(), CancelKind::User);
}
