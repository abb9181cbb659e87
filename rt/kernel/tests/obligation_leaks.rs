//! How leaks are classified, and what is done about them.

mod tokens;

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::Poll;

use asr_base::{Failure, PanicKind};
use asr_kernel::obligation::{AbortCause, Escalate, HolderId, Kind, LeakResponse};
use asr_kernel::sched::Local;
use asr_kernel::{Cx, JoinHandle, RegionConfig};
use tokens::{Pool, config, four, local, reports};

/// Runs `body` as a task of a region of its own: the outcomes of task and region.
async fn task_in_region<F, Fut>(cx: &Cx, body: F) -> Result<(Outcome<()>, Outcome<()>), Failure>
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let region = cx.open_region(&RegionConfig::new())?;
    let task = region.spawn(body)?.join(cx).await?;
    Ok((task, region.close(cx).await))
}

type Outcome<T> = asr_base::Outcome<T, asr_base::Error>;

#[test]
fn obl_10_unwound_is_no_leak() {
    for records in [false, true] {
        let local = local(LeakResponse::Panic, records);
        let kernel = local.kernel().clone();
        let reports = reports(&kernel);
        let pool = Pool::new(3);
        let slots = pool.clone();
        let outcome = local.run(async move |cx| {
            let taken = slots.clone();
            let panicking = cx.spawn(async move |cx| {
                let _token = cx.reserve(taken.take(Kind::LEASE)?)?;
                cx.reserve_raw(Kind::LEASE, Some(taken.take_raw()))?;
                if cx.is_cancel_requested() {
                    return Ok(());
                }
                panic!("with a token")
            })?;
            assert!(matches!(panicking.join(&cx).await?, Outcome::Panicked(_)));
            let cancelled = cx.spawn(async move |cx| {
                let _token = cx.reserve(slots.take(Kind::LEASE)?)?;
                cx.reserve_raw(Kind::LEASE, Some(slots.take_raw()))?;
                loop {
                    cx.yield_now().await?;
                }
            })?;
            cx.yield_now().await?;
            cancelled.abort();
            let outcome: Outcome<()> = cancelled.join(&cx).await?;
            assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
            Ok(())
        });
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(pool.aborts(), [AbortCause::Unwound; 4]);
        assert_eq!(pool.free(), 3);
        assert_eq!(four(&kernel, Kind::LEASE), [4, 0, 4, 0]);
        assert_eq!(kernel.stats().leaks.get(), 0);
        assert!(reports.lock().unwrap().is_empty());
    }
}

#[test]
fn obl_10_dropped_is_a_leak() {
    for records in [false, true] {
        let local = local(LeakResponse::Log, records);
        let kernel = local.kernel().clone();
        let reports = reports(&kernel);
        let pool = Pool::new(1);
        let slots = pool.clone();
        let outcome = local.run(async move |cx| {
            drop(cx.reserve(slots.take(Kind::POOL_SLOT)?)?);
            Ok(())
        });
        assert!(outcome.is_ok(), "{outcome:?}");
        assert_eq!(pool.aborts(), [AbortCause::Dropped]);
        assert_eq!(pool.free(), 1);
        assert_eq!(kernel.stats().leaks.get(), 1);
        let reports = reports.lock().unwrap();
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].class, AbortCause::Dropped);
        assert_eq!(reports[0].id.is_some(), records);
    }
}

#[test]
fn obl_10_forgotten_is_a_leak() {
    let local = local(LeakResponse::Log, true);
    let kernel = local.kernel().clone();
    let reports = reports(&kernel);
    let pool = Pool::new(2);
    let slots = pool.clone();
    let outcome = local.run(async move |cx| {
        let forgetting = cx.spawn(async move |cx| {
            std::mem::forget(cx.reserve(slots.take(Kind::REPLY)?)?);
            cx.reserve_raw(Kind::REPLY, Some(slots.take_raw()))?;
            Ok(())
        })?;
        forgetting.join(&cx).await?.into_result()?;
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(pool.aborts(), [AbortCause::Forgotten], "the raw one");
    assert_eq!(four(&kernel, Kind::REPLY), [2, 0, 2, 0]);
    assert_eq!(kernel.obligations().recorded(), 0);
    assert_eq!(kernel.stats().leaks.get(), 2);
    let classes: Vec<_> = reports.lock().unwrap().iter().map(|r| r.class).collect();
    assert_eq!(classes, [AbortCause::Forgotten; 2]);
}

#[test]
fn obl_11_every_response_aborts_and_the_region_closes() {
    for response in [
        LeakResponse::Silent,
        LeakResponse::Log,
        LeakResponse::Recover,
        LeakResponse::Panic,
    ] {
        for forget in [false, true] {
            let local = local(response, true);
            let kernel = local.kernel().clone();
            let reports = reports(&kernel);
            let repaired = Arc::new(AtomicU64::new(0));
            let repairs = repaired.clone();
            let repair = Box::new(move |_: &_| {
                repairs.fetch_add(1, Relaxed);
            });
            kernel
                .obligations()
                .set_repair(Kind::POOL_SLOT, repair)
                .unwrap();
            let pool = Pool::new(1);
            let slots = pool.clone();
            let outcome = local.run(async move |cx| {
                task_in_region(&cx, async move |cx| {
                    match forget {
                        true => drop(cx.reserve_raw(Kind::POOL_SLOT, Some(slots.take_raw()))?),
                        false => drop(cx.reserve(slots.take(Kind::POOL_SLOT)?)?),
                    }
                    cx.yield_now().await?;
                    Ok(())
                })
                .await
            });
            let Outcome::Ok((task, region)) = outcome else {
                panic!("{outcome:?}")
            };
            let panics = response == LeakResponse::Panic;
            for outcome in [task, region] {
                match outcome {
                    Outcome::Ok(()) => assert!(!panics),
                    Outcome::Panicked(payload) if panics => {
                        assert_eq!(payload.kind(), PanicKind::Leak);
                        assert!(payload.task().is_some());
                    }
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(four(&kernel, Kind::POOL_SLOT), [1, 0, 1, 0]);
            assert_eq!(pool.free(), 1, "the implicit resolution ran");
            assert_eq!(pool.aborts().len(), 1);
            assert_eq!(kernel.stats().leaks.get(), 1);
            let logged = u64::from(response >= LeakResponse::Log);
            assert_eq!(reports.lock().unwrap().len() as u64, logged);
            let recovers = u64::from(response == LeakResponse::Recover);
            assert_eq!(repaired.load(Relaxed), recovers);
            assert_eq!(kernel.stats().leaks_repaired.get(), recovers);
        }
    }
}

/// Implicit resolution, sink and repair are code of users: a panic of theirs ends with them.
#[test]
fn obl_11_repairs_are_contained() {
    let local = local(LeakResponse::Recover, true);
    let kernel = local.kernel().clone();
    let registry = kernel.obligations();
    registry
        .set_leak_sink(Box::new(|_| panic!("in the sink")))
        .unwrap();
    registry
        .set_repair(Kind::LEASE, Box::new(|_| panic!("in the repair")))
        .unwrap();
    let outcome = local.run(async |cx| {
        cx.reserve_raw(Kind::LEASE, Some(Box::new(|_| panic!("in the abort"))))?;
        cx.reserve_raw(Kind::ACK, Some(Box::new(|_| panic!("in the abort"))))?;
        cx.reserve_raw(Kind::REPLY, None)?;
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(four(&kernel, Kind::LEASE), [1, 0, 1, 0]);
    assert_eq!(four(&kernel, Kind::ACK), [1, 0, 1, 0]);
    assert_eq!(kernel.stats().leaks.get(), 3);
    assert_eq!(kernel.stats().leaks_repaired.get(), 1, "that of the reply");
}

#[test]
fn obl_13_escalation_by_threshold() {
    const LEAKS: usize = 5;
    for (threshold, first_strong) in [(0, 1), (1, 1), (3, 3)] {
        for (base, stronger) in [
            (LeakResponse::Silent, LeakResponse::Log),
            (LeakResponse::Silent, LeakResponse::Recover),
            (LeakResponse::Log, LeakResponse::Recover),
            (LeakResponse::Recover, LeakResponse::Panic),
            (LeakResponse::Recover, LeakResponse::Log),
        ] {
            let mut config = config(base, true);
            config.leak_escalation = Some(Escalate {
                threshold,
                response: stronger,
            });
            let local = Local::new(config);
            let kernel = local.kernel().clone();
            let reports = reports(&kernel);
            let pool = Pool::new(1);
            let outcome = local.run(async move |cx| {
                let mut panicked = Vec::new();
                for _ in 0..LEAKS {
                    let slots = pool.clone();
                    let task = cx.spawn(async move |cx| {
                        drop(cx.reserve(slots.take(Kind::LEASE)?)?);
                        Ok(())
                    })?;
                    panicked.push(matches!(task.join(&cx).await?, Outcome::Panicked(_)));
                }
                Ok(panicked)
            });
            let Outcome::Ok(panicked) = outcome else {
                panic!("{outcome:?}")
            };
            let with = |response: LeakResponse, n: usize| {
                let strong = n + 1 >= first_strong;
                base.max(if strong { stronger } else { base }) >= response
            };
            let count = |response| (0..LEAKS).filter(|&n| with(response, n)).count();
            let expected: Vec<_> = (0..LEAKS).map(|n| with(LeakResponse::Panic, n)).collect();
            assert_eq!(panicked, expected, "{base:?} {stronger:?} {threshold}");
            assert_eq!(reports.lock().unwrap().len(), count(LeakResponse::Log));
            let repaired = count(LeakResponse::Recover) - count(LeakResponse::Panic);
            assert_eq!(kernel.stats().leaks_repaired.get(), repaired as u64);
            assert_eq!(kernel.stats().leaks.get(), LEAKS as u64);
        }
    }
}

/// The unwinding of a task drops the future of a region, one of whose fibers forgot a token.
#[test]
fn obl_14_a_leak_while_the_thread_unwinds_is_logged_only() {
    let local = local(LeakResponse::Panic, true);
    let kernel = local.kernel().clone();
    let reports = reports(&kernel);
    let fiber = Arc::new(Mutex::new(None));
    let seen = fiber.clone();
    let outcome = local.run(async move |cx| {
        let panicking = cx.spawn(async move |cx| {
            let region = cx.region(RegionConfig::new(), async move |scope, cx| {
                let fiber = scope.fiber(async |cx| {
                    cx.reserve_raw(Kind::ACK, None)?;
                    std::mem::forget(cx.reserve(Pool::new(1).take(Kind::LEASE)?)?);
                    loop {
                        cx.yield_now().await?;
                    }
                })?;
                *seen.lock().unwrap() = Some(fiber);
                loop {
                    cx.yield_now().await?;
                }
            });
            let mut region = Box::pin(region);
            let mut polls = 0;
            poll_fn(|context| {
                let polled: Poll<Outcome<()>> = region.as_mut().poll(context);
                assert!(polled.is_pending());
                polls += 1;
                if polls == 3 {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            panic!("with a region")
        })?;
        let outcome: Outcome<()> = panicking.join(&cx).await?;
        assert!(matches!(outcome, Outcome::Panicked(_)), "{outcome:?}");
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    let fiber: JoinHandle<()> = fiber.lock().unwrap().take().expect("it was started");
    match fiber.try_join() {
        Ok(Outcome::Cancelled(_)) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(kernel.stats().leaks.get(), 1, "the raw one was unwound");
    assert_eq!(reports.lock().unwrap().len(), 1);
    assert_eq!(reports.lock().unwrap()[0].class, AbortCause::Forgotten);
    assert_eq!(four(&kernel, Kind::LEASE), [1, 0, 1, 0]);
}

#[test]
fn obl_15_a_leak_of_the_sink_is_counted_once() {
    for response in [
        LeakResponse::Log,
        LeakResponse::Recover,
        LeakResponse::Panic,
    ] {
        let local = local(response, true);
        let kernel = local.kernel().clone();
        let calls = Arc::new(AtomicU64::new(0));
        let pool = Pool::new(2);
        let leaking = Arc::new(Mutex::new(None));
        let (count, hidden) = (calls.clone(), leaking.clone());
        let sink = Box::new(move |_: &_| {
            count.fetch_add(1, Relaxed);
            drop(hidden.lock().unwrap().take());
        });
        kernel.obligations().set_leak_sink(sink).unwrap();
        let slots = pool.clone();
        let outcome = local.run(async move |cx| {
            let task = cx.spawn(async move |cx| {
                let first = cx.reserve(slots.take(Kind::LEASE)?)?;
                *leaking.lock().unwrap() = Some(cx.reserve(slots.take(Kind::ACK)?)?);
                drop(first);
                Ok(())
            })?;
            Ok(matches!(task.join(&cx).await?, Outcome::Panicked(_)))
        });
        let panics = response == LeakResponse::Panic;
        assert!(matches!(outcome, Outcome::Ok(panicked) if panicked == panics));
        assert_eq!(calls.load(Relaxed), 1, "not reported recursively");
        assert_eq!(kernel.stats().leaks.get(), 2, "both are counted");
        assert_eq!(pool.free(), 2);
        assert_eq!(four(&kernel, Kind::ACK), [1, 0, 1, 0]);
    }
}

#[test]
fn obl_16_what_a_report_holds() {
    let local = local(LeakResponse::Log, true);
    let kernel = local.kernel().clone();
    let reports = reports(&kernel);
    let outcome = local.run(async |cx| {
        let pool = Pool::new(3);
        let token = cx.reserve(pool.take(Kind::NAME_LEASE)?)?;
        let (typed, line) = (token.id(), line!() - 1);
        cx.sleep(std::time::Duration::from_millis(2)).await?;
        drop(token);
        let raw = cx.reserve_raw(Kind::ACK, None)?;
        Ok((typed, raw, line, cx.task_id(), cx.region_id()))
    });
    let Outcome::Ok((typed, raw, line, task, region)) = outcome else {
        panic!("{outcome:?}")
    };
    let reports = reports.lock().unwrap();
    let [dropped, forgotten] = &reports[..] else {
        panic!("{reports:?}")
    };
    assert_eq!(
        (dropped.kind, &*dropped.name),
        (Kind::NAME_LEASE, "NameLease")
    );
    assert_eq!((dropped.id, dropped.count), (typed, 1));
    assert_eq!(
        (dropped.holder, dropped.region),
        (HolderId::Task(task), region)
    );
    assert!(dropped.age.unwrap() >= std::time::Duration::from_millis(2));
    assert_eq!(dropped.class, AbortCause::Dropped);
    assert_eq!(dropped.place.unwrap().line(), line);
    assert!(
        dropped
            .place
            .unwrap()
            .file()
            .ends_with("obligation_leaks.rs")
    );
    assert_eq!((forgotten.kind, forgotten.id), (Kind::ACK, Some(raw)));
    assert_eq!(forgotten.class, AbortCause::Forgotten);
    assert!(forgotten.age.is_some() && forgotten.place.is_some());
    let text = dropped.to_string();
    assert!(
        text.contains("NameLease") && text.contains("dropped"),
        "{text}"
    );
}
