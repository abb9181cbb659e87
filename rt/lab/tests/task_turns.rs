//! Turns: wakes, cooperation, yields, waiter lists.
#![allow(unsafe_code, reason = "a waker that counts its clones")]

mod common;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

use asr_base::{CancelKind, Outcome, Time};
use asr_kernel::{
    Config, Cx, Driver, Kernel, Lane, RegionConfig, Runnable, Spawn, cancel_priority,
};
use asr_trace::Kind;
use common::{forever, kinds, ok, run, run_with, turn};
use parking_lot::Mutex;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn tsk_11_a_thousand_wakes_in_one_poll_are_one_turn() {
    let (polls, log) = ok(run(async |cx| {
        let polls = Arc::new(AtomicU32::new(0));
        let count = polls.clone();
        let mut woken = false;
        let child = cx.spawn(async move |_| {
            poll_fn(|context| {
                count.fetch_add(1, Relaxed);
                if std::mem::replace(&mut woken, true) {
                    return Poll::Ready(());
                }
                let waker = context.waker().clone();
                for _ in 0..1000 {
                    waker.wake_by_ref();
                }
                Poll::Pending
            })
            .await;
            Ok(())
        })?;
        let id = child.id();
        child.join(&cx).await?.into_result()?;
        Ok((polls.load(Relaxed), id))
    }));
    assert_eq!(polls.0, 2);
    let of_child = kinds(&log, Kind::TaskPoll)
        .iter()
        .filter(|e| e.task == Some(polls.1))
        .count();
    assert_eq!(of_child, 2);
}

#[test]
fn tsk_11_a_thousand_wakes_of_an_idle_task_are_one_turn() {
    let (polls, _) = ok(run(async |cx| {
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let polls = Arc::new(AtomicU32::new(0));
        let (slot, count) = (waker.clone(), polls.clone());
        let child = cx.spawn(async move |_| {
            poll_fn(|context| {
                *slot.lock() = Some(context.waker().clone());
                if count.fetch_add(1, Relaxed) == 2 {
                    return Poll::Ready(());
                }
                Poll::Pending
            })
            .await;
            Ok(())
        })?;
        turn().await;
        for expected in [1, 2] {
            assert_eq!(polls.load(Relaxed), expected);
            let waker = waker.lock().clone().expect("it was polled");
            (0..1000).for_each(|_| waker.wake_by_ref());
            turn().await;
        }
        child.join(&cx).await?.into_result()?;
        // Completed: wakes do nothing.
        let waker = waker.lock().clone().expect("it was polled");
        (0..1000).for_each(|_| waker.wake_by_ref());
        turn().await;
        Ok(polls.load(Relaxed))
    }));
    assert_eq!(polls, 3);
}

/// A waker that counts its clones.
fn counting(count: &Arc<AtomicU32>) -> Waker {
    static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, |_| {}, drop_one);
    unsafe fn clone(data: *const ()) -> RawWaker {
        // SAFETY: made from an `Arc<AtomicU32>` that this waker counts.
        let count = unsafe { &*data.cast::<AtomicU32>() };
        count.fetch_add(1, Relaxed);
        // SAFETY: as above.
        unsafe { Arc::increment_strong_count(data.cast::<AtomicU32>()) };
        RawWaker::new(data, &TABLE)
    }
    unsafe fn wake(data: *const ()) {
        // SAFETY: the waker is used up.
        unsafe { drop_one(data) };
    }
    unsafe fn drop_one(data: *const ()) {
        // SAFETY: counted when it was made.
        unsafe { Arc::decrement_strong_count(data.cast::<AtomicU32>()) };
    }
    let data = Arc::into_raw(count.clone()).cast();
    // SAFETY: the table keeps the contract, see the functions.
    unsafe { Waker::from_raw(RawWaker::new(data, &TABLE)) }
}

/// Polls a future a thousand times with one waker; how often that was cloned.
async fn clones(future: impl Future) -> u32 {
    let count = Arc::new(AtomicU32::new(0));
    let waker = counting(&count);
    let mut future = std::pin::pin!(future);
    for _ in 0..1000 {
        assert!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
    }
    count.load(Relaxed)
}

#[test]
fn tsk_14_a_thousand_polls_clone_a_waker_once() {
    let (counts, _) = ok(run(async |cx| {
        let child = cx.spawn(async |cx| Ok(cx.sleep(SECOND).await?))?;
        turn().await;
        let inner = cx.open_region(&RegionConfig::new())?;
        let held = inner.spawn(async |_| {
            forever().await;
            Ok(())
        })?;
        // Each registers with its own list, and with the cancel of the task: once each.
        let join = clones(child.join(&cx)).await;
        let sleep = clones(cx.sleep(SECOND)).await;
        let close = clones(inner.close(&cx)).await;
        held.abort();
        Ok([join, sleep, close])
    }));
    assert_eq!(counts, [2, 2, 2]);
}

/// Receiving from a channel comes with channels; sleeps that are over count as it will.
#[test]
fn tsk_23_part_a_task_gives_way_after_its_budget_of_operations() {
    for (budget, most) in [(128, 128), (1, 1), (0, 1), (255, 255)] {
        let mut config = common::lanes();
        config.kernel.coop_budget = budget;
        let run = run_with(config, async |cx| {
            let done = Arc::new(AtomicU32::new(0));
            let count = done.clone();
            let busy = cx.spawn(async move |cx| {
                for _ in 0..1000 {
                    cx.sleep(Duration::ZERO).await?;
                    count.fetch_add(1, Relaxed);
                }
                Ok(())
            })?;
            let other = cx.spawn(async move |_| Ok(done.load(Relaxed)))?;
            busy.join(&cx).await?.into_result()?;
            other.join(&cx).await?.into_result()
        });
        assert_eq!(ok(run).0, most, "budget {budget}");
    }
}

#[test]
fn tsk_23_part_joins_count_as_well() {
    let (joined, _) = ok(run(async |cx| {
        let handles: Vec<_> = (0..1000)
            .map(|_| cx.spawn(async |_| Ok(())))
            .collect::<Result<_, _>>()?;
        turn().await;
        let joined = Arc::new(AtomicU32::new(0));
        let count = joined.clone();
        let joiner = cx.spawn(async move |cx| {
            for handle in handles {
                handle.join(&cx).await?.into_result()?;
                count.fetch_add(1, Relaxed);
            }
            Ok(())
        })?;
        let other = cx.spawn(async move |_| Ok(joined.load(Relaxed)))?;
        joiner.join(&cx).await?.into_result()?;
        other.join(&cx).await?.into_result()
    }));
    assert_eq!(joined, 128);
}

#[test]
fn tsk_24_who_yields_comes_after_all_that_are_queued() {
    let (order, _) = ok(run(async |cx| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut handles = Vec::new();
        for n in 0..10 {
            let order = order.clone();
            handles.push(cx.spawn(async move |cx| {
                for _ in 0..3 {
                    order.lock().push(n);
                    cx.yield_now().await?;
                }
                Ok(())
            })?);
        }
        for handle in handles {
            handle.join(&cx).await?.into_result()?;
        }
        let order = order.lock().clone();
        Ok(order)
    }));
    let expected: Vec<i32> = (0..3).flat_map(|_| 0..10).collect();
    assert_eq!(order, expected);
}

#[test]
fn tsk_24_a_fiber_that_yields_lets_tasks_run() {
    let (order, _) = ok(run(async |cx| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let (inside, after) = (order.clone(), order.clone());
        let inner = cx
            .region(RegionConfig::new(), async move |scope, cx| {
                for n in 0..3 {
                    let order = inside.clone();
                    let _ = scope.spawn(async move |_| {
                        order.lock().push(n);
                        Ok(())
                    })?;
                }
                cx.yield_now().await?;
                after.lock().push(9);
                Ok(())
            })
            .await;
        inner.into_result()?;
        let order = order.lock().clone();
        Ok(order)
    }));
    assert_eq!(order, [0, 1, 2, 9]);
}

/// Everything the kernel gave its driver, with lane and priority.
#[derive(Default)]
struct Queue {
    ready: Mutex<Vec<Runnable>>,
    promoted: Mutex<Vec<asr_base::TaskId>>,
}

struct Seam(Arc<Queue>);

impl Driver for Seam {
    fn now(&self) -> Time {
        Time::ZERO
    }
    fn enqueue(&self, task: Runnable) {
        self.0.ready.lock().push(task);
    }
    fn promote(&self, task: asr_base::TaskId) {
        self.0.promoted.lock().push(task);
    }
    fn entropy(&self, _: asr_base::TaskId, call: u64) -> u64 {
        call
    }
    fn timer_armed(&self, _: Time) {}
    fn root_closed(&self) {}
}

#[test]
fn can_27_a_cancel_makes_a_waiting_task_runnable_in_the_cancel_lane() {
    let queue = Arc::new(Queue::default());
    let kernel = Kernel::new(Box::new(Seam(queue.clone())), Config::default());
    let run_all = || {
        while let Some(task) = { queue.ready.lock().pop() } {
            kernel.run(task);
        }
    };
    for kind in CancelKind::ALL {
        for priority in [0, 100, 255] {
            let root = kernel.root();
            let region = root.open(&RegionConfig::new()).expect("open");
            let budget = asr_base::Budget::UNLIMITED.with_priority(priority);
            let body = async |_: Cx| {
                forever().await;
                Ok(())
            };
            let idle = region
                .spawn_with(Spawn::new().budget(budget), body)
                .expect("open");
            run_all();
            let queued = region
                .spawn_with(Spawn::new().budget(budget), body)
                .expect("open");
            assert_eq!(queue.ready.lock()[0].lane(), Lane::Ready);
            assert_eq!(queue.ready.lock()[0].priority(), priority.min(199));
            region.cancel_as(kind, "stop");
            // The idle one was queued, the queued one promoted; each is held once.
            let ready = queue.ready.lock();
            assert_eq!(ready.len(), 2);
            assert_eq!(queue.promoted.lock().last(), Some(&queued.id()));
            assert!(ready.iter().any(|task| task.id() == idle.id()));
            let rank = CancelKind::ParentCancelled.rank();
            for task in ready.iter() {
                assert_eq!(task.lane(), Lane::Cancel);
                assert_eq!(task.priority(), cancel_priority(rank, priority));
            }
            drop(ready);
            run_all();
            kernel.advance(Time::MAX);
            run_all();
            assert!(idle.is_finished() && queued.is_finished());
        }
    }
    kernel.shutdown();
    run_all();
    assert!(kernel.is_closed());
}

#[test]
fn can_27_a_cancelled_task_is_polled_next() {
    let (order, _) = ok(run(async |cx| {
        let order = Arc::new(Mutex::new(Vec::new()));
        let idle_order = order.clone();
        let idle = cx.spawn(async move |cx| {
            let slept = cx.sleep(SECOND).await;
            idle_order.lock().push(0);
            Ok(slept?)
        })?;
        turn().await;
        for n in 1..20 {
            let order = order.clone();
            let _ = cx.spawn(async move |_| {
                order.lock().push(n);
                Ok(())
            })?;
        }
        idle.abort();
        assert!(matches!(idle.join(&cx).await?, Outcome::Cancelled(_)));
        let first = order.lock()[0];
        Ok(first)
    }));
    assert_eq!(order, 0);
}

#[test]
fn sch_2_cancel_priority_orders_by_kind_first() {
    let mut before = 199;
    for kind in CancelKind::ALL {
        for priority in 0..=255_u8 {
            let exact = 200 + 8 * u32::from(kind.rank()) + u32::from(priority) * 7 / 255;
            let given = cancel_priority(kind.rank(), priority);
            assert_eq!(u32::from(given), exact);
            assert!(given >= before);
            before = given;
        }
        assert!(kind == CancelKind::Shutdown || cancel_priority(kind.rank() + 1, 0) > before);
    }
    assert_eq!(before, 255);
}

/// Finalizers of a task have the operations of a poll of their own, whatever the body used up.
#[test]
fn tsk_23_part_finalizers_have_their_own_operations() {
    let done = Arc::new(AtomicU32::new(0));
    let count = done.clone();
    ok(run(async move |cx| {
        let task = cx.spawn(async move |cx| {
            cx.defer_task_async(async move |cx| {
                for _ in 0..1000 {
                    cx.sleep(Duration::ZERO).await?;
                    count.fetch_add(1, Relaxed);
                }
                Ok(())
            })?;
            for _ in 0..128 {
                cx.sleep(Duration::ZERO).await?;
            }
            Ok(())
        })?;
        task.join(&cx).await?.into_result()
    }));
    assert_eq!(done.load(Relaxed), 1000);
}
