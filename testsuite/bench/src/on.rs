//! Where a workload runs.

use asr_base::{Failure, Outcome};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};

/// A kind of runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The driver of one thread.
    Local,
}

impl Place {
    /// What `ANCHOR_WORKERS` asks for.
    pub(crate) fn asked() -> Result<Place, String> {
        let workers = match std::env::var("ANCHOR_WORKERS") {
            Err(_) => 2,
            Ok(text) => text
                .parse()
                .map_err(|_| format!("ANCHOR_WORKERS={text} is not a number of threads"))?,
        };
        match workers {
            0 => Err("ANCHOR_WORKERS=0: somebody has to work".into()),
            _ => Ok(Place::Local),
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
        };
        match outcome {
            Outcome::Ok(value) => value,
            other => panic!("the workload ended {:?}", other.map(|_| ())),
        }
    }
}
