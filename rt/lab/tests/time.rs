//! Virtual time and determinism.

#[path = "common/scenarios.rs"]
mod scenarios;

use std::time::Duration;

use asr_base::{Outcome, Time};
use asr_lab::{Lab, LabConfig, Reason};

const YEAR: u64 = 365 * 24 * 3600;

#[test]
fn lab_2_ten_years_cost_nothing() {
    let run = Lab::new(LabConfig::default())
        .run(async |cx| {
            cx.sleep(Duration::from_secs(10 * YEAR)).await?;
            Ok(cx.now())
        })
        .expect("it ends");
    let Outcome::Ok(at) = run.outcome else {
        panic!("{:?}", run.outcome)
    };
    assert_eq!(at, Time::from_nanos(10 * YEAR * 1_000_000_000));
    assert!(run.steps < 10);
}

fn busy(seed: u64) -> asr_lab::Run<Vec<u32>> {
    let run = Lab::new(LabConfig::seed(seed)).run(async |cx| scenarios::order(cx, 8).await);
    run.expect("it ends")
}

#[test]
fn lab_1_equal_seed_equal_trace() {
    for seed in 0..20 {
        let (one, two) = (busy(seed), busy(seed));
        assert_eq!(one.trace, two.trace);
        assert_eq!(one.choices, two.choices);
        assert!(!one.trace.events.is_empty());
    }
    let first = busy(0).outcome.ok();
    assert!((1..20).any(|seed| busy(seed).outcome.ok() != first));
}

#[test]
fn lab_6_endless_work_hits_the_step_limit() {
    let failure = Lab::new(LabConfig::default())
        .run(async |cx| {
            loop {
                cx.yield_now().await?;
                if false {
                    return Ok(());
                }
            }
        })
        .expect_err("it never ends");
    assert_eq!(failure.reason, Reason::StepLimit);
    assert_eq!(failure.live.len(), 1);
}

/// A foreign waker that panics costs nobody else a timer.
#[test]
fn lab_3_a_waker_that_panics_leaves_the_other_timers() {
    struct Panics;
    impl std::task::Wake for Panics {
        fn wake(self: std::sync::Arc<Self>) {
            panic!("planted: a foreign waker");
        }
    }
    let run = Lab::new(LabConfig::default())
        .run(async |cx| {
            let second = Duration::from_secs(1);
            let waker = std::task::Waker::from(std::sync::Arc::new(Panics));
            let mut foreign = std::pin::pin!(cx.sleep(second));
            let first = foreign
                .as_mut()
                .poll(&mut std::task::Context::from_waker(&waker));
            assert!(first.is_pending());
            cx.sleep(second).await?;
            Ok(cx.now())
        })
        .expect("it ends");
    assert!(matches!(run.outcome, Outcome::Ok(at) if at == Time::from_nanos(1_000_000_000)));
}
