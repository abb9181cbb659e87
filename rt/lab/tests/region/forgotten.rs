//! Futures of regions that are forgotten half-way: nobody polls or drops what they hold, and their
//! regions end with the task that opened them.

use std::future::poll_fn;
use std::mem::ManuallyDrop;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use asr_base::{CancelKind, Error, Failure, Outcome, Time};
use asr_kernel::{Cx, JoinHandle, RegionConfig, Scope};
use parking_lot::Mutex;

use crate::checked::seeds;
use crate::common::{cancelled, forever, ok, run, turn};

/// Polls a future so many times, and forgets it.
async fn forgets<F: Future>(future: F, times: u32) -> Option<F::Output> {
    let mut future = ManuallyDrop::new(Box::pin(future));
    let mut left = times;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

#[derive(Default)]
struct Marks {
    frames: AtomicU32,
    tasks: AtomicU32,
    registered: AtomicU32,
    finalized: AtomicU32,
}

/// Counts the frames that are there.
struct Frame<'m>(&'m AtomicU32);

impl<'m> Frame<'m> {
    fn new(count: &'m AtomicU32) -> Frame<'m> {
        count.fetch_add(1, Relaxed);
        Frame(count)
    }
}

impl Drop for Frame<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Fibers that wait, are in their finalizers, or have ended; a task in cleanup; a region inside.
async fn busy<'e>(scope: Scope<'e>, cx: Cx, marks: Arc<Marks>) -> Result<(), Failure> {
    let frames = Frame::new(&marks.frames);
    let count = marks.clone();
    marks.registered.fetch_add(1, Relaxed);
    scope.defer_async(async move |cx| {
        cx.sleep(Duration::from_secs(1)).await?;
        count.finalized.fetch_add(1, Relaxed);
        Ok(())
    })?;
    for waits in [false, true] {
        let marks = marks.clone();
        let _ = scope.fiber(async move |cx| {
            let _frame = Frame::new(&marks.frames);
            let count = marks.clone();
            marks.registered.fetch_add(1, Relaxed);
            cx.defer_task_async(async move |cx| {
                cx.sleep(Duration::from_secs(1)).await?;
                count.finalized.fetch_add(1, Relaxed);
                Ok(())
            })?;
            if waits {
                forever().await;
            }
            cx.yield_now().await?;
            Ok(String::from("a value that borrows nothing"))
        })?;
    }
    let inside = marks.clone();
    let _ = scope.spawn(async move |cx| {
        inside.tasks.fetch_add(1, Relaxed);
        let slept = cx.sleep(Duration::from_secs(9)).await;
        cx.mask(9, cx.sleep(Duration::from_secs(2))).await??;
        inside.tasks.fetch_sub(1, Relaxed);
        Ok(slept?)
    })?;
    let nested = cx.region(RegionConfig::new(), async |scope, _| {
        let _ = scope.fiber(async |_| {
            let _frame = Frame::new(&marks.frames);
            forever().await;
            Ok(())
        })?;
        forever().await;
        Ok(())
    });
    let nested: Outcome<(), Error> = nested.await;
    drop(frames);
    nested.into_result()
}

/// Forgotten after each number of polls: the region around it closes, every finalizer runs, and
/// no frame is dropped after that.
#[test]
fn reg_36_forgotten_at_every_poll() {
    for times in 0..12 {
        let ran = run(async move |cx| {
            let marks = Arc::new(Marks::default());
            let seen = marks.clone();
            let frames = Arc::new(AtomicU32::new(0));
            let count = frames.clone();
            let outcome: Outcome<(), _> = cx
                .region(RegionConfig::new(), async |_, cx| {
                    let body = |scope, cx| busy(scope, cx, marks);
                    let ended = forgets(cx.region(RegionConfig::new(), body), times).await;
                    assert!(ended.is_none());
                    count.store(seen.frames.load(Relaxed), Relaxed);
                    Ok(())
                })
                .await;
            assert_eq!(outcome, Outcome::Ok(()), "after {times} polls");
            assert_eq!(seen.frames.load(Relaxed), frames.load(Relaxed));
            assert_eq!(seen.tasks.load(Relaxed), 0);
            let finalized = seen.finalized.load(Relaxed);
            assert_eq!(
                finalized,
                seen.registered.load(Relaxed),
                "after {times} polls"
            );
            Ok(cx.now())
        });
        let (ended, _) = ok(ran);
        let nothing = Time::ZERO;
        assert_eq!(ended > nothing, times > 0, "it waited for what cleans up");
    }
}

/// A handle that was taken out of the scope before: who joins it is told.
#[test]
fn reg_36_a_handle_outlives_its_forgotten_scope() {
    let ran = run(async |cx| {
        let handle: Arc<Mutex<Option<JoinHandle<u32>>>> = Arc::default();
        let kept = handle.clone();
        let opener = cx.spawn(async move |cx| {
            let region = cx.region(RegionConfig::new(), async |scope, _| {
                *kept.lock() = Some(scope.fiber(async |_| {
                    forever().await;
                    Ok(7)
                })?);
                forever().await;
                Ok(())
            });
            let ended: Option<Outcome<(), Error>> = forgets(region, 2).await;
            assert!(ended.is_none());
            Ok(())
        })?;
        opener.join(&cx).await?.into_result()?;
        let handle = handle.lock().take().expect("the body ran");
        let reason = cancelled(handle.join(&cx).await?);
        assert_eq!(reason.root().kind(), CancelKind::RaceLost);
        assert!(reason.escalated());
        Ok(())
    });
    ok(ran);
}

/// The future of a region in another task than the one that opened it, which ends first: the region
/// ends with its opener (REG-5), and whoever polls it gets the outcome.
#[test]
fn reg_5_a_scope_ends_with_its_opener_wherever_it_is() {
    seeds(30, || {
        async |cx: Cx| {
            type Region = Pin<Box<dyn Future<Output = Outcome<(), Error>> + Send>>;
            let place: Arc<Mutex<Option<Region>>> = Arc::default();
            let put = place.clone();
            let opener = cx.spawn(async move |cx| {
                let mut region: Region = Box::pin(async move {
                    let body = async |scope: Scope<'_>, cx: Cx| {
                        let _ = scope
                            .fiber(async |cx| Ok(cx.sleep(Duration::from_secs(99)).await?))?;
                        Ok(cx.sleep(Duration::from_secs(99)).await?)
                    };
                    cx.region(RegionConfig::new(), body).await
                });
                poll_fn(|context| {
                    let _ = region.as_mut().poll(context);
                    Poll::Ready(())
                })
                .await;
                *put.lock() = Some(region);
                turn().await;
                Ok(())
            })?;
            while place.lock().is_none() {
                cx.yield_now().await?;
            }
            let region = place.lock().take().expect("looked at above");
            let reason = cancelled(pin!(region).await);
            assert_eq!(reason.root().kind(), CancelKind::RaceLost);
            opener.join(&cx).await?.into_result()?;
            Ok(())
        }
    });
}
