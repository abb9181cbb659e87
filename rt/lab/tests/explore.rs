//! The exhaustive search, and the test attribute.

use std::sync::Arc;

use asr_base::{Failure, Outcome};
use asr_kernel::Cx;
use asr_lab::Explorer;
use parking_lot::Mutex;

/// Two tasks of two steps each beside the main task: every order of the four steps is seen.
#[test]
fn every_order_of_two_tasks_is_seen() {
    let explored = Explorer::default().run(
        || {
            async |cx: Cx| {
                let order = Arc::new(Mutex::new(String::new()));
                let mut handles = Vec::new();
                for name in ["a", "b"] {
                    let order = order.clone();
                    handles.push(cx.spawn(async move |cx| {
                        order.lock().push_str(name);
                        cx.yield_now().await?;
                        order.lock().push_str(name);
                        Ok(())
                    })?);
                }
                for handle in handles {
                    handle.join(&cx).await?.into_result()?;
                }
                let order = order.lock().clone();
                Ok(order)
            }
        },
        |run| match &run.outcome {
            Outcome::Ok(order) => Ok(order.clone()),
            other => Err(format!("{other:?}")),
        },
    );
    let explored = explored.expect("no schedule fails");
    assert!(explored.complete);
    let orders: Vec<&str> = explored.seen.keys().map(String::as_str).collect();
    assert_eq!(orders, ["aabb", "abab", "abba", "baab", "baba", "bbaa"]);
}

/// A value that is read, and written back after a yield, loses an update in some schedule.
#[test]
fn a_planted_race_is_found() {
    let found = Explorer::default().run(
        || {
            async |cx: Cx| {
                let cell = Arc::new(Mutex::new(0));
                let mut handles = Vec::new();
                for _ in 0..2 {
                    let cell = cell.clone();
                    handles.push(cx.spawn(async move |cx| {
                        let read = *cell.lock();
                        cx.yield_now().await?;
                        *cell.lock() = read + 1;
                        Ok(())
                    })?);
                }
                for handle in handles {
                    handle.join(&cx).await?.into_result()?;
                }
                let sum = *cell.lock();
                Ok(sum)
            }
        },
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
