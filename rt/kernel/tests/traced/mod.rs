//! A traced run on the local driver, and denials.
#![allow(dead_code, reason = "each test program uses some of it")]

use std::sync::Arc;

use asr_base::{Error, Failure, Outcome, Status, TaskId};
use asr_kernel::sched::Local;
use asr_kernel::{Config, Cx};
use asr_trace::{Log, Recorder, Sub};

/// Runs `main` and gives back its value and the trace.
pub(crate) fn traced<T, F, Fut>(main: F) -> (T, Log)
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<T, Failure>> + Send + 'static,
    T: Send + std::fmt::Debug + 'static,
{
    let local = Local::new(Config::default());
    let recorder = Arc::new(Recorder::lab(1024));
    local.kernel().trace().set(recorder.clone());
    match local.run(main) {
        Outcome::Ok(value) => (value, recorder.take()),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(crate) fn denied<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert_eq!(result.expect_err("denied").kind(), Status::CAP_DENIED);
}

/// (operation, token, task) of each denial.
pub(crate) fn events(log: &Log) -> Vec<(u64, u64, Option<TaskId>)> {
    let denials = log.iter().filter(|event| event.sub == Sub::CapDenied);
    denials.map(|e| (e.a, e.b, e.task)).collect()
}
