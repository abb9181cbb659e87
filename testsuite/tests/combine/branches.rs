//! What the tests give to combinators, and what they see of it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use asr_base::{CancelKind, Error, Failure, Status, Time};
use asr_kernel::Cx;
use parking_lot::Mutex;

use crate::common::turn;

pub(crate) fn secs(n: u64) -> Time {
    Time::from_nanos(n * 1_000_000_000)
}

pub(crate) fn second(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) fn fails(what: &str) -> Failure {
    Error::new(Status::BAD_ARGUMENT, what).into()
}

/// A branch that ends in its first poll.
pub(crate) type Quick = fn(Cx) -> std::future::Ready<Result<(), Failure>>;

/// No branch.
pub(crate) fn none() -> [Quick; 0] {
    []
}

/// What became of the branches of a call.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) begun: AtomicU32,
    pub(crate) live: AtomicU32,
    /// The kinds of cancel that branches observed.
    pub(crate) kinds: Mutex<Vec<CancelKind>>,
}

/// A branch that is there.
struct Lives<'s>(&'s AtomicU32);

impl<'s> Lives<'s> {
    fn new(count: &'s AtomicU32) -> Lives<'s> {
        count.fetch_add(1, Relaxed);
        Lives(count)
    }
}

impl Drop for Lives<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl Seen {
    pub(crate) fn new() -> Arc<Seen> {
        Arc::default()
    }

    pub(crate) fn live(&self) -> u32 {
        self.live.load(Relaxed)
    }

    /// Sleeps for `delay`, and gives `value`. If it is cancelled, it cleans up for `cleanup`.
    pub(crate) async fn branch<T>(
        &self,
        cx: Cx,
        delay: Duration,
        cleanup: Duration,
        value: T,
    ) -> Result<T, Failure> {
        let _lives = Lives::new(&self.live);
        self.begun.fetch_add(1, Relaxed);
        let slept = cx.sleep(delay).await;
        if slept.is_err() {
            let reason = cx.cancel_reason().expect("it was cancelled");
            self.kinds.lock().push(reason.kind());
            cx.mask(99, cx.sleep(cleanup)).await??;
        }
        slept?;
        Ok(value)
    }

    /// Gives way so many times.
    pub(crate) async fn turns<T>(&self, cx: Cx, turns: u32, value: T) -> Result<T, Failure> {
        let _lives = Lives::new(&self.live);
        self.begun.fetch_add(1, Relaxed);
        for _ in 0..turns {
            if let Err(interrupted) = cx.yield_now().await {
                let reason = cx.cancel_reason().expect("it was cancelled");
                self.kinds.lock().push(reason.kind());
                turn().await;
                return Err(interrupted.into());
            }
        }
        Ok(value)
    }
}

/// Polls a future so many times, and drops it.
pub(crate) async fn polls<F: Future>(future: F, times: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        }
    })
    .await
}
