//! The exhaustive search, and the test attribute.

#[path = "common/scenarios.rs"]
mod scenarios;

use asr_base::{Failure, Outcome};
use asr_kernel::Cx;
use asr_lab::Explorer;
use scenarios::{order, racy};

/// Two tasks of two steps each beside the main task: every order of the four steps is seen.
#[test]
fn every_order_of_two_tasks_is_seen() {
    let explored = Explorer::default().run(
        || async |cx: Cx| order(cx, 2).await,
        |run| match &run.outcome {
            Outcome::Ok(order) => Ok(order.clone()),
            other => Err(format!("{other:?}")),
        },
    );
    let explored = explored.expect("no schedule fails");
    assert!(explored.complete);
    let orders: Vec<&[u32]> = explored.seen.keys().map(Vec::as_slice).collect();
    assert_eq!(
        orders,
        [
            [0, 0, 1, 1],
            [0, 1, 0, 1],
            [0, 1, 1, 0],
            [1, 0, 0, 1],
            [1, 0, 1, 0],
            [1, 1, 0, 0],
        ]
    );
}

/// A value that is read, and written back after a yield, loses an update in some schedule.
#[test]
fn a_planted_race_is_found() {
    let found = Explorer::default().run(
        || async |cx: Cx| racy(cx, 2).await,
        |run| match run.outcome {
            Outcome::Ok(2) => Ok(()),
            ref other => Err(format!("{other:?}")),
        },
    );
    let found = found.expect_err("an update is lost");
    assert!(!found.script.is_empty());
}

#[asr_lab::test(seeds = 20)]
async fn the_attribute_runs_seeds(cx: Cx) -> Result<(), Failure> {
    let child = cx.spawn(async |_| Ok(7))?;
    assert_eq!(child.join(&cx).await?.into_result()?, 7);
    Ok(())
}
