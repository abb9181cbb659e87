//! The production drivers, as one type: a test runs on each of them.
#![allow(dead_code, reason = "each test uses a part")]

use std::sync::Arc;

use asr_base::{Error, Failure, Outcome};
use asr_kernel::sched::{Local, Workers, WorkersConfig};
use asr_kernel::{Config, Cx, Kernel};

/// Counts of workers that tests run on.
pub(crate) const COUNTS: [usize; 3] = [1, 2, 8];

/// A runtime of `count` workers.
pub(crate) fn workers(count: usize) -> Workers {
    Workers::new(WorkersConfig::workers(count), Config::default()).expect("threads")
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
