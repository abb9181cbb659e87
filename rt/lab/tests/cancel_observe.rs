//! Checkpoints: what they observe, and what else is one.

mod common;

use std::time::Duration;

use asr_base::{Budget, CancelKind, Outcome};
use asr_kernel::task::Phase;
use asr_kernel::{Escalation, JoinHandle, Spawn};
use asr_trace::{Event, Kind, Sub, text_number};
use common::{cancelled, cancelled_in, kinds, ok, run, run_with, subs, turn};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn can_6_every_checkpoint_after_the_cancel_says_so() {
    let (count, log) = cancelled_in(Escalation::Drop, async |cx| {
        (0..5).filter(|_| cx.checkpoint().is_err()).count()
    });
    assert_eq!(count, Some(5));
    assert_eq!(kinds(&log, Kind::CancelObserve).len(), 1);
    // Operations that wait are cancel points as well.
    let (all, _) = cancelled_in(Escalation::Drop, async |cx| {
        let mut refused = 0;
        for _ in 0..5 {
            refused += u32::from(cx.sleep(SECOND).await.is_err());
            refused += u32::from(cx.yield_now().await.is_err());
        }
        (refused, cx.now())
    });
    assert_eq!(all, Some((10, asr_base::Time::ZERO)));
}

#[test]
fn can_7_a_task_that_swallows_its_cancel_is_reported_once() {
    let swallow = |times: u32| {
        cancelled_in(Escalation::Drop, async move |cx| {
            let _ = cx.checkpoint_at(&"first");
            for _ in 0..times {
                let _ = cx.checkpoint_at(&"deaf");
            }
        })
        .1
    };
    // The first checkpoint observes; eight more may pass.
    assert!(subs(&swallow(8), Sub::CancelSwallowed).is_empty());
    for times in [9, 10, 100] {
        let events = subs(&swallow(times), Sub::CancelSwallowed);
        let [Event { a: 9, b, .. }] = events[..] else {
            panic!("{times}: {events:?}")
        };
        assert_eq!(b, text_number("deaf"));
    }
    // Under masks nothing is swallowed.
    let (_, log) = cancelled_in(Escalation::Drop, async |cx| {
        assert!(cx.checkpoint().is_err());
        for _ in 0..20 {
            assert!(cx.mask_sync(|| cx.checkpoint()).expect("depth 1").is_ok());
        }
    });
    assert!(subs(&log, Sub::CancelSwallowed).is_empty());
}

#[test]
fn can_7_no_limit_means_no_report() {
    let mut config = common::lanes();
    config.kernel.swallow_limit = u32::MAX;
    let run = run_with(config, async |cx| {
        let child = cx.spawn(async |cx| {
            turn().await;
            for _ in 0..100 {
                let _ = cx.checkpoint();
            }
            Ok(())
        })?;
        turn().await;
        child.abort();
        drop(child.join(&cx).await?);
        Ok(())
    });
    assert!(subs(&ok(run).1, Sub::CancelSwallowed).is_empty());
}

/// The disassembly of the checkpoint in compiled code is ABI-4's; here its effects are counted.
#[test]
fn can_11_a_checkpoint_moves_the_state_once_and_keeps_its_message() {
    let (seen, log) = cancelled_in(Escalation::Drop, async |cx| {
        let task = cx.task_id();
        let masked = cx
            .mask_sync(|| cx.checkpoint_at(&"masked"))
            .expect("depth 1");
        let unmasked = cx.checkpoint_at(&"open");
        (task, masked.is_ok(), unmasked.is_err())
    });
    let (task, masked, unmasked) = seen.expect("it ran");
    assert!(masked && unmasked);
    let observed = kinds(&log, Kind::CancelObserve);
    assert_eq!(observed.len(), 1);
    assert_eq!(observed[0].task, Some(task));
    let messages: Vec<u64> = kinds(&log, Kind::Checkpoint).iter().map(|e| e.b).collect();
    assert_eq!(messages, ["masked", "open"].map(text_number));
    // Nothing pending: no change, and OK.
    let (kept, log) = ok(run(async |cx| {
        let child: JoinHandle<()> = cx.spawn(async |cx| {
            for _ in 0..100 {
                cx.checkpoint()?;
            }
            cx.checkpoint_at(&"last")?;
            turn().await;
            Ok(())
        })?;
        let id = child.id();
        turn().await;
        drop(child.join(&cx).await?);
        Ok(id)
    }));
    let of_child = |event: &&Event| event.task == Some(kept);
    let changes = [Kind::CancelObserve, Kind::Checkpoint]
        .map(|kind| kinds(&log, kind).iter().filter(of_child).count());
    assert_eq!(changes, [0, 1]);
}

#[test]
fn can_12_asking_for_a_cancel_changes_nothing() {
    let (seen, log) = ok(run(async |cx| {
        let child = cx.spawn(async |cx| {
            assert!(!cx.is_cancel_requested());
            turn().await;
            let mut seen = Vec::new();
            for _ in 0..20 {
                seen.push(cx.is_cancel_requested());
            }
            seen.push(cx.mask_sync(|| cx.is_cancel_requested()).expect("depth 1"));
            cx.mask(10, cx.sleep(SECOND)).await??;
            seen.push(cx.is_cancel_requested());
            Ok(seen)
        })?;
        turn().await;
        child.abort();
        turn().await;
        // It has asked 21 times, and waits in its mask.
        let phase = child.phase();
        let outcome = child.join(&cx).await?;
        Ok((phase, outcome))
    }));
    let (phase, outcome) = seen;
    assert_eq!(phase, Phase::CancelRequested);
    let Outcome::Ok(seen) = outcome else {
        panic!("never observed: {outcome:?}")
    };
    assert_eq!(seen, [true; 22]);
    assert!(kinds(&log, Kind::CancelObserve).is_empty());
}

/// Receiving from a channel comes with channels.
#[test]
fn can_14_part_what_could_complete_is_refused_when_a_cancel_is_pending() {
    let (seen, _) = cancelled_in(Escalation::Drop, async |cx| {
        let now = cx.now();
        let child = cx.spawner();
        let sleep = cx.sleep_until(now).await;
        (sleep.is_err(), child.id() == cx.region_id())
    });
    assert_eq!(seen, Some((true, true)));
    // A join whose child is done, and a cancel at the same poll: the outcome stays with the region.
    let (outcome, _) = ok(run(async |cx| {
        let joiner = cx.spawn(async |cx| {
            let done = cx.spawn(async |_| Ok(7))?;
            while !(done.is_finished() && cx.is_cancel_requested()) {
                turn().await;
            }
            let joined = done.join(&cx).await;
            assert!(joined.is_err(), "{joined:?}");
            Ok(())
        })?;
        for _ in 0..4 {
            turn().await;
        }
        joiner.abort();
        joiner.join(&cx).await.map_err(Into::into)
    }));
    assert_eq!(cancelled(outcome).kind(), CancelKind::User);
}

#[test]
fn can_13_part_a_cancelled_sleep_leaves_no_timer() {
    let lab = asr_lab::Lab::new(common::lanes());
    let kernel = lab.kernel().clone();
    let run = lab
        .run(async move |cx| {
            for polls in 0..3 {
                let child = cx.spawn(async |cx| Ok(cx.sleep(SECOND).await?))?;
                for _ in 0..polls {
                    turn().await;
                }
                child.abort();
                cancelled(child.join(&cx).await?);
                assert_eq!(kernel.next_deadline(), None, "after {polls} polls");
            }
            Ok(())
        })
        .expect("it ends");
    ok(run);
}

#[test]
fn budget_of_zero_polls_never_starts() {
    let (outcome, log) = ok(run(async |cx| {
        let options = Spawn::new().budget(Budget::UNLIMITED.with_polls(0));
        let child = cx.spawn_with(options, async |_| Ok(()))?;
        let id = child.id();
        let outcome = child.join(&cx).await?;
        Ok((outcome, id))
    }));
    assert_eq!(cancelled(outcome.0).kind(), CancelKind::Exhausted);
    let started = kinds(&log, Kind::TaskStart);
    assert!(started.iter().all(|event| event.task != Some(outcome.1)));
}
