//! What code that knows nothing of regions does with their futures.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

/// Polls a future that often, each time it is woken, and drops it: what a foreign select does with
/// a branch that loses. The output, if it came before.
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
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Polls its future only when the waker that it gave it was woken.
pub(crate) struct ThroughOwnWaker<F> {
    future: Pin<Box<F>>,
    flag: Arc<Flag>,
}

struct Flag {
    woken: AtomicBool,
    outer: Mutex<Option<Waker>>,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Relaxed);
        if let Some(outer) = self.outer.lock().take() {
            outer.wake();
        }
    }
}

impl<F> ThroughOwnWaker<F> {
    pub(crate) fn new(future: F) -> ThroughOwnWaker<F> {
        let flag = Flag {
            woken: AtomicBool::new(true),
            outer: Mutex::new(None),
        };
        ThroughOwnWaker {
            future: Box::pin(future),
            flag: Arc::new(flag),
        }
    }
}

impl<F: Future> Future for ThroughOwnWaker<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        *self.flag.outer.lock() = Some(context.waker().clone());
        if !self.flag.woken.swap(false, Relaxed) {
            return Poll::Pending;
        }
        let waker = Waker::from(self.flag.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}
