//! Deadlocks and what is said of them (LAB-14).

use std::sync::Arc;

use asr_base::TaskId;
use asr_kernel::JoinHandle;
use asr_lab::{Edge, Lab, LabConfig, Node, Reason};
use parking_lot::Mutex;

type Cell = Arc<Mutex<Option<JoinHandle<()>>>>;

/// Two tasks, each of which joins the other through a shared cell.
#[test]
fn lab_14_two_tasks_that_join_each_other() {
    for seed in 0..20 {
        let ids = Arc::new(Mutex::new(Vec::new()));
        let named = ids.clone();
        let failure = Lab::new(LabConfig::seed(seed))
            .run(async move |cx| {
                let cells: [Cell; 2] = Default::default();
                for at in 0..2 {
                    let other = cells[1 - at].clone();
                    let handle = cx.spawn(async move |cx| {
                        loop {
                            let handle = other.lock().take();
                            if let Some(handle) = handle {
                                let _ = handle.join(&cx).await?;
                                return Ok(());
                            }
                            cx.yield_now().await?;
                        }
                    })?;
                    named.lock().push(handle.id());
                    *cells[at].lock() = Some(handle);
                }
                Ok(())
            })
            .expect_err("neither ends");
        assert_eq!(failure.reason, Reason::Deadlock);
        let ids = ids.lock().clone();
        let (a, b) = (ids[0], ids[1]);
        let edge = |from: TaskId, to: TaskId| Edge(Node::Task(from), Node::Task(to));
        assert_eq!(failure.waits().edges, [edge(a, b), edge(b, a)]);
        assert_eq!(failure.waits().cycle(), Some(vec![a, b]));
        let shown = failure.to_string();
        assert!(shown.contains("deadlock"), "{shown}");
        assert!(shown.contains(&format!("{a} waits for {b}")), "{shown}");
    }
}

/// Two locks taken in opposite order: the locks of this test name their holder.
#[test]
fn lab_14_two_locks_in_opposite_order() {
    type Lock = Arc<Mutex<Option<TaskId>>>;
    let mut deadlocks = 0;
    for seed in 0..50 {
        let outcome = Lab::new(LabConfig::seed(seed)).run(async move |cx| {
            let locks: [Lock; 2] = Default::default();
            for at in 0..2 {
                let (first, second) = (locks[at].clone(), locks[1 - at].clone());
                drop(cx.spawn(async move |cx| {
                    for lock in [&first, &second] {
                        let waiter = cx.waiter();
                        std::future::poll_fn(|_| {
                            let mut holder = lock.lock();
                            match *holder {
                                None => {
                                    *holder = Some(cx.task_id());
                                    std::task::Poll::Ready(())
                                }
                                Some(other) => {
                                    // These locks wake nobody: whoever waits once waits for good.
                                    waiter.waits_for(asr_trace::Resource::Task(other));
                                    std::task::Poll::Pending
                                }
                            }
                        })
                        .await;
                        cx.yield_now().await?;
                    }
                    *first.lock() = None;
                    *second.lock() = None;
                    Ok(())
                })?);
            }
            Ok(())
        });
        if let Err(failure) = outcome {
            assert_eq!(failure.reason, Reason::Deadlock);
            deadlocks += u32::from(
                failure
                    .waits()
                    .cycle()
                    .is_some_and(|cycle| cycle.len() == 2),
            );
        }
    }
    assert!(deadlocks > 0, "some seed takes one lock each");
}

/// A future that nobody wakes: the task is named, and waits for nothing known.
#[test]
fn lab_14_a_future_that_is_never_woken() {
    let failure = Lab::new(LabConfig::default())
        .run(async |cx| {
            let _ = cx.checkpoint_at(&"before the end of the world");
            std::future::pending::<()>().await;
            Ok(())
        })
        .expect_err("it hangs");
    assert_eq!(failure.reason, Reason::Deadlock);
    assert!(failure.waits().edges.is_empty());
    assert_eq!(failure.waits().cycle(), None);
    assert_eq!(failure.live.len(), 1);
    assert!(failure.to_string().contains("the end of the world"));
}

/// A closer of a region waits for it, and it for its tasks.
#[test]
fn lab_14_a_region_that_does_not_close() {
    let failure = Lab::new(LabConfig::default())
        .run(async |cx| {
            let open = cx.open_region(&asr_kernel::RegionConfig::new())?;
            let inside = open.spawn(async |_| {
                std::future::pending::<()>().await;
                Ok(())
            })?;
            let _ = open.close(&cx).await;
            drop(inside);
            Ok(())
        })
        .expect_err("it hangs");
    assert_eq!(failure.waits().edges.len(), 2);
    let shown = failure.to_string();
    assert_eq!(shown.matches("waits for").count(), 2, "{shown}");
}
