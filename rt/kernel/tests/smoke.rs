//! The kernel's main paths on the production drivers.

#[path = "common/runtime.rs"]
mod runtime;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use asr_base::{CancelKind, Failure, Outcome};
use asr_kernel::{Kernel, RegionConfig};
use runtime::Runtime;

#[test]
fn a_task_is_joined() {
    Runtime::each().for_each(a_task_is_joined_on);
}

fn a_task_is_joined_on(runtime: Runtime) {
    let outcome = runtime.run(async |cx| {
        let child = cx.spawn(async |cx| {
            cx.sleep(Duration::from_millis(1)).await?;
            Ok(7)
        })?;
        child.join(&cx).await?.into_result()
    });
    assert!(matches!(outcome, Outcome::Ok(7)), "{outcome:?}");
}

#[test]
fn fibers_borrow() {
    Runtime::each().for_each(fibers_borrow_on);
}

fn fibers_borrow_on(runtime: Runtime) {
    let outcome = runtime.run(async |cx| {
        let total = AtomicU32::new(0);
        let total = &total;
        let inner = cx
            .region(RegionConfig::new(), async |scope, cx| {
                for n in 1..=10 {
                    let _ = scope.fiber(async move |cx| {
                        cx.yield_now().await?;
                        total.fetch_add(n, Relaxed);
                        Ok(())
                    })?;
                }
                cx.yield_now().await?;
                Ok("body")
            })
            .await;
        assert!(matches!(inner, Outcome::Ok("body")), "{inner:?}");
        Ok(total.load(Relaxed))
    });
    assert!(matches!(outcome, Outcome::Ok(55)), "{outcome:?}");
}

#[test]
fn a_cancel_reaches_all() {
    Runtime::each().for_each(a_cancel_reaches_all_on);
}

fn a_cancel_reaches_all_on(runtime: Runtime) {
    let outcome = runtime.run(async |cx| {
        let dropped = Arc::new(AtomicU32::new(0));
        let count = dropped.clone();
        let inner: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |scope, cx| {
                let started = Arc::new(AtomicU32::new(0));
                for _ in 0..100 {
                    let (count, started) = (count.clone(), started.clone());
                    let _ = scope.spawn(async move |cx| {
                        started.fetch_add(1, Relaxed);
                        let slept = cx.sleep(Duration::from_secs(3600)).await;
                        count.fetch_add(1, Relaxed);
                        Ok(slept?)
                    })?;
                }
                let handle = scope.handle();
                let _ = scope.spawn(async move |cx| {
                    // One that has not started by then never does.
                    while started.load(Relaxed) < 100 {
                        cx.sleep(Duration::from_millis(1)).await?;
                    }
                    handle.cancel("enough");
                    Ok(())
                })?;
                cx.sleep(Duration::from_secs(3600)).await?;
                Ok(())
            })
            .await;
        let Outcome::Cancelled(reason) = inner else {
            panic!("{inner:?}")
        };
        assert_eq!(reason.kind(), CancelKind::User);
        cx.checkpoint()?;
        Ok(dropped.load(Relaxed))
    });
    assert!(matches!(outcome, Outcome::Ok(100)), "{outcome:?}");
}

#[test]
fn records_go_back() {
    Runtime::each().for_each(records_go_back_on);
}

fn records_go_back_on(runtime: Runtime) {
    let kernel: Arc<Kernel> = runtime.kernel().clone();
    let outcome = runtime.run(async |cx| {
        for _ in 0..1000 {
            cx.spawn(async |_| Ok(()))?.join(&cx).await?.into_result()?;
        }
        let order = Arc::new(AtomicU32::new(0));
        let seen = order.clone();
        let inner: Outcome<(), _> = cx
            .region(RegionConfig::new(), async |scope, _| {
                for n in [3, 2, 1] {
                    let order = order.clone();
                    scope.defer_async(async move |cx| {
                        cx.sleep(Duration::from_millis(1)).await?;
                        assert_eq!(order.fetch_add(1, Relaxed) + 1, n);
                        Ok(())
                    })?;
                }
                Ok(())
            })
            .await;
        inner.into_result()?;
        Ok::<_, Failure>(seen.load(Relaxed))
    });
    assert!(matches!(outcome, Outcome::Ok(3)), "{outcome:?}");
    assert_eq!(kernel.owned_records(), (0, 0));
}
