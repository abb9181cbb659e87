//! What a refused spawn or registration gives back.

use std::fmt;

use asr_base::{Error, Failure, Status};

/// A refused spawn or registration: the closure comes back unused (REG-3).
pub struct SpawnError<F> {
    status: Status,
    /// What was to run.
    pub closure: F,
}

impl<F> SpawnError<F> {
    pub(crate) fn new(status: Status, closure: F) -> SpawnError<F> {
        SpawnError { status, closure }
    }

    /// `REGION_CLOSING`, `REGION_CLOSED`, `SHUTDOWN` or `CAP_DENIED`.
    pub fn status(&self) -> Status {
        self.status
    }
}

impl<F> fmt::Debug for SpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SpawnError").field(&self.status).finish()
    }
}

impl<F> fmt::Display for SpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing was started: {}", self.status.name())
    }
}

impl<F> std::error::Error for SpawnError<F> {}

impl<F> From<SpawnError<F>> for Error {
    fn from(refused: SpawnError<F>) -> Error {
        let what = match refused.status {
            Status::CAP_DENIED => "the context or handle lacks the token",
            _ => "the region admits nothing any more",
        };
        Error::new(refused.status, what)
    }
}

impl<F> From<SpawnError<F>> for Failure {
    fn from(refused: SpawnError<F>) -> Failure {
        Failure::Err(refused.into())
    }
}

/// States in which a region refuses, as the status the caller gets (REG-3).
pub(crate) fn refusal(state: super::word::State) -> asr_base::Status {
    if state == super::word::State::Closed {
        asr_base::Status::REGION_CLOSED
    } else {
        asr_base::Status::REGION_CLOSING
    }
}
