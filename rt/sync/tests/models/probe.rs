//! Futures that are polled by hand.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};

use asr_base::{Failure, Outcome};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// A future, and whether it was woken since its last poll.
pub(crate) struct Probe<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    flag: Arc<Flag>,
}

impl<'a, T> Probe<'a, T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'a) -> Probe<'a, T> {
        Probe {
            future: Box::pin(future),
            flag: Arc::new(Flag(AtomicBool::new(false))),
        }
    }

    pub(crate) fn poll(&mut self) -> Poll<T> {
        self.flag.0.store(false, Relaxed);
        let waker = Waker::from(self.flag.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.flag.0.load(Relaxed)
    }
}

/// Runs a check in a task whose operations are not cut short by cooperation.
pub(crate) fn run(check: impl FnOnce(&Cx) + Send + 'static) {
    let mut config = Config::default();
    config.coop_budget = u8::MAX;
    let outcome = Local::new(config).run(async move |cx| {
        check(&cx);
        Ok::<(), Failure>(())
    });
    assert!(matches!(outcome, Outcome::Ok(())), "{outcome:?}");
}
