//! What the models share: threads that wait as tasks do.
#![allow(dead_code, reason = "each model uses a part")]

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::sync::Notify;

/// Up to two preemptions: with three, each of these models runs for a minute, and shows no more.
pub(crate) fn model(check: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(check);
}

/// Wakes a thread.
struct Signal(Notify);

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

/// Polls until it is ready; loom finds a wake that is missing.
pub(crate) fn wait<T>(mut poll: impl FnMut(&Waker) -> Poll<T>) -> T {
    let signal = Arc::new(Signal(Notify::new()));
    let waker = Waker::from(signal.clone());
    loop {
        if let Poll::Ready(value) = poll(&waker) {
            return value;
        }
        signal.0.wait();
    }
}

/// Polls once.
pub(crate) fn once<T>(mut poll: impl FnMut(&Waker) -> Poll<T>) -> Poll<T> {
    let context = Context::from_waker(Waker::noop());
    poll(context.waker())
}
