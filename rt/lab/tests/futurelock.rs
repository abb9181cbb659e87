//! Futurelocks: a task that holds something and waits for what never comes.

use asr_base::Failure;
use asr_kernel::Cx;
use asr_kernel::obligation::{AbortCause, Kind};
use asr_lab::{Lab, LabConfig, Reason};
use asr_trace::{Event, Sub};

/// A child takes a permit and waits; the main task goes on for so many steps, then aborts it.
async fn held(cx: Cx, turns: u32) -> Result<(), Failure> {
    let holder = cx.spawn(async |cx| {
        let _permit = cx.reserve_raw(Kind::SEND_PERMIT, None)?;
        cx.sleep(std::time::Duration::from_secs(1 << 30)).await?;
        Ok(())
    })?;
    for _ in 0..turns {
        cx.yield_now().await?;
    }
    holder.abort();
    let _ = holder.join(&cx).await?;
    Ok(())
}

fn config(limit: u64, panics: bool) -> LabConfig {
    let mut config = LabConfig::default();
    config.futurelock_max_idle_steps = limit;
    config.panic_on_futurelock = panics;
    config.kernel.leak_response = asr_kernel::obligation::LeakResponse::Recover;
    config
}

fn detected(events: &[Event]) -> Vec<Event> {
    let found = events
        .iter()
        .filter(|event| event.sub == Sub::FuturelockDetected);
    found.copied().collect()
}

#[test]
fn lab_13_a_futurelock_is_an_event() {
    let run = Lab::new(config(50, false)).run(async |cx| held(cx, 200).await);
    let found = detected(&run.expect("it ends").trace.events);
    assert_eq!(found.len(), 1, "once, until the next poll");
    let event = found[0];
    assert!(event.task.is_some() && event.region.is_some());
    assert_eq!(
        (event.a, event.b),
        (1, 51),
        "one obligation, the first step beyond the limit"
    );
}

#[test]
fn lab_13_a_futurelock_fails_the_run_when_so_configured() {
    let failure = Lab::new(config(50, true))
        .run(async |cx| held(cx, 200).await)
        .expect_err("it is detected");
    let Reason::Futurelock(task, 1, 51) = failure.reason else {
        panic!("{failure}")
    };
    assert!(failure.live.iter().any(|live| live.id == task));
    assert!(failure.to_string().contains("futurelock"));
}

#[test]
fn obl_19_no_futurelock_within_the_limit_or_with_nothing_held() {
    let run = Lab::new(config(50, true)).run(async |cx| held(cx, 20).await);
    assert!(detected(&run.expect("within the limit").trace.events).is_empty());
    let run = Lab::new(config(50, true)).run(async |cx| {
        let idle = cx.spawn(async |cx| {
            let permit = cx.reserve_raw(Kind::SEND_PERMIT, None)?;
            let _ = cx.abort_raw(permit, AbortCause::Verb);
            cx.sleep(std::time::Duration::from_secs(1)).await?;
            Ok(())
        })?;
        for _ in 0..200 {
            cx.yield_now().await?;
        }
        idle.join(&cx).await?.into_result()?;
        Ok(())
    });
    assert!(run.is_ok(), "nothing is held");
}
