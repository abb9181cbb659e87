//! Programs whose assertions hold in every schedule. `local` runs them on one thread, `workers` on
//! several, and the test suite in the lab under many seeds.
#![allow(dead_code, reason = "each of them runs a part")]

pub(crate) mod acks;
pub(crate) mod channels;
pub(crate) mod combine;
pub(crate) mod locks;
pub(crate) mod notify;
pub(crate) mod oneshots;
pub(crate) mod semaphore;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use asr_base::{Failure, Interrupted};
use asr_kernel::Cx;

/// Lets others run until `done`, for at most 100 000 turns.
pub(crate) async fn until(cx: &Cx, mut done: impl FnMut() -> bool) -> Result<(), Interrupted> {
    for _ in 0..100_000 {
        if done() {
            return Ok(());
        }
        cx.yield_now().await?;
    }
    panic!("it does not come to pass");
}

/// Polls once, with the waker of the task.
pub(crate) async fn once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await
}

/// What every body returns.
pub(crate) type Done = Result<(), Failure>;
