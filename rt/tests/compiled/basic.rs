//! They start, suspend, resume, await, spawn, join, and end.

use asr_rt::{Outcome, Spawn};

use crate::machines::*;
use crate::runtimes::{Runtime, done};

const MS: u64 = 1_000_000;

#[test]
fn abi_27_a_task_is_driven_to_its_end() {
    for runtime in Runtime::each() {
        let sum = runtime.run(async |cx| {
            let frames = [
                root(sleeper, SIZE, &[MS, 40]),
                root(sleeper, SIZE, &[0, 2]),
                root(outer, SIZE_2, &[MS, 100]),
                root(outer_heap, SIZE, &[MS, 200]),
                root(outer_heap, SIZE, &[0, 300]),
                root(family, SIZE_2, &[8, MS]),
                root(spinner, SIZE, &[1000, 0]),
            ];
            let mut sum = 0;
            let mut tasks = Vec::new();
            for frame in frames {
                tasks.push(cx.spawn_compiled(frame, Spawn::new())?);
            }
            for task in tasks {
                sum += task.join(&cx).await?.into_result()?;
            }
            Ok(sum)
        });
        assert_eq!(done(sum), 40 + 2 + 101 + 201 + 301 + 28 + 1000);
        assert!(runtime.kernel().is_closed());
    }
}

#[test]
fn can_5_a_task_cancelled_before_its_start_never_runs() {
    for runtime in Runtime::each() {
        let outcome = runtime.run(async |cx| {
            let region = cx.open_region(&asr_rt::RegionConfig::new())?;
            region.cancel("before");
            match region.spawn_compiled(root(sleeper, SIZE, &[0, 0]), Spawn::new()) {
                Ok(task) => assert!(!task.join(&cx).await?.is_ok()),
                Err(refused) => drop(refused),
            }
            drop(region.close(&cx).await);
            Ok(())
        });
        assert!(matches!(outcome, Outcome::Ok(())));
    }
}
