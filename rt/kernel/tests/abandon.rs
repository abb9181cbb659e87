//! A kernel that is given up leaves nothing behind.

use std::sync::Arc;

use asr_base::{Duration, TaskId, Time};
use asr_kernel::{Config, Driver, Kernel, RegionConfig, Runnable};
use parking_lot::Mutex;

#[derive(Default)]
struct Queue(Arc<Mutex<Vec<Runnable>>>);

impl Driver for Queue {
    fn now(&self) -> Time {
        Time::ZERO
    }
    fn enqueue(&self, task: Runnable) {
        self.0.lock().push(task);
    }
    fn promote(&self, _: TaskId) {}
    fn entropy(&self, _: TaskId, _: u64) -> u64 {
        0
    }
    fn timer_armed(&self, _: Time) {}
    fn root_closed(&self) {}
}

/// Runs `turns` tasks of a program that waits in every way there is, and gives it up there.
fn give_up(turns: usize) {
    let queue = Arc::new(Mutex::new(Vec::new()));
    let kernel = Kernel::new(Box::new(Queue(queue.clone())), Config::default());
    let probe = Arc::new(());
    let held = probe.clone();
    let ran = Arc::new(Mutex::new(false));
    let finalized = ran.clone();
    let main = kernel.root().spawn(async move |cx| {
        let shared = held.clone();
        cx.defer_sync(move || {
            *finalized.lock() = true;
            Ok(())
        })?;
        let kept = held.clone();
        cx.defer_task(move || {
            drop(kept);
            Ok(())
        })?;
        let sleeper = held.clone();
        let sleeping = cx.spawn(async move |cx| {
            cx.sleep(Duration::from_secs(1)).await?;
            drop(sleeper);
            Ok(())
        })?;
        let open = cx.open_region(&RegionConfig::new())?;
        let inside = held.clone();
        drop(open.spawn(async move |_| {
            std::future::pending::<()>().await;
            drop(inside);
            Ok(())
        })?);
        let outcome = cx
            .region(RegionConfig::new(), async |scope, cx| {
                let fiber = scope.fiber(async |_| {
                    std::future::pending::<()>().await;
                    Ok(Arc::clone(&shared))
                })?;
                let _ = fiber.join(&cx).await?;
                Ok(())
            })
            .await;
        drop(outcome);
        sleeping.join(&cx).await?.into_result()?;
        Ok(held)
    });
    drop(main.expect("the root is open"));
    for _ in 0..turns {
        let next = queue.lock().pop();
        let Some(task) = next else { break };
        kernel.run(task);
    }
    assert!(kernel.abandon(), "something lives after {turns} turns");
    queue.lock().clear();
    assert!(!*ran.lock(), "finalizers are dropped, not run");
    assert_eq!(Arc::strong_count(&probe), 1, "after {turns} turns");
    assert_eq!(kernel.owned_records(), (0, 0), "after {turns} turns");
    assert_eq!(Arc::strong_count(&kernel), 1, "after {turns} turns");
    assert_eq!(kernel.next_deadline(), None);
}

#[test]
fn an_abandoned_kernel_holds_nothing() {
    for turns in 0..12 {
        give_up(turns);
    }
}
