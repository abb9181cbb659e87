//! A runtime for tasks.

use std::fmt;
use std::sync::Arc;

use asr_base::{Error, Failure, Outcome};
use asr_kernel::{Config, Cx, Kernel, Workers, WorkersConfig};
use asr_trace::Recorder;

/// A runtime that is ready to run a main task: its kernel, and the threads that poll. Dropped
/// without a run, it ends them.
///
/// ```
/// use asr_rt::{Builder, Outcome};
///
/// let tasks = Builder::new().start()?;
/// // Another thread may ask the kernel, or end everything.
/// let kernel = tasks.kernel().clone();
/// let outcome = tasks.run(async |cx| {
///     cx.yield_now().await?;
///     Ok("done")
/// });
/// assert!(matches!(outcome, Outcome::Ok("done")));
/// assert!(kernel.is_closed());
/// # Ok::<(), asr_rt::Error>(())
/// ```
pub struct Tasks {
    workers: Workers,
    recorder: Option<Arc<Recorder>>,
}

impl Tasks {
    pub(crate) fn start(
        workers: WorkersConfig,
        config: Config,
        recorder: Option<Arc<Recorder>>,
    ) -> Result<Tasks, Error> {
        let workers = Workers::new(workers, config)?;
        if let Some(recorder) = &recorder {
            workers.kernel().trace_to(recorder.clone());
        }
        Ok(Tasks { workers, recorder })
    }

    /// What records the events of the run, if [`Builder::trace_events`](crate::Builder) says so.
    pub fn recorder(&self) -> Option<&Arc<Recorder>> {
        self.recorder.as_ref()
    }

    /// The kernel: ask it, trace it, shut it down, from any thread.
    pub fn kernel(&self) -> &Arc<Kernel> {
        self.workers.kernel()
    }

    /// Runs `main` as the first task, then closes the root region, and returns when nothing runs
    /// any more. The outcome is that of `main`. The calling thread waits; tasks run on the workers.
    ///
    /// After a shutdown whose grace has ended it returns as well, with an `Err` of kind `TIMED_OUT`
    /// that names each task that is left (CAN-26).
    pub fn run<T, F, Fut>(self, main: F) -> Outcome<T, Error>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, Failure>> + Send + 'static,
        T: Send + 'static,
    {
        self.workers.run(main)
    }
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tasks").finish_non_exhaustive()
    }
}
