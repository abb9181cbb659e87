//! No lock of the kernel is held when code of the user runs: wakers, destructors, errors. Each of
//! these asks the region from there; with a lock held the test would never end.

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use asr_base::{CancelKind, Error, Outcome, Status, TaskId, Time};
use asr_kernel::{Config, Cx, Driver, Kernel, Policy, RegionConfig, RegionHandle, Runnable};
use asr_trace::{Draft, Sink};

use crate::local;

/// Asks for everything that takes a lock of the region.
fn ask(handle: &RegionHandle) {
    let _ = handle.outcome();
    let _ = handle.defer_sync(|| Ok(()));
    let _ = handle.spawn(async |_| Ok(()));
    handle.cancel("from user code");
}

struct Asks {
    region: RegionHandle,
    wakes: AtomicU32,
    inner: Waker,
}

impl Wake for Asks {
    fn wake(self: Arc<Self>) {
        ask(&self.region);
        self.wakes.fetch_add(1, Relaxed);
        self.inner.wake_by_ref();
    }
}

impl Drop for Asks {
    fn drop(&mut self) {
        ask(&self.region);
    }
}

/// Polls a future of a region with a waker that asks the region, a new one at each poll.
async fn asked<F: Future>(region: RegionHandle, future: F) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(move |context| {
        let asks = Asks {
            region: region.clone(),
            wakes: AtomicU32::new(0),
            inner: context.waker().clone(),
        };
        let waker = Waker::from(Arc::new(asks));
        future.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}

#[test]
fn sch_36_wakers_of_closers_run_without_a_lock() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let _ = owned.spawn(async |cx| {
            for _ in 0..3 {
                cx.yield_now().await?;
            }
            Ok(())
        })?;
        let _ = asked(owned.clone(), owned.close(&cx)).await;
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

#[test]
fn sch_36_wakers_of_scopes_run_without_a_lock() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let around = (*owned).clone();
        let shared = std::sync::Mutex::new(None);
        let region = cx.region(RegionConfig::new(), async |scope, cx| {
            *shared.lock().expect("no panic under it") = Some(scope.handle());
            for _ in 0..3 {
                let _ = scope.fiber(async |cx| Ok(cx.yield_now().await?))?;
                cx.yield_now().await?;
            }
            Ok(())
        });
        let mut region = pin!(region);
        let ended: Outcome<(), Error> = std::future::poll_fn(|context| {
            let inside = shared.lock().expect("no panic under it").clone();
            let asks = Asks {
                region: inside.unwrap_or_else(|| around.clone()),
                wakes: AtomicU32::new(0),
                inner: context.waker().clone(),
            };
            let waker = Waker::from(Arc::new(asks));
            region.as_mut().poll(&mut Context::from_waker(&waker))
        })
        .await;
        drop(ended);
        Ok(())
    });
    // The root was cancelled by the first waker: only that it ends counts.
    drop(outcome);
}

/// A wait registers the waker that it is polled with, to be woken by a cancel too. A new one
/// displaces it.
#[test]
fn sch_36_wakers_of_waits_run_without_a_lock() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let owned = cx.open_region(&RegionConfig::new())?;
        let handle = owned.clone();
        let task = owned.spawn(async move |cx| {
            let mut wait = pin!(cx.sleep(std::time::Duration::from_secs(3600)));
            std::future::poll_fn(|context| {
                for _ in 0..3 {
                    let asks = Asks {
                        region: handle.clone(),
                        wakes: AtomicU32::new(0),
                        inner: context.waker().clone(),
                    };
                    let waker = Waker::from(Arc::new(asks));
                    let _ = wait.as_mut().poll(&mut Context::from_waker(&waker));
                }
                Poll::Ready(())
            })
            .await;
            Ok(())
        })?;
        let _ = task.join(&cx).await;
        let _ = owned.close(&cx).await;
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// The world outside asks the region: the clock, and what takes the events.
#[derive(Clone, Default)]
struct World {
    queue: Arc<Mutex<Vec<Runnable>>>,
    target: Arc<Mutex<Option<RegionHandle>>>,
    asked: Arc<AtomicU32>,
}

impl World {
    fn ask(&self) {
        let target = self.target.lock().expect("no panic under it").clone();
        if let Some(target) = target {
            let _ = (target.outcome(), target.region().budget());
            self.asked.fetch_add(1, Relaxed);
        }
    }
}

impl Driver for World {
    fn now(&self) -> Time {
        self.ask();
        Time::ZERO
    }
    fn enqueue(&self, task: Runnable) {
        self.ask();
        self.queue.lock().expect("no panic under it").push(task);
    }
    fn promote(&self, _: TaskId) {
        self.ask();
    }
    fn entropy(&self, _: TaskId, _: u64) -> u64 {
        0
    }
    fn timer_armed(&self, _: Time) {
        self.ask();
    }
    fn root_closed(&self) {
        self.ask();
    }
}

impl Sink for World {
    fn emit(&self, _: Draft) -> u64 {
        self.ask();
        1
    }
}

#[test]
fn sch_36_clock_and_trace_are_asked_without_the_lock_of_a_region() {
    let world = World::default();
    let kernel = Kernel::new(Box::new(world.clone()), Config::default());
    kernel.trace().set(Arc::new(world.clone()));
    let target = world.target.clone();
    let main = kernel.root().spawn(async move |cx| {
        let config = RegionConfig::new().timeout(std::time::Duration::from_secs(1));
        let owned = cx.open_region(&config)?;
        *target.lock().expect("no panic under it") = Some(owned.clone());
        owned.defer_sync(|| Ok(()))?;
        let task = owned.spawn(async |cx| {
            let below = cx.open_region(&RegionConfig::new())?;
            let _ = below.spawn(async |cx| Ok(cx.yield_now().await?))?;
            cx.charge(1)?;
            std::future::pending::<()>().await;
            Ok(())
        })?;
        cx.yield_now().await?;
        owned.cancel("once");
        owned.cancel_as(CancelKind::Shutdown, "stronger");
        let _ = task.join(&cx).await?;
        let _ = owned.close(&cx).await;
        owned.cancel("late");
        Ok(())
    });
    drop(main.expect("the root is open"));
    kernel.root().begin_close();
    loop {
        let next = world.queue.lock().expect("no panic under it").pop();
        let Some(task) = next else { break };
        kernel.run(task);
    }
    assert!(kernel.is_closed());
    assert!(world.asked.load(Relaxed) > 20);
    *world.target.lock().expect("no panic under it") = None;
    kernel.trace().clear();
}

#[derive(Debug)]
struct Cause(RegionHandle);

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("asks")
    }
}

impl std::error::Error for Cause {}

impl Drop for Cause {
    fn drop(&mut self) {
        ask(&self.0);
    }
}

#[test]
fn sch_36_errors_are_dropped_without_a_lock() {
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let config = RegionConfig::new().policy(Policy::CollectAll);
        let owned = cx.open_region(&config)?;
        // The later one has the lower index, so both ways of displacing an error happen.
        for turns in [3, 1, 5] {
            let handle = owned.clone();
            drop(owned.spawn(async move |cx: Cx| {
                for _ in 0..turns {
                    cx.yield_now().await?;
                }
                let error = Error::new(Status::BAD_ARGUMENT, "with a cause");
                Err::<(), _>(error.caused_by(Cause(handle)).into())
            })?);
        }
        let handle = owned.clone();
        let last = owned.spawn(async move |cx: Cx| {
            for _ in 0..9 {
                cx.yield_now().await?;
            }
            handle.cancel("a cancel covers the errors");
            Ok(cx.checkpoint()?)
        })?;
        let _ = last.join(&cx).await;
        let _ = owned.close(&cx).await;
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
}

/// A future that asks its region when it is dropped: by its end, by an abort, with its scope.
#[test]
fn sch_36_futures_are_dropped_without_a_lock() {
    struct Held(RegionHandle);
    impl Drop for Held {
        fn drop(&mut self) {
            let _ = self.0.outcome();
            let _ = self.0.spawn(async |_| Ok(()));
        }
    }
    let runtime = local();
    let outcome = runtime.run(async |cx| {
        let body = async |scope: asr_kernel::Scope<'_>, cx: Cx| {
            for aborted in [false, true] {
                let held = Held(scope.handle());
                let task = scope.spawn(async move |cx: Cx| {
                    let _held = held;
                    Ok(cx.yield_now().await?)
                })?;
                if aborted {
                    task.abort();
                }
                let held = Held(scope.handle());
                let _ = scope.fiber(async move |_| {
                    let _held = held;
                    std::future::pending::<()>().await;
                    Ok(())
                })?;
            }
            cx.yield_now().await?;
            std::future::pending::<()>().await;
            Ok(())
        };
        let mut region = Box::pin(cx.region(RegionConfig::new(), body));
        for _ in 0..3 {
            std::future::poll_fn(|context| {
                assert!(region.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            cx.yield_now().await?;
        }
        drop(region);
        Ok(())
    });
    assert!(outcome.is_ok(), "{outcome:?}");
    assert_eq!(runtime.kernel().owned_records(), (0, 0));
}
