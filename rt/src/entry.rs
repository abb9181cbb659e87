//! How a program begins and ends whose main function is a task: what `#[asr_rt::main]` calls.

use std::error::Error as _;
use std::fmt::Write;
use std::process::ExitCode;

use asr_base::{Error, Failure, Outcome};
use asr_kernel::Cx;

use crate::Builder;

/// Runs `main` and says on standard error how it ended, unless it ended Ok.
///
/// The exit code is 0 after Ok, 101 after a panic, as for any Rust program, 2 if the runtime did
/// not start, and 1 otherwise.
pub fn run_main<F, Fut>(builder: Result<Builder, Error>, main: F) -> ExitCode
where
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let tasks = match builder.and_then(Builder::start) {
        Ok(tasks) => tasks,
        Err(error) => {
            eprintln!("error: the runtime does not start: {}", chain(&error));
            return ExitCode::from(2);
        }
    };
    match told(&tasks.run(main)) {
        None => ExitCode::SUCCESS,
        Some((said, code)) => {
            eprintln!("error: {said}");
            ExitCode::from(code)
        }
    }
}

/// What is said of an outcome, and the exit code.
fn told(outcome: &Outcome<(), Error>) -> Option<(String, u8)> {
    match outcome {
        Outcome::Ok(()) => None,
        Outcome::Err(error) => Some((format!("main failed: {}", chain(error)), 1)),
        Outcome::Cancelled(reason) => Some((format!("main was cancelled: {reason}"), 1)),
        Outcome::Panicked(payload) => Some((format!("main panicked: {payload}"), 101)),
    }
}

/// An error, and what it came from.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        write!(text, "\n  because of {cause}").expect("a string takes it");
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use asr_base::{CancelKind, CancelReason, Origin, Status, TaskId, Time};

    #[test]
    fn each_end_is_told() {
        assert_eq!(told(&Outcome::Ok(())), None);
        let inner = Error::new(Status::FULL, "queue of 8");
        let outer = Error::new(Status::REJECTED, "order 7").caused_by(inner);
        let (said, code) = told(&Outcome::Err(outer)).expect("an error");
        assert_eq!(
            said,
            "main failed: REJECTED: order 7\n  because of FULL: queue of 8"
        );
        assert_eq!(code, 1);
        let origin = Origin::Task(TaskId::new(1, 1));
        let reason = CancelReason::new(CancelKind::Shutdown, origin, Time::ZERO);
        let (said, code) = told(&Outcome::Cancelled(reason)).expect("a cancel");
        assert!(said.starts_with("main was cancelled: Shutdown"), "{said}");
        assert_eq!(code, 1);
    }
}
