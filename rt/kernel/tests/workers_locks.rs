//! No lock of the runtime is held across a poll.

#[path = "common/runtime.rs"]
mod runtime;

use asr_base::{Failure, Outcome};
use asr_kernel::sync::held;
use runtime::Runtime;

/// SCH-19: each poll asserts it as it begins and ends in debug builds; here the task looks too.
#[test]
fn sch_19_no_lock_is_held_across_a_poll() {
    for runtime in Runtime::each() {
        let outcome = runtime.run(async |cx| {
            let mut tasks = Vec::new();
            for _ in 0..10 {
                tasks.push(cx.spawn(async |cx| {
                    for _ in 0..25_000 {
                        cx.yield_now().await?;
                        assert_eq!(held(), 0);
                    }
                    Ok(())
                })?);
            }
            for task in tasks {
                task.join(&cx).await?.into_result()?;
            }
            Ok::<_, Failure>(())
        });
        assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
    }
}

/// The count is one: taken, it is seen.
#[cfg(debug_assertions)]
#[test]
fn sch_19_a_lock_that_is_held_is_counted() {
    let mutex = asr_kernel::sync::Mutex::<_, asr_kernel::sync::rank::SlabGrow>::new(());
    let guard = asr_kernel::sync::lock(&mutex);
    assert_eq!(held(), 1);
    drop(guard);
    assert_eq!(held(), 0);
}
