//! One branch against the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Error, Outcome, Status, Time};
use asr_kernel::Cx;
use asr_lab::LabConfig;
use asr_sync::combine::timeout;
use asr_trace::Sub;

use crate::branches::{Seen, second, secs};
use crate::common::{ok, run, run_with, subs, turn};

#[track_caller]
fn timed_out<T: std::fmt::Debug>(outcome: Outcome<T, Error>) {
    let Outcome::Err(error) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(error.kind(), Status::TIMED_OUT);
}

#[test]
fn cmb_10_the_sleep_wins() {
    ok(run(async |cx| {
        let seen = Seen::new();
        let slow = async |cx| seen.branch(cx, second(9), second(1), ()).await;
        timed_out(timeout(&cx, second(2), slow).await);
        // Cancelled at 2 s, and waited for.
        assert_eq!((seen.live(), cx.now()), (0, secs(3)));
        assert_eq!(*seen.kinds.lock(), [CancelKind::Timeout]);
        Ok(())
    }));
}

#[test]
fn cmb_10_with_no_time_the_branch_is_polled_once() {
    ok(run(async |cx| {
        let ready = timeout(&cx, Duration::ZERO, async |_| Ok(1)).await;
        assert_eq!(ready, Outcome::Ok(1));
        let polled = Arc::new(AtomicU32::new(0));
        let count = polled.clone();
        let pending = timeout(&cx, Duration::ZERO, async move |cx: Cx| {
            loop {
                if cx.is_cancel_requested() {
                    cx.checkpoint()?;
                }
                count.fetch_add(1, Relaxed);
                turn().await;
            }
        });
        let pending: Outcome<(), Error> = pending.await;
        timed_out(pending);
        assert_eq!((polled.load(Relaxed), cx.now()), (1, Time::ZERO));
        Ok(())
    }));
}

/// The branch ends just before, at, and just after the time.
#[test]
fn cmb_10_of_equals_the_branch_wins() {
    for seed in 0..50 {
        for (takes, wins) in [(999, true), (1000, true), (1001, false)] {
            ok(run_with(LabConfig::seed(seed), async move |cx| {
                let takes = Duration::from_nanos(takes);
                let branch = async |cx: Cx| Ok(cx.sleep(takes).await?);
                let outcome = timeout(&cx, Duration::from_nanos(1000), branch).await;
                match wins {
                    true => assert_eq!(outcome, Outcome::Ok(())),
                    false => timed_out(outcome),
                }
                assert_eq!(
                    cx.now(),
                    Time::ZERO.saturating_add(takes.min(Duration::from_nanos(1000)))
                );
                Ok(())
            }));
        }
    }
}

#[test]
fn cmb_10_a_time_that_cannot_be_counted_never_comes() {
    ok(run(async |cx| {
        cx.sleep(second(1)).await?;
        let year = second(365 * 86_400);
        let branch = async |cx: Cx| Ok(cx.sleep(year).await?);
        let outcome = timeout(&cx, Duration::MAX, branch).await;
        assert_eq!(outcome, Outcome::Ok(()));
        assert_eq!(cx.now(), secs(1).saturating_add(year));
        Ok(())
    }));
}

/// What a branch gives that did not see its cancel is dropped; the result is that of the clock.
#[test]
fn cmb_9_a_value_that_comes_too_late_is_reported() {
    let ((), log) = ok(run(async |cx| {
        let branch = async |cx: Cx| Ok(cx.mask(9, cx.sleep(second(2))).await??);
        timed_out(timeout(&cx, second(1), branch).await);
        assert_eq!(cx.now(), secs(2));
        Ok(())
    }));
    assert_eq!(subs(&log, Sub::RaceDiscarded).len(), 1);
}
