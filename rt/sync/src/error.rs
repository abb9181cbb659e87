//! Why something was not done. What was to be handed over is handed back.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use asr_base::Interrupted;
use asr_base::{Error, Failure, Status};

/// The other side, or the thing itself, is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Closed<T = ()>(pub T);

impl<T> fmt::Display for Closed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("closed")
    }
}

impl<T: fmt::Debug> std::error::Error for Closed<T> {}

/// Why a wait ended without what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitError {
    /// What was waited for will not come: the primitive is closed.
    Closed,
    /// The task was cancelled.
    Interrupted,
    /// More was asked for than there is, or nothing.
    BadArgument,
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WaitError::Closed => "closed",
            WaitError::Interrupted => "interrupted",
            WaitError::BadArgument => "none, or more than there are",
        })
    }
}

impl std::error::Error for WaitError {}

/// Why a message was not sent. Here it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SendError<T> {
    /// The receiver is gone, or the channel was closed.
    Closed(T),
    /// The task was cancelled.
    Interrupted(T),
}

impl<T> SendError<T> {
    /// The message.
    pub fn into_inner(self) -> T {
        match self {
            SendError::Closed(value) | SendError::Interrupted(value) => value,
        }
    }
}

/// Why a message was not sent at once. Here it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrySendError<T> {
    /// There is no room.
    Full(T),
    /// The receiver is gone, or the channel was closed.
    Closed(T),
}

/// Why there was no room at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryReserveError {
    /// There is none.
    Full,
    /// The receiver is gone, the channel was closed, or the task of the context has ended.
    Closed,
}

/// Why no message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecvError {
    /// None will come.
    Closed,
    /// The task was cancelled.
    Interrupted,
}

/// Why there was no message at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TryRecvError {
    /// There is none yet.
    Empty,
    /// None will come.
    Closed,
}

macro_rules! words {
    ($($name:ident $(<$value:ident>)? { $($variant:pat => $words:literal,)* })*) => {$(
        impl$(<$value>)? fmt::Display for $name$(<$value>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($variant => $words,)* })
            }
        }
        impl$(<$value: fmt::Debug>)? std::error::Error for $name$(<$value>)? {}
    )*};
}

words! {
    SendError<T> {
        SendError::Closed(_) => "closed",
        SendError::Interrupted(_) => "interrupted",
    }
    TrySendError<T> {
        TrySendError::Full(_) => "full",
        TrySendError::Closed(_) => "closed",
    }
    TryReserveError {
        TryReserveError::Full => "full",
        TryReserveError::Closed => "closed",
    }
    RecvError {
        RecvError::Closed => "closed",
        RecvError::Interrupted => "interrupted",
    }
    TryRecvError {
        TryRecvError::Empty => "empty",
        TryRecvError::Closed => "closed",
    }
    TryAcquireError {
        TryAcquireError::Empty => "too few are free",
        TryAcquireError::Closed => "closed",
        TryAcquireError::BadArgument => "none, or more than there are",
    }
}

impl<T> From<SendError<T>> for Failure {
    fn from(error: SendError<T>) -> Failure {
        match error {
            SendError::Closed(_) => closed().into(),
            SendError::Interrupted(_) => Interrupted.into(),
        }
    }
}

impl<T> From<TrySendError<T>> for Failure {
    fn from(error: TrySendError<T>) -> Failure {
        match error {
            TrySendError::Full(_) => Error::new(Status::FULL, "there is no room").into(),
            TrySendError::Closed(_) => closed().into(),
        }
    }
}

impl From<RecvError> for Failure {
    fn from(error: RecvError) -> Failure {
        match error {
            RecvError::Closed => closed().into(),
            RecvError::Interrupted => Interrupted.into(),
        }
    }
}

/// Why there was no permit at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// Too few are free.
    Empty,
    /// No more are given out, or the task of the context has ended.
    Closed,
    /// More was asked for than there is, or nothing.
    BadArgument,
}

/// Why a lock was not taken at once.
pub enum TryLockError<G> {
    /// Somebody holds it.
    Held,
    /// A holder panicked, or was cancelled in a critical section. The guard is there all the same.
    Poisoned(G),
    /// The task of the context has ended.
    Closed,
}

impl<G> fmt::Debug for TryLockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryLockError::Held => "Held",
            TryLockError::Poisoned(_) => "Poisoned(..)",
            TryLockError::Closed => "Closed",
        })
    }
}

impl<G> fmt::Display for TryLockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryLockError::Held => "held by another",
            TryLockError::Poisoned(_) => "poisoned",
            TryLockError::Closed => "closed",
        })
    }
}

impl<G> std::error::Error for TryLockError<G> {}

/// Why a lock was not taken as it should be.
pub enum LockError<G> {
    /// A holder panicked, or was cancelled in a critical section. The guard is there all the same:
    /// look, mend, and clear it.
    Poisoned(G),
    /// The task was cancelled.
    Interrupted,
}

impl<G> LockError<G> {
    /// The guard, poisoned or not.
    ///
    /// # Errors
    /// The task was cancelled.
    pub fn into_guard(self) -> Result<G, Interrupted> {
        match self {
            LockError::Poisoned(guard) => Ok(guard),
            LockError::Interrupted => Err(Interrupted),
        }
    }
}

impl<G> fmt::Debug for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LockError::Poisoned(_) => "Poisoned(..)",
            LockError::Interrupted => "Interrupted",
        })
    }
}

impl<G> fmt::Display for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LockError::Poisoned(_) => "poisoned",
            LockError::Interrupted => "interrupted",
        })
    }
}

impl<G> std::error::Error for LockError<G> {}

/// `CLOSED`.
fn closed() -> Error {
    Error::new(Status::CLOSED, "the other side is closed")
}

impl<T> From<Closed<T>> for Error {
    fn from(_: Closed<T>) -> Error {
        closed()
    }
}

impl<T> From<Closed<T>> for Failure {
    fn from(_: Closed<T>) -> Failure {
        closed().into()
    }
}

impl From<WaitError> for Failure {
    fn from(error: WaitError) -> Failure {
        match error {
            WaitError::Closed => closed().into(),
            WaitError::Interrupted => Interrupted.into(),
            WaitError::BadArgument => Error::new(Status::BAD_ARGUMENT, error.to_string()).into(),
        }
    }
}

impl<G> From<LockError<G>> for Failure {
    fn from(error: LockError<G>) -> Failure {
        match error {
            LockError::Poisoned(_) => {
                Error::new(Status::POISONED, "a holder of the lock panicked").into()
            }
            LockError::Interrupted => Interrupted.into(),
        }
    }
}

/// Runs code of a user where nobody can take its panic: the panic hook has reported it by then.
pub(crate) fn quietly(run: impl FnOnce()) {
    let panic = catch_unwind(AssertUnwindSafe(run)).err();
    // What it carries may panic again as it goes.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(panic)));
}
