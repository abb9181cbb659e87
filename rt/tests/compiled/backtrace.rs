//! Where compiled tasks are.

use asr_kernel::compiled::{Doing, TaskTrace};
use asr_rt::{Duration, Spawn};

use crate::machines::*;
use crate::runtimes::{Runtime, alone, done};

const LONG: u64 = 3_600_000_000_000;

fn text(traces: &[TaskTrace]) -> String {
    traces.iter().map(ToString::to_string).collect()
}

#[test]
fn abi_46_part_the_frames_of_each_task_are_named() {
    let _alone = alone();
    for runtime in Runtime::each() {
        let kernel = runtime.kernel().clone();
        let outcome = runtime.run(async move |cx| {
            let named = Spawn::new().name("the outer");
            let tasks = [
                cx.spawn_compiled(root(outer, SIZE_2, &[LONG, 0]), named)?,
                cx.spawn_compiled(root(outer_heap, SIZE, &[LONG, 0]), Spawn::new())?,
            ];
            while kernel
                .async_backtraces()
                .iter()
                .any(|task| task.doing != Doing::Suspended)
            {
                cx.sleep(Duration::from_millis(1)).await?;
            }
            let traces = kernel.async_backtraces();
            // Tasks that were looked at still wait, and are woken.
            for task in tasks {
                task.abort();
                assert!(!task.join(&cx).await?.is_ok());
            }
            assert!(kernel.async_backtraces().is_empty());
            Ok(traces)
        });
        let traces = done(outcome);
        let lines: Vec<_> = traces
            .iter()
            .flat_map(|task| task.frames.iter().map(ToString::to_string))
            .collect();
        let at = "at machines.pxl:12";
        assert_eq!(
            lines,
            [
                format!("sleeper {at}, awaits sleep"),
                format!("outer {at}"),
                format!("sleeper {at}, awaits sleep"),
                format!("outer_heap {at}"),
            ]
        );
        let text = text(&traces);
        assert!(text.contains("\"the outer\" is suspended"), "{text}");
    }
}
