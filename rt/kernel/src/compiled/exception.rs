//! What compiled code threw, or was handed back, kept in the error that a task ends with.

use std::fmt;

use asr_abi::{Ret, status};
use asr_base::{Error, Status};

/// The value that came with a status above `CANCELLED`, or with `THREW`: the cause of the error of
/// the task, so that whoever joins it gets the very word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exception(pub u64);

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exception {:#x}", self.0)
    }
}

impl std::error::Error for Exception {}

impl Exception {
    /// The error of a function that ended so. Its status is neither `OK` nor `CANCELLED`.
    pub fn error(ret: Ret) -> Error {
        let code = u32::try_from(ret.status).unwrap_or(status::BAD_ARGUMENT);
        let kind = Status::from_code(code).unwrap_or(Status::BAD_ARGUMENT);
        let exception = Exception(ret.value);
        Error::new(kind, exception.to_string()).caused_by(exception)
    }

    /// Status and value that stand for an error in compiled code.
    pub fn ret(error: &Error) -> Ret {
        let word = error.cause().and_then(|cause| cause.downcast_ref());
        Ret {
            value: word.map_or(0, |&Exception(word)| word),
            status: u64::from(error.kind().code()),
        }
    }
}
