//! No lock of the kernel is held when code of the user runs: wakers, destructors, errors. Each of
//! these asks the region from there; with a lock held the test would never end.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use asr_base::{Error, Outcome, Status};
use asr_kernel::{Cx, Policy, RegionConfig, RegionHandle};

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
fn wakers_of_closers_run_without_a_lock() {
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
fn wakers_of_scopes_run_without_a_lock() {
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
fn errors_are_dropped_without_a_lock() {
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
fn futures_are_dropped_without_a_lock() {
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
