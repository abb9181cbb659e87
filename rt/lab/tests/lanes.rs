//! The lanes, seen by programs: who runs when.

mod common;

use std::sync::Arc;
use std::time::Duration;

use asr_base::{Budget, Failure, Outcome};
use asr_kernel::{Cx, JoinHandle, Spawn};
use asr_trace::Sub;
use common::{lanes, ok, run, run_with, subs, turn};
use parking_lot::Mutex;

const SECOND: Duration = Duration::from_secs(1);

/// Who ran, in order.
#[derive(Clone, Default)]
struct Order(Arc<Mutex<Vec<usize>>>);

impl Order {
    fn note(&self, who: usize) {
        self.0.lock().push(who);
    }

    fn get(&self) -> Vec<usize> {
        self.0.lock().clone()
    }

    /// A task that notes its number when it runs.
    fn task(&self, cx: &Cx, who: usize, options: Spawn) -> Result<JoinHandle<()>, Failure> {
        let order = self.clone();
        let noted = cx.spawn_with(options, async move |_| {
            order.note(who);
            Ok(())
        });
        Ok(noted?)
    }
}

fn due(cx: &Cx, after: Duration) -> Spawn {
    let budget = Budget::UNLIMITED.with_deadline(cx.now() + after);
    Spawn::new().budget(budget)
}

/// One task in each lane, queued in the order opposite to that of the lanes.
#[test]
fn sch_1_one_task_in_each_lane() {
    let (order, _) = ok(run(async |cx| {
        let order = Order::default();
        let noted = order.clone();
        let cancelled = cx.spawn(async move |cx| {
            while !cx.is_cancel_requested() {
                turn().await;
            }
            noted.note(0);
            Ok(())
        })?;
        turn().await;
        let _ = order.task(&cx, 2, Spawn::new())?;
        let _ = order.task(&cx, 1, due(&cx, SECOND))?;
        cancelled.abort();
        turn().await;
        turn().await;
        turn().await;
        Ok(order.get())
    }));
    assert_eq!(order, [0, 1, 2]);
}

#[test]
fn sch_4_equal_deadlines_run_by_task() {
    let (order, _) = ok(run(async |cx| {
        let order = Order::default();
        for who in [3, 1, 2] {
            let _ = order.task(&cx, who, due(&cx, SECOND * who as u32))?;
        }
        for who in 4..8 {
            let _ = order.task(&cx, who, due(&cx, SECOND * 10))?;
        }
        for _ in 0..8 {
            turn().await;
        }
        Ok(order.get())
    }));
    assert_eq!(order, [1, 2, 3, 4, 5, 6, 7]);
}

/// A task whose deadline has passed is not run late: it goes to the cancel lane, and ends there.
#[test]
fn sch_4_a_late_task_is_cancelled_not_run_late() {
    let (seen, _) = ok(run(async |cx| {
        let order = Order::default();
        let _ = order.task(&cx, 2, due(&cx, SECOND))?;
        let late = order.task(&cx, 1, due(&cx, Duration::ZERO))?;
        let outcome = late.join(&cx).await?;
        assert!(matches!(outcome, Outcome::Cancelled(_)), "{outcome:?}");
        Ok(order.get())
    }));
    assert_eq!(seen, [2]);
}

/// A queue over its limit is in the trace, once for each crossing.
#[test]
fn sch_30_a_crossing_is_an_event() {
    let mut config = lanes();
    config.kernel.queue_capacity = 10;
    let (_, log) = ok(run_with(config, async |cx| {
        for many in [10, 50, 5, 50] {
            let tasks: Vec<_> = (0..many)
                .map(|_| cx.spawn(async |_| Ok(())))
                .collect::<Result<_, _>>()?;
            for task in tasks {
                task.join(&cx).await?.into_result()?;
            }
        }
        Ok(())
    }));
    let events = subs(&log, Sub::QueueCapacity);
    assert_eq!(events.len(), 2);
    for event in events {
        assert_eq!((event.a, event.c), (0, 10));
        assert!(event.b > 10, "{event:?}");
    }
}
