//! The production drivers, as one type.

use std::sync::{Arc, Mutex, MutexGuard};

use asr_kernel::sched::{Local, Workers, WorkersConfig};
use asr_kernel::{Config, Kernel};
use asr_rt::{Cx, Error, Failure, Outcome};

pub(crate) enum Runtime {
    Local(Local),
    Workers(Workers),
}

impl Runtime {
    /// One thread, and 1, 2 and 8 workers.
    pub(crate) fn each() -> impl Iterator<Item = Runtime> {
        Runtime::each_with(Config::default())
    }

    /// The same with another configuration.
    pub(crate) fn each_with(config: Config) -> impl Iterator<Item = Runtime> {
        let own = config.clone();
        let local = std::iter::once_with(move || Runtime::Local(Local::new(own)));
        local.chain([1, 2, 8].into_iter().map(move |count| {
            let workers = Workers::new(WorkersConfig::workers(count), config.clone());
            Runtime::Workers(workers.expect("threads"))
        }))
    }

    pub(crate) fn workers(count: usize) -> Runtime {
        let workers = Workers::new(WorkersConfig::workers(count), Config::default());
        Runtime::Workers(workers.expect("threads"))
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

/// The value of a run that ended Ok.
pub(crate) fn done<T: std::fmt::Debug>(outcome: Outcome<T, Error>) -> T {
    match outcome {
        Outcome::Ok(value) => value,
        other => panic!("{other:?}"),
    }
}

/// Those that count `CLEANED`, or make others do so, run one by one.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    let locked = ALONE.lock();
    locked.unwrap_or_else(|poisoned| poisoned.into_inner())
}
