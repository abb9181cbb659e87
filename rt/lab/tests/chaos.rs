//! Chaos by chance and at chosen points.

use std::time::Duration;

use asr_base::{Failure, Outcome};
use asr_kernel::obligation::LeakResponse;
use asr_kernel::{Cx, Policy, RegionConfig, Spawn};
use asr_lab::{CancelPoint, Chaos, Counts, Lab, LabConfig, Rate, Reason, for_each_cancel_point};
use asr_trace::Kind;

/// Children that sleep, yield and join, in a region that takes their ends as they come.
async fn busy(cx: Cx) -> Result<(), Failure> {
    for _ in 0..4 {
        let config = RegionConfig::new().policy(Policy::CollectAll);
        let outcome = cx
            .region(config, async |scope, cx| {
                for _ in 0..4 {
                    drop(scope.spawn(async |cx| {
                        for _ in 0..4 {
                            cx.sleep(Duration::from_millis(3)).await?;
                            cx.yield_now().await?;
                        }
                        Ok(())
                    })?);
                }
                cx.yield_now().await?;
                Ok(())
            })
            .await;
        drop(outcome);
    }
    Ok(())
}

fn config(seed: u64, chaos: Chaos) -> LabConfig {
    let mut config = LabConfig::seed(seed);
    config.kernel.leak_response = LeakResponse::Recover;
    config.chaos = Some(chaos);
    config
}

#[test]
fn lab_4_chaos_that_never_strikes_changes_no_trace() {
    for seed in 0..20 {
        let plain = Lab::new(LabConfig::seed(seed)).run(busy).expect("it ends");
        let chaos = Lab::new(config(seed, Chaos::OFF))
            .run(busy)
            .expect("it ends");
        assert_eq!(plain.trace, chaos.trace);
        assert_eq!(plain.choices, chaos.choices);
        assert!(chaos.chaos.points > 100);
        assert_eq!(chaos.chaos.struck, [0; 6]);
    }
}

/// Each kind alone, at every point: it is counted, it is in the trace, the run ends quiescent, and
/// no oracle objects.
#[test]
fn lab_9_part_each_kind_alone_at_every_point() {
    for kind in 0..6 {
        let mut chaos = Chaos::OFF;
        let rates: [&mut Rate; 6] = [
            &mut chaos.cancel,
            &mut chaos.delay,
            &mut chaos.exhaust,
            &mut chaos.wake_storm,
            &mut chaos.panic,
            &mut chaos.leak,
        ];
        *rates.into_iter().nth(kind).expect("six kinds") = Rate::ONE;
        let mut config = config(7, chaos);
        if kind == 3 {
            config.max_steps = 2000;
        }
        let run = Lab::new(config).run(busy);
        if kind == 3 {
            // Somebody is always woken, so time never goes on; that is seen, and nothing breaks.
            let failure = run.expect_err("no moment is idle");
            assert_eq!(failure.reason, Reason::StepLimit);
            let trace = &failure.evidence.trace;
            assert!(
                trace
                    .iter()
                    .any(|event| event.kind == Kind::Chaos && event.a == 3)
            );
            continue;
        }
        let run = run.unwrap_or_else(|failure| panic!("kind {kind}: {failure}"));
        let counts = run.chaos;
        for other in 0..6 {
            assert_eq!(
                counts.struck[other] > 0,
                other == kind,
                "kind {kind} {counts:?}"
            );
        }
        let written = run.trace.iter().filter(|event| event.kind == Kind::Chaos);
        assert_eq!(written.count() as u64, counts.struck[kind]);
        let asked = run
            .trace
            .iter()
            .any(|event| event.kind == Kind::CancelRequest);
        match (kind, &run.outcome) {
            (0 | 2, _) if asked => {}
            (4, Outcome::Panicked(_)) => {}
            (1, Outcome::Ok(())) | (5, _) => {}
            (_, other) => panic!("kind {kind}: {other:?}"),
        }
    }
}

#[test]
fn lab_10_the_presets_strike_as_often_as_they_say() {
    for (chaos, rate) in [(Chaos::OFF, 0), (Chaos::LIGHT, 1), (Chaos::HEAVY, 10)] {
        let mut all = Counts::default();
        let mut seed = 0;
        while all.points < 100_000 {
            let mut config = config(seed, chaos);
            config.capture_trace = false;
            config.oracles = false;
            let lab = Lab::new(config);
            let run = lab.run(busy);
            let counts = run.map(|run| run.chaos).expect("it ends");
            all.points += counts.points;
            for (sum, struck) in all.struck.iter_mut().zip(counts.struck) {
                *sum += struck;
            }
            seed += 1;
        }
        for (kind, &struck) in all.struck.iter().enumerate() {
            let expected = all.points * rate / 100;
            if kind == 1 {
                // Delays come before polls only; how many of the points these are is the program's.
                assert!(struck <= expected * 12 / 10);
                continue;
            }
            let (low, high) = (expected * 8 / 10, expected * 12 / 10);
            assert!(
                (low..=high).contains(&struck),
                "kind {kind}: {struck}, not {expected}"
            );
        }
    }
}

#[test]
fn lab_9_part_chaos_is_repeatable_and_breaks_no_rule() {
    for seed in 0..200 {
        let chaos = if seed % 2 == 0 {
            Chaos::LIGHT
        } else {
            Chaos::HEAVY
        };
        let run = || Lab::new(config(seed, chaos)).run(busy);
        let one = run().unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
        let two = run().expect("as before");
        assert_eq!(one.trace, two.trace);
        assert_eq!(one.chaos, two.chaos);
    }
}

#[test]
fn lab_11_a_cancel_at_every_point_of_a_scenario() {
    let scenario = || {
        async |cx: Cx| {
            cx.set_name("main");
            let child = cx.spawn_with(Spawn::new().name("child"), async |cx: Cx| {
                for _ in 0..5 {
                    cx.checkpoint()?;
                }
                Ok(3)
            })?;
            let ended = child.join(&cx).await?;
            Ok(matches!(ended, Outcome::Cancelled(_)))
        }
    };
    let mut runs = Vec::new();
    let mut cancelled = 0;
    let points = for_each_cancel_point(&LabConfig::default(), scenario, |point, run| {
        let run = run.expect("a cancel is no failure");
        runs.push(point.clone());
        assert_eq!(run.chaos.struck[0], 1, "{point:?}");
        match (point.task.as_str(), run.outcome) {
            // The cancel came at this very point, and the child ended there.
            ("child", Outcome::Ok(true)) => cancelled += 1,
            ("main", Outcome::Cancelled(_)) => {}
            (task, other) => panic!("{task}: {other:?}"),
        }
    });
    let points = points.expect("undisturbed it ends");
    assert_eq!(runs, points, "one run per point, in order");
    assert_eq!(cancelled, 5);
    let of = |name: &str| points.iter().filter(|point| point.task == name).count();
    assert_eq!(of("child"), 5);
    assert_eq!(of("child") + of("main"), points.len());
    let first = CancelPoint {
        task: "child".into(),
        number: 1,
    };
    assert_eq!(points[0], first);
}
