//! Starting and stopping: nothing of a runtime stays. One test, because it counts what the process
//! has.

#[path = "common/runtime.rs"]
mod runtime;

use std::time::Duration;

use asr_base::Outcome;
use runtime::workers;

fn entries(of: &str) -> usize {
    std::fs::read_dir(format!("/proc/self/{of}"))
        .unwrap()
        .count()
}

/// Pages that the process has in memory.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse().unwrap()
}

fn start_and_stop(times: usize) {
    for n in 0..times {
        let runtime = workers(n % 4 + 1);
        match n % 3 {
            0 => {
                let outcome = runtime.run(async |cx| {
                    let child = cx.spawn(async |cx| {
                        cx.sleep(Duration::from_micros(1)).await?;
                        Ok(7)
                    })?;
                    child.join(&cx).await?.into_result()
                });
                assert!(matches!(outcome, Outcome::Ok(7)), "{outcome:?}");
            }
            1 => {
                let root = runtime.kernel().root();
                let task = root.spawn(async |cx| Ok(cx.sleep(Duration::from_secs(1)).await?));
                drop(task.unwrap());
            }
            _ => {}
        }
    }
}

#[test]
fn a_thousand_runtimes_leave_nothing() {
    start_and_stop(100);
    // The system takes the entry of a thread away after whoever joins it goes on.
    let settled = |expected: usize| {
        while entries("task") > expected {
            std::thread::yield_now();
        }
    };
    // The thread of the test and the main thread.
    settled(2);
    let (descriptors, pages) = (entries("fd"), resident());
    start_and_stop(1000);
    settled(2);
    assert_eq!(entries("fd"), descriptors);
    let grown = resident().saturating_sub(pages);
    assert!(grown < 1024, "{grown} pages more than before");
}
