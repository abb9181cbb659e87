//! Races that have exactly so many results: counted over every schedule.

use asr_base::{Failure, Outcome};
use asr_kernel::Cx;
use asr_lab::Explorer;

/// A cancel against a completion: the task completed and the request was ignored, or it was
/// cancelled. Nothing else is ever seen.
#[test]
fn tsk_7_completed_then_ignored_or_cancelled() {
    let explored = Explorer::default().run(
        || {
            async |cx: Cx| {
                let task = cx.spawn(async |cx| {
                    cx.yield_now().await?;
                    Ok(1)
                })?;
                cx.yield_now().await?;
                task.abort();
                let kind = match task.join(&cx).await? {
                    Outcome::Ok(1) => "completed",
                    Outcome::Cancelled(reason) if reason.message() == "aborted" => "cancelled",
                    other => {
                        return Err(Failure::from(asr_base::Error::from(format!("{other:?}"))));
                    }
                };
                Ok(kind)
            }
        },
        |run| match &run.outcome {
            Outcome::Ok(kind) => Ok(*kind),
            other => Err(format!("{other:?}")),
        },
    );
    let explored = explored.expect("no schedule fails");
    assert!(explored.complete);
    let kinds: Vec<&str> = explored.seen.keys().copied().collect();
    assert_eq!(kinds, ["cancelled", "completed"]);
}
