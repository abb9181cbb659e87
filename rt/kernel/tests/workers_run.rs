//! Tasks on several workers.

#[path = "common/runtime.rs"]
mod runtime;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use asr_base::{Failure, Outcome};
use runtime::{COUNTS, workers};

#[test]
fn tasks_that_yield_all_end() {
    for count in COUNTS {
        let runtime = workers(count);
        let outcome = runtime.run(async |cx| {
            let done = Arc::new(AtomicU32::new(0));
            let mut tasks = Vec::new();
            for n in 0..1000 {
                let done = done.clone();
                tasks.push(cx.spawn(async move |cx| {
                    for _ in 0..n % 10 {
                        cx.yield_now().await?;
                    }
                    done.fetch_add(1, Relaxed);
                    Ok(())
                })?);
            }
            for task in tasks {
                task.join(&cx).await?.into_result()?;
            }
            Ok::<_, Failure>(done.load(Relaxed))
        });
        assert!(matches!(outcome, Outcome::Ok(1000)), "{outcome:?}");
        assert_eq!(runtime.kernel().owned_records(), (0, 0));
        let run: u64 = runtime.stats().map(|worker| worker.dispatches()).sum();
        assert!(run >= 5501, "1000 tasks, 4500 yields, main: {run}");
    }
}
