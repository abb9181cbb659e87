//! Losers whose finalizers take longer than one cleanup budget: each has one of its own.

use asr_base::{Error, Outcome};
use asr_kernel::{Cx, Escalation, RegionConfig};
use asr_sync::combine::{race, timeout};
use asr_trace::Sub;

use crate::branches::{second, secs};
use crate::common::{ok, run, subs};

/// Waits, and has four finalizers of 2 s: together longer than the cleanup of a task may take.
async fn slow_end(cx: Cx) -> Result<u32, asr_base::Failure> {
    for _ in 0..4 {
        cx.defer_task_async(async |cx| Ok(cx.sleep(second(2)).await?))?;
    }
    cx.sleep(second(100)).await?;
    Ok(0)
}

#[test]
fn cmb_8_long_finalizers_of_a_loser_do_not_escalate_the_race() {
    for mode in [Escalation::Drop, Escalation::Panic, Escalation::Soft] {
        let (_, log) = ok(run(async move |cx| {
            let around = RegionConfig::new().escalation(mode);
            let won = cx
                .region(around, async |_, cx| {
                    let quick = async |cx: Cx| Ok(cx.sleep(second(1)).await.map(|()| 7)?);
                    race(&cx, slow_end, quick).await.into_result()
                })
                .await;
            assert_eq!(won, Outcome::Ok(7));
            assert_eq!(cx.now(), secs(9));
            Ok(())
        }));
        assert_eq!(subs(&log, Sub::CancelEscalated), [], "{mode:?}");
    }
}

#[test]
fn cmb_10_long_finalizers_do_not_escalate_the_timeout() {
    for mode in [Escalation::Drop, Escalation::Panic, Escalation::Soft] {
        let (_, log) = ok(run(async move |cx| {
            let around = RegionConfig::new().escalation(mode);
            let late: Outcome<_, Error> = cx
                .region(around, async |_, cx| {
                    timeout(&cx, second(1), slow_end).await.into_result()
                })
                .await;
            assert!(matches!(late, Outcome::Err(_)), "{late:?}");
            assert_eq!(cx.now(), secs(9));
            Ok(())
        }));
        assert_eq!(subs(&log, Sub::CancelEscalated), [], "{mode:?}");
    }
}
