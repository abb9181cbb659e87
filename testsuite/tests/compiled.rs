//! Compiled tasks in the lab: the same kernel and rows, in virtual time, disturbed at every point.

#[path = "../../rt/tests/machines/mod.rs"]
mod machines;

use std::sync::Mutex;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use asr_base::{Failure, Outcome};
use asr_kernel::compiled;
use asr_kernel::{Cx, Escalation, RegionConfig, Spawn};
use asr_lab::{Chaos, Lab, LabConfig, Rate, for_each_cancel_point};
use machines::*;

const SECOND: u64 = 1_000_000_000;

/// Those that count `CLEANED`, and look at memory, run one by one.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs a test alone; no frame is left after it.
fn alone(test: impl FnOnce()) {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    test();
    compiled::give_back_here();
    assert_eq!(compiled::frame_memory(), (0, 0));
}

/// Some of each kind of task, joined; what they gave, 0 for one that did not end well.
async fn some(cx: Cx) -> Result<Vec<u64>, Failure> {
    let frames = [
        root(sleeper, SIZE, &[SECOND, 5]),
        root(outer, SIZE_2, &[2 * SECOND, 6]),
        root(outer_heap, SIZE, &[SECOND, 7]),
        root(family, SIZE_2, &[4, SECOND]),
        root(spinner, SIZE, &[10, 0]),
    ];
    let region = cx.open_region(&RegionConfig::new())?;
    let mut tasks = Vec::new();
    for (at, frame) in frames.into_iter().enumerate() {
        let named = Spawn::new().name(format!("task {at}"));
        match region.spawn_compiled(frame, named) {
            Ok(task) => tasks.push(task),
            Err(refused) => drop(refused),
        }
    }
    let mut got = Vec::new();
    for task in tasks {
        let joined = task.join(&cx).await;
        got.push(match joined {
            Ok(Outcome::Ok(word)) => word,
            _ => 0,
        });
    }
    drop(region.close(&cx).await);
    Ok(got)
}

#[test]
fn abi_28_abi_46_a_cancel_at_every_point_leaves_nothing() {
    alone(|| {
        let mut config = LabConfig::seed(1);
        config.oracles = true;
        let whole = [5, 7, 8, 6, 10];
        let run = Lab::new(config.clone()).run(some).expect("undisturbed");
        assert_eq!(run.outcome, Outcome::Ok(whole.to_vec()));
        let mut hit = 0;
        let points = for_each_cancel_point(
            &config,
            || some,
            |point, run| {
                let run = run.unwrap_or_else(|failure| panic!("{point:?}: {failure}"));
                if let Outcome::Ok(got) = run.outcome {
                    hit += u64::from(got != whole);
                }
            },
        );
        let points = points.expect("undisturbed");
        let of_compiled = points
            .iter()
            .filter(|point| point.task.starts_with("task "));
        let of_compiled = of_compiled.count();
        // At least: each wait twice, each step of the loop, each join.
        assert!(of_compiled >= 2 * 3 + 10 + 4, "{points:?}");
        assert!(hit >= of_compiled as u64 / 2, "{hit} of {of_compiled}");
    });
}

#[test]
fn abi_26_abi_28_chaos_leaves_nothing() {
    alone(|| {
        for seed in 0..100 {
            let mut config = LabConfig::seed(seed);
            let mut chaos = Chaos::all(Rate(50_000));
            chaos.leak = Rate(0);
            // The timer of a poll that is put off outlives the run, and keeps the record.
            chaos.delay = Rate(0);
            config.chaos = Some(chaos);
            Lab::new(config)
                .run(some)
                .unwrap_or_else(|failure| panic!("seed {seed}: {failure}"));
            compiled::give_back_here();
            assert_eq!(compiled::frame_memory(), (0, 0), "seed {seed}");
        }
    });
}

#[test]
fn abi_28_dropped_at_every_moment_memory_is_as_before() {
    alone(|| {
        for ms in [0, 1, 500, 1000, 1001, 1999, 2000, 2001] {
            let cleaned = CLEANED.load(Relaxed);
            let mut config = LabConfig::seed(ms);
            config.kernel.cleanup.polls = 0;
            let run = Lab::new(config).run(move |cx| async move {
                let mode = RegionConfig::new().escalation(Escalation::Drop);
                let region = cx.open_region(&mode)?;
                for frame in [
                    root(sleeper, SIZE, &[SECOND, 5]),
                    root(outer, SIZE_2, &[2 * SECOND, 6]),
                    root(outer_heap, SIZE, &[SECOND, 7]),
                    root(family, SIZE_2, &[4, SECOND]),
                ] {
                    drop(region.spawn_compiled(frame, Spawn::new())?);
                }
                cx.sleep(Duration::from_millis(ms)).await?;
                region.cancel("no polls for cleanup");
                drop(region.close(&cx).await);
                Ok(())
            });
            run.unwrap_or_else(|failure| panic!("{ms} ms: {failure}"));
            if ms > 0 && ms < 1000 {
                assert_eq!(CLEANED.load(Relaxed), cleaned, "{ms} ms: no cleanup ran");
            }
        }
    });
}
