//! Tasks of every lane on one worker that do nothing but yield: what a dispatch allocates.

use asr_base::{Budget, Duration, Failure};
use asr_kernel::{Cx, JoinHandle, Spawn};

use crate::counting::operations;

/// Calls of the allocator in fifty rounds, once the queues have held all that they will hold. For a
/// runtime of one worker: all of it happens on this thread.
pub(crate) async fn allocations(cx: Cx) -> Result<u64, Failure> {
    let mut tasks = Vec::new();
    for n in 0..30 {
        let mut options = Spawn::new();
        if n % 3 == 1 {
            let at = cx.now() + Duration::from_secs(3600);
            options = options.budget(Budget::UNLIMITED.with_deadline(at));
        }
        tasks.push(cx.spawn_with(options, async |cx| {
            // Cancelled ones go on to yield.
            for _ in 0..300 {
                let _ = cx.yield_now().await;
            }
            Ok(())
        })?);
    }
    cx.yield_now().await?;
    tasks.iter().step_by(3).for_each(JoinHandle::abort);
    // Until each lane has held all that it will hold, and each timer is armed.
    for _ in 0..5 {
        cx.yield_now().await?;
    }
    let before = operations();
    for _ in 0..50 {
        cx.yield_now().await?;
    }
    let calls = operations() - before;
    for task in tasks {
        let _ = task.join(&cx).await?;
    }
    Ok(calls)
}
