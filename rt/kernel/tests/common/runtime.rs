//! The production drivers, as one type: a test runs on each of them.
#![allow(dead_code, reason = "each test uses a part")]

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use asr_base::{Error, Failure, Outcome};
use asr_kernel::sched::{Local, Workers, WorkersConfig};
use asr_kernel::{Config, Cx, JoinHandle, Kernel, Spawn};

/// Counts of workers that tests run on.
pub(crate) const COUNTS: [usize; 3] = [1, 2, 8];

/// A runtime of `count` workers.
pub(crate) fn workers(count: usize) -> Workers {
    Workers::new(WorkersConfig::workers(count), Config::default()).expect("threads")
}

/// Waits until all workers sleep, and the ticker with them.
pub(crate) fn settle(runtime: &Workers) {
    let mut ticks = u64::MAX;
    while runtime.idle().0 < runtime.stats().len() || runtime.ticks() != ticks {
        ticks = runtime.ticks();
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

/// One of the drivers.
pub(crate) enum Runtime {
    Local(Local),
    Workers(Workers),
}

impl Runtime {
    /// One thread, and workers of each count.
    pub(crate) fn each() -> impl Iterator<Item = Runtime> {
        let local = std::iter::once_with(|| Runtime::Local(Local::new(Config::default())));
        local.chain(COUNTS.map(|count| Runtime::Workers(workers(count))))
    }

    pub(crate) fn kernel(&self) -> &Arc<Kernel> {
        match self {
            Runtime::Local(local) => local.kernel(),
            Runtime::Workers(workers) => workers.kernel(),
        }
    }

    pub(crate) fn run<T, F, Fut>(&self, main: F) -> Outcome<T, Error>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        match self {
            Runtime::Local(local) => local.run(main),
            Runtime::Workers(workers) => workers.run(main),
        }
    }
}

/// On one worker.
pub(crate) fn on(worker: usize) -> Spawn {
    Spawn::new().pin(worker as u16)
}

/// The value of a run that ended Ok.
pub(crate) fn done<T: std::fmt::Debug>(outcome: Outcome<T, Error>) -> T {
    match outcome {
        Outcome::Ok(value) => value,
        other => panic!("{other:?}"),
    }
}

/// The values of all, in order.
pub(crate) async fn all<T>(cx: &Cx, tasks: Vec<JoinHandle<T>>) -> Result<Vec<T>, Failure> {
    let mut values = Vec::new();
    for task in tasks {
        values.push(task.join(cx).await?.into_result()?);
    }
    Ok(values)
}

/// Gives way once; no cancel point.
pub(crate) async fn turn() {
    let mut first = true;
    poll_fn(|context| {
        if std::mem::take(&mut first) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}
