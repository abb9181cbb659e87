//! Where a workload runs.

use asr_base::{Failure, Outcome};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx, Workers, WorkersConfig};

/// A kind of runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The driver of one thread.
    Local,
    /// So many worker threads.
    Workers(usize),
}

impl Place {
    /// What `ANCHOR_WORKERS` and the name of the program ask for.
    pub(crate) fn asked() -> Result<Place, String> {
        let name = std::env::args().next().unwrap_or_default();
        if name.ends_with("-one") {
            return Ok(Place::Local);
        }
        let workers = match std::env::var("ANCHOR_WORKERS") {
            Err(_) => 2,
            Ok(text) => text
                .parse()
                .map_err(|_| format!("ANCHOR_WORKERS={text} is not a number of threads"))?,
        };
        match workers {
            0 => Err("ANCHOR_WORKERS=0: somebody has to work".into()),
            1 => Ok(Place::Local),
            workers => Ok(Place::Workers(workers)),
        }
    }

    /// The same kind with one thread, for one of two runtimes.
    pub(crate) fn alone(self) -> Place {
        match self {
            Place::Local => Place::Local,
            Place::Workers(_) => Place::Workers(1),
        }
    }

    /// Runs `main` as a task of a new runtime until nothing of it runs any more.
    pub(crate) fn run<T, F, Fut>(self, main: F) -> T
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        let outcome = match self {
            Place::Local => Local::new(Config::default()).run(main),
            Place::Workers(workers) => {
                let workers = WorkersConfig::workers(workers);
                let runtime = Workers::new(workers, Config::default());
                runtime.expect("the system gives threads").run(main)
            }
        };
        match outcome {
            Outcome::Ok(value) => value,
            other => panic!("the workload ended {:?}", other.map(|_| ())),
        }
    }
}
