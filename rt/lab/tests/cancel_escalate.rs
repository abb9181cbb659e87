//! When the cleanup budget ends: by mode, inherited, never inside a poll.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Error, Outcome, PanicKind, Time};
use asr_kernel::task::Phase;
use asr_kernel::{Escalation, Policy, RegionConfig};
use asr_lab::{Lab, Reason};
use asr_trace::{Kind, Log, Sub, text_number};
use common::{cancelled, forever, kinds, ok, run, run_with, subs, turn};

const SECOND: Duration = Duration::from_secs(1);

fn collect() -> RegionConfig {
    RegionConfig::new().policy(Policy::CollectAll)
}

/// A child that never ends in a region of a mode that is `above` regions up.
fn stalled(
    mode: Option<Escalation>,
    above: usize,
    observe: bool,
) -> (Outcome<(), Error>, Time, Log) {
    let ((outcome, at), log) = ok(run(async move |cx| {
        let config = match mode {
            Some(mode) => collect().escalation(mode),
            None => collect(),
        };
        let mut regions = vec![cx.open_region(&config)?];
        for at in 0..above {
            let inner = regions[at].open(&collect())?;
            regions.push(inner);
        }
        let inner = regions.last().expect("one at least");
        let child = inner.spawn(async move |cx| {
            while !cx.is_cancel_requested() {
                turn().await;
            }
            if observe {
                let _ = cx.checkpoint();
            }
            forever().await;
            Ok(())
        })?;
        turn().await;
        child.abort();
        let outcome = child.join(&cx).await?;
        Ok((outcome, cx.now()))
    }));
    (outcome, at, log)
}

#[test]
fn can_22_the_mode_is_inherited_and_drop_by_default() {
    for above in 0..=3 {
        for (mode, panics) in [
            (None, false),
            (Some(Escalation::Drop), false),
            (Some(Escalation::Panic), true),
        ] {
            let (outcome, at, _) = stalled(mode, above, true);
            assert_eq!(at, Time::ZERO + SECOND * 5, "{mode:?} {above}");
            match outcome {
                Outcome::Cancelled(reason) => assert!(!panics && reason.escalated()),
                Outcome::Panicked(payload) => {
                    assert!(panics);
                    assert_eq!(payload.kind(), PanicKind::Escalation);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn can_22_a_mode_of_its_own_prevails_over_the_inherited() {
    let (outcome, _) = ok(run(async |cx| {
        let outer = cx.open_region(&collect().escalation(Escalation::Soft))?;
        let middle = outer.open(&collect().escalation(Escalation::Panic))?;
        let inner = middle.open(&collect())?;
        let child = inner.spawn(async |_| {
            forever().await;
            Ok(())
        })?;
        turn().await;
        outer.cancel("stop");
        child.join(&cx).await.map_err(Into::into)
    }));
    assert!(matches!(outcome, Outcome::Panicked(_)), "{outcome:?}");
}

#[test]
fn can_22_soft_waits_without_limit_and_warns_once() {
    for busy in [false, true] {
        let ((outcome, at), log) = ok(run(async move |cx| {
            let region = cx.open_region(&collect().escalation(Escalation::Soft))?;
            let child = region.spawn(async move |cx| {
                let slept = cx.sleep(SECOND * 9).await;
                for _ in 0..10 {
                    // Idle for long, or polled more often than the budget says.
                    cx.mask(u32::MAX, cx.sleep(SECOND)).await??;
                    for _ in 0..if busy { 1000 } else { 0 } {
                        turn().await;
                    }
                }
                Ok(slept?)
            })?;
            turn().await;
            child.abort();
            let outcome = child.join(&cx).await?;
            Ok((outcome, cx.now()))
        }));
        let reason = cancelled(outcome);
        assert!(!reason.escalated());
        assert_eq!(at, Time::ZERO + SECOND * 10);
        assert!(subs(&log, Sub::CancelEscalated).is_empty());
        let warned: Vec<_> = kinds(&log, Kind::CancelEscalate);
        assert_eq!(warned.len(), 1, "busy {busy}");
        assert_eq!(warned[0].b, Escalation::Soft as u64);
    }
}

#[test]
fn can_22_soft_warns_of_a_task_that_is_never_polled_again() {
    let lab = Lab::new(common::lanes());
    let kernel = lab.kernel().clone();
    let failure = lab
        .run(async |cx| {
            let inner: Outcome<(), _> = cx
                .region(collect().escalation(Escalation::Soft), async |scope, _| {
                    let child = scope.spawn(async |_| {
                        forever().await;
                        Ok(())
                    })?;
                    turn().await;
                    child.abort();
                    Ok(())
                })
                .await;
            inner.into_result()
        })
        .expect_err("soft waits for ever");
    assert_eq!(failure.reason, Reason::Deadlock);
    assert_eq!(failure.at, Time::ZERO + SECOND * 5);
    assert_eq!(kernel.stats().escalations.get(), 0);
}

/// That held obligations are aborted is OBL-10's.
#[test]
fn can_23_both_ways_write_what_was_given_up() {
    for observe in [false, true] {
        for mode in [Escalation::Drop, Escalation::Panic] {
            let (outcome, _, log) = stalled(Some(mode), 0, observe);
            let events = subs(&log, Sub::CancelEscalated);
            assert_eq!(events.len(), 1);
            let state = if observe {
                Phase::Cancelling
            } else {
                Phase::CancelRequested
            };
            let event = events[0];
            assert_eq!(event.a, mode as u64 | (state as u64) << 8);
            assert_eq!(event.b, CancelKind::User as u64);
            assert_eq!(event.c, 0);
            match (mode, outcome) {
                (Escalation::Drop, Outcome::Cancelled(reason)) => {
                    assert_eq!(
                        (reason.kind(), reason.escalated()),
                        (CancelKind::User, true)
                    );
                }
                (Escalation::Panic, Outcome::Panicked(payload)) => {
                    assert_eq!(payload.kind(), PanicKind::Escalation);
                }
                (_, other) => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn can_23_the_future_is_dropped_between_polls() {
    struct InPoll(Arc<AtomicU32>);
    impl Drop for InPoll {
        fn drop(&mut self) {
            // Set while the body runs: a drop inside its poll would see it.
            assert_eq!(self.0.swap(2, Relaxed), 0, "dropped inside the poll");
        }
    }
    let (state, log) = ok(run(async |cx| {
        let polling = Arc::new(AtomicU32::new(0));
        let seen = polling.clone();
        let probe = InPoll(polling.clone());
        let child = cx.spawn(async move |_| {
            let probe = probe;
            std::future::poll_fn(move |context| {
                probe.0.store(1, Relaxed);
                context.waker().wake_by_ref();
                probe.0.store(0, Relaxed);
                std::task::Poll::<()>::Pending
            })
            .await;
            Ok(())
        })?;
        turn().await;
        child.abort();
        let outcome = child.join(&cx).await?;
        assert!(cancelled(outcome).escalated());
        Ok(seen.load(Relaxed))
    }));
    assert_eq!(state, 2);
    // It used its 500 polls, in no time.
    assert_eq!(subs(&log, Sub::CancelEscalated)[0].time, Time::ZERO);
}

#[test]
fn can_23_budget_of_zero_polls_drops_at_the_first_boundary() {
    let mut config = common::lanes();
    config.kernel.cleanup.polls = 0;
    let run = run_with(config, async |cx| {
        let polls = Arc::new(AtomicU32::new(0));
        let count = polls.clone();
        let child = cx.spawn(async move |_| {
            std::future::poll_fn(|_| {
                count.fetch_add(1, Relaxed);
                std::task::Poll::<()>::Pending
            })
            .await;
            Ok(())
        })?;
        turn().await;
        child.abort();
        let outcome = child.join(&cx).await?;
        Ok((outcome, polls.load(Relaxed)))
    });
    let ((outcome, polls), _) = ok(run);
    assert!(cancelled(outcome).escalated());
    assert_eq!(polls, 1);
}

/// Which worker polls it, and for how long, the scheduler with more than one worker will say.
#[test]
fn can_24_part_a_task_stuck_in_its_poll_is_reported_and_not_dropped() {
    struct Dropped(Arc<AtomicU32>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Relaxed);
        }
    }
    let lab = Lab::new(common::lanes());
    let kernel = lab.kernel().clone();
    let run = lab
        .run(async move |cx| {
            let dropped = Arc::new(AtomicU32::new(0));
            let (seen, probe) = (dropped.clone(), Dropped(dropped.clone()));
            let inner: Outcome<(), _> = cx
                .region(collect(), async move |scope, cx| {
                    let child = scope.spawn(async move |cx| {
                        let _probe = probe;
                        turn().await;
                        let _ = cx.checkpoint_at(&"into the loop");
                        // A busy loop without a probe, during which somebody else fires timers.
                        let end = kernel.next_deadline().expect("the cleanup budget's");
                        kernel.advance(end);
                        assert_eq!(seen.load(Relaxed), 0, "dropped under its feet");
                        assert_eq!(kernel.regions().len(), 2, "its region lives on");
                        forever().await;
                        Ok(())
                    })?;
                    turn().await;
                    child.abort();
                    // Its next boundary comes: there it is dropped.
                    cx.mask(100, child.join(&cx)).await??.into_result()
                })
                .await;
            let reason = cancelled(inner);
            assert!(reason.escalated());
            Ok(dropped.load(Relaxed))
        })
        .expect("it ends");
    let (dropped, log) = ok(run);
    assert_eq!(dropped, 1);
    let stuck = subs(&log, Sub::StuckInPoll);
    assert_eq!(stuck.len(), 1);
    assert_eq!(stuck[0].c, text_number("into the loop"));
}

#[test]
fn a_cancel_storm_of_100_000_requests_ends_as_one() {
    let mut config = common::lanes();
    config.capture_trace = false;
    let lab = Lab::new(config);
    let kernel = lab.kernel().clone();
    let run = lab
        .run(async |cx| {
            let region = cx.open_region(&collect())?;
            let children: Vec<_> = (0..10)
                .map(|_| region.spawn(async |cx| Ok(cx.sleep(SECOND).await?)))
                .collect::<Result<_, _>>()?;
            turn().await;
            for n in 0..100_000 {
                match n % 3 {
                    0 => region.cancel("storm"),
                    1 => region.cancel_as(CancelKind::Timeout, "storm"),
                    _ => children[n % 10].abort(),
                }
            }
            for child in children {
                let reason = cancelled(child.join(&cx).await?);
                assert_eq!(reason.kind(), CancelKind::ParentCancelled);
                assert_eq!(reason.root().kind(), CancelKind::Timeout);
            }
            assert_eq!(
                cancelled(region.close(&cx).await).kind(),
                CancelKind::Timeout
            );
            Ok(())
        })
        .expect("it ends");
    ok(run);
    assert!(kernel.stats().repeated_cancels.get() > 99_000);
}

/// The clock leaps by years in one step, with deadlines, cleanups and sleeps under way.
#[test]
fn a_leap_of_the_clock_ends_everything_once() {
    let lab = Lab::new(common::lanes());
    let mut lab = lab;
    let root = lab.kernel().root();
    let handle = root
        .spawn(async |cx| {
            let region = cx.open_region(&collect().timeout(SECOND))?;
            let stalled = region.spawn(async |_| {
                forever().await;
                Ok(())
            })?;
            let sleeper = cx.spawn(async |cx| Ok(cx.sleep(SECOND * 100).await?))?;
            let outcome = stalled.join(&cx).await?;
            drop(region.close(&cx).await);
            sleeper.join(&cx).await?.into_result()?;
            Ok(outcome)
        })
        .expect("open");
    for _ in 0..10 {
        lab.step();
    }
    lab.advance_to(Time::ZERO + SECOND * 100_000_000);
    lab.step_until(|_| handle.is_finished()).expect("it ends");
    let outcome = handle.try_join().ok().and_then(Outcome::ok);
    assert!(cancelled(outcome.expect("main ended Ok")).escalated());
}
