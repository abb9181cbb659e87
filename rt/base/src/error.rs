//! Errors: a status, a recoverability, a message without secrets, a cause (VAL-9).
//!
//! Retry and repair look at the recoverability only. A chain of causes may be as long as a loop
//! makes it: dropping and printing it take no stack.

use core::any::Any;
use core::fmt;
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

use asr_abi::codes::{Series, find};

/// A number of the status table (VAL-33).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Status(u32);

macro_rules! statuses {
    ($($name:ident)*) => {
        impl Status {
            $(
                #[doc = concat!("`", stringify!($name), "` of the status table.")]
                pub const $name: Status = Status(asr_abi::status::$name);
            )*
        }
    };
}

statuses! {
    OK PENDING THREW CANCELLED CLOSED REGION_CLOSING REGION_CLOSED STALE_HANDLE ALREADY_RESOLVED
    NOT_HOLDER QUOTA_EXCEEDED FULL EMPTY LAGGED TIMED_OUT WRONG_TYPE CAP_DENIED NO_HANDLER
    DUPLICATE UNKNOWN_COMPUTATION IDEMPOTENCY_CONFLICT VERSION_UNSUPPORTED BAD_FRAME LEASE_EXPIRED
    CYCLE POISONED REJECTED UNSUPPORTED BAD_ARGUMENT DIVERGED CORRUPT SHUTDOWN QUARANTINED CONFLICT
    STEP_LIMIT MASK_LIMIT IO BUSY
}

impl Status {
    /// The status with this number, if the table has it.
    pub fn from_code(code: u32) -> Option<Status> {
        find(Series::S, code).map(|row| Status(row.number))
    }

    /// Its number.
    pub const fn code(self) -> u32 {
        self.0
    }

    /// Its name in the table.
    pub fn name(self) -> &'static str {
        find(Series::S, self.0).map_or("?", |row| row.name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Would the same call do better next time?
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(u8)]
pub enum Recoverability {
    /// It may.
    Transient = 0,
    /// It would not.
    Permanent = 1,
    /// Nobody knows.
    #[default]
    Unknown = 2,
}

/// What went wrong. One pointer; a clone shares it.
///
/// ```
/// use asr_base::{Error, Status};
///
/// let full = Error::new(Status::FULL, "queue of 8").transient();
/// let outer = Error::new(Status::REJECTED, "order 7").caused_by(full);
/// assert_eq!(outer.to_string(), "REJECTED: order 7");
/// assert_eq!(outer.cause().unwrap().to_string(), "FULL: queue of 8");
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: Status,
    recoverability: Recoverability,
    message: Box<str>,
    cause: Option<Cause>,
}

#[derive(Clone)]
enum Cause {
    /// One of our own, which a long chain is made of.
    Own(Error),
    Other(Arc<dyn StdError + Send + Sync>),
}

impl Cause {
    fn get(&self) -> &(dyn StdError + Send + Sync + 'static) {
        match self {
            Cause::Own(error) => error,
            Cause::Other(error) => &**error,
        }
    }
}

/// Takes a long chain apart link by link, as far as nobody else holds it.
impl Drop for Inner {
    fn drop(&mut self) {
        let mut next = self.cause.take();
        while let Some(Cause::Own(error)) = next {
            next = Arc::into_inner(error.0).and_then(|mut inner| inner.cause.take());
        }
    }
}

impl Error {
    /// An error of unknown recoverability. The message says which thing and which limit; secrets
    /// have no place in it.
    pub fn new(kind: Status, message: impl Into<String>) -> Error {
        Error(Arc::new(Inner {
            kind,
            recoverability: Recoverability::Unknown,
            message: message.into().into_boxed_str(),
            cause: None,
        }))
    }

    /// The same error, known to come again.
    #[must_use]
    pub fn permanent(self) -> Error {
        self.with(|inner| inner.recoverability = Recoverability::Permanent)
    }

    /// The same error, known to pass.
    #[must_use]
    pub fn transient(self) -> Error {
        self.with(|inner| inner.recoverability = Recoverability::Transient)
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(self, cause: impl StdError + Send + Sync + 'static) -> Error {
        let own = (&cause as &dyn Any).downcast_ref::<Error>().cloned();
        let cause = own.map_or_else(|| Cause::Other(Arc::new(cause)), Cause::Own);
        self.with(|inner| inner.cause = Some(cause))
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Error {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Its row of the status table.
    pub fn kind(&self) -> Status {
        self.0.kind
    }

    /// Whether a retry may help.
    pub fn recoverability(&self) -> Recoverability {
        self.0.recoverability
    }

    /// Does it come again for sure?
    pub fn is_permanent(&self) -> bool {
        self.0.recoverability == Recoverability::Permanent
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What it came from.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.cause.as_ref().map(Cause::get)
    }
}

/// Equal kind, recoverability and message. Causes are for people; they take no part.
impl PartialEq for Error {
    fn eq(&self, other: &Error) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.key() == other.key()
    }
}

impl Eq for Error {}

impl Error {
    /// What equality and order look at.
    pub(crate) fn key(&self) -> (Status, Recoverability, &str) {
        (self.0.kind, self.0.recoverability, &self.0.message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.message.is_empty() {
            return fmt::Display::fmt(&self.0.kind, f);
        }
        write!(f, "{}: {}", self.0.kind, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("recoverability", &self.0.recoverability)
            .field("message", &self.0.message)
            .field("cause", &self.cause().map(ToString::to_string))
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .cause
            .as_ref()
            .map(|cause| cause.get() as &(dyn StdError + 'static))
    }
}

/// A text alone is an exception of the program.
impl From<String> for Error {
    fn from(message: String) -> Error {
        Error::new(Status::THREW, message)
    }
}

/// A text alone is an exception of the program.
impl From<&str> for Error {
    fn from(message: &str) -> Error {
        Error::new(Status::THREW, message)
    }
}

/// A status alone says its own name.
impl From<Status> for Error {
    fn from(status: Status) -> Error {
        Error::new(status, "")
    }
}

impl From<fmt::Error> for Error {
    fn from(error: fmt::Error) -> Error {
        Error::new(Status::THREW, "a value could not be written as text").caused_by(error)
    }
}

/// `IO`, with the error of the system as cause. Transient where the system says "try again".
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        use io::ErrorKind::{Interrupted, NotFound, PermissionDenied, TimedOut, WouldBlock};
        let kind = error.kind();
        let new = Error::new(Status::IO, error.to_string()).caused_by(error);
        match kind {
            Interrupted | TimedOut | WouldBlock => new.transient(),
            NotFound | PermissionDenied => new.permanent(),
            _ => new,
        }
    }
}

/// What a cancel point returns: a cancel was observed. It says no more: the reason is the task's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a cancel was observed")
    }
}

impl StdError for Interrupted {}
