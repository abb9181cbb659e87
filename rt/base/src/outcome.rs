//! The four outcomes, and how two of them combine (VAL-1 to VAL-5, VAL-11).

use core::fmt;
use std::io;

use crate::cancel::CancelReason;
use crate::error::{Error, Interrupted};
use crate::panic::PanicPayload;
use crate::severity::{Select, Severity, SeverityTable};

/// How a computation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
#[must_use = "an outcome may be a failure"]
pub enum Outcome<T, E = Error> {
    /// With a value.
    Ok(T),
    /// With an error.
    Err(E),
    /// It was cancelled.
    Cancelled(CancelReason),
    /// It panicked.
    Panicked(PanicPayload),
}

/// How a computation failed: the error side of an outcome, with all three kinds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure<E = Error> {
    /// With an error.
    Err(E),
    /// It was cancelled.
    Cancelled(CancelReason),
    /// It panicked.
    Panicked(PanicPayload),
}

impl<T, E> Outcome<T, E> {
    /// How bad it is.
    pub const fn severity(&self) -> Severity {
        match self {
            Outcome::Ok(_) => Severity::Ok,
            Outcome::Err(_) => Severity::Err,
            Outcome::Cancelled(_) => Severity::Cancelled,
            Outcome::Panicked(_) => Severity::Panicked,
        }
    }

    /// Does it have a value?
    pub const fn is_ok(&self) -> bool {
        matches!(self, Outcome::Ok(_))
    }

    /// The same outcome of another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U, E> {
        match self {
            Outcome::Ok(value) => Outcome::Ok(f(value)),
            Outcome::Err(error) => Outcome::Err(error),
            Outcome::Cancelled(reason) => Outcome::Cancelled(reason),
            Outcome::Panicked(payload) => Outcome::Panicked(payload),
        }
    }

    /// The same outcome with another error.
    pub fn map_err<F>(self, f: impl FnOnce(E) -> F) -> Outcome<T, F> {
        match self {
            Outcome::Ok(value) => Outcome::Ok(value),
            Outcome::Err(error) => Outcome::Err(f(error)),
            Outcome::Cancelled(reason) => Outcome::Cancelled(reason),
            Outcome::Panicked(payload) => Outcome::Panicked(payload),
        }
    }

    /// The value, if there is one.
    pub fn ok(self) -> Option<T> {
        match self {
            Outcome::Ok(value) => Some(value),
            _ => None,
        }
    }

    /// The same outcome of references; reason and payload are shared.
    pub fn as_ref(&self) -> Outcome<&T, &E> {
        match self {
            Outcome::Ok(value) => Outcome::Ok(value),
            Outcome::Err(error) => Outcome::Err(error),
            Outcome::Cancelled(reason) => Outcome::Cancelled(reason.clone()),
            Outcome::Panicked(payload) => Outcome::Panicked(payload.clone()),
        }
    }

    /// The value, or how it failed.
    ///
    /// # Errors
    /// Every outcome but `Ok`, each as its own kind.
    pub fn into_result(self) -> Result<T, Failure<E>> {
        match self {
            Outcome::Ok(value) => Ok(value),
            Outcome::Err(error) => Err(Failure::Err(error)),
            Outcome::Cancelled(reason) => Err(Failure::Cancelled(reason)),
            Outcome::Panicked(payload) => Err(Failure::Panicked(payload)),
        }
    }
}

impl<T, E> From<Result<T, Failure<E>>> for Outcome<T, E> {
    fn from(result: Result<T, Failure<E>>) -> Outcome<T, E> {
        match result {
            Ok(value) => Outcome::Ok(value),
            Err(failure) => failure.into(),
        }
    }
}

impl<T, E> From<Failure<E>> for Outcome<T, E> {
    fn from(failure: Failure<E>) -> Outcome<T, E> {
        match failure {
            Failure::Err(error) => Outcome::Err(error),
            Failure::Cancelled(reason) => Outcome::Cancelled(reason),
            Failure::Panicked(payload) => Outcome::Panicked(payload),
        }
    }
}

/// Two outcomes as one: the worse; of two equally bad ones the left, which has the lower position.
/// Two cancels give the stronger reason, two panics the left payload, which lists the right.
///
/// ```
/// use asr_base::{Outcome, combine};
///
/// let first: Outcome<u32, &str> = combine(Outcome::Ok(1), Outcome::Err("late"));
/// assert_eq!(first, Outcome::Err("late"));
/// assert_eq!(combine(Outcome::Err("left"), first), Outcome::Err("left"));
/// ```
pub fn combine<T, E>(left: Outcome<T, E>, right: Outcome<T, E>) -> Outcome<T, E> {
    match (left, right) {
        (Outcome::Cancelled(a), Outcome::Cancelled(b)) => Outcome::Cancelled(a.strengthen(&b)),
        (Outcome::Panicked(a), Outcome::Panicked(b)) => Outcome::Panicked(a.join(&b)),
        (left, right) if right.severity() > left.severity() => right,
        (left, _) => left,
    }
}

/// What a table leaves to the policy: a severity that neither operand has, and both operands.
pub type Unmatched<T, E> = (Severity, Outcome<T, E>, Outcome<T, E>);

impl SeverityTable {
    /// Two outcomes as one by this table. Where it gives the severity of one operand, that operand
    /// stands. Where it gives that of both, `select` chooses; but two cancels and two panics
    /// combine as they do without a table, because no reason and no panic may get lost.
    ///
    /// # Errors
    /// Where the table gives the severity of neither operand, the policy builds the outcome.
    pub fn combine<T, E>(
        &self,
        left: Outcome<T, E>,
        right: Outcome<T, E>,
        select: Select,
    ) -> Result<Outcome<T, E>, Box<Unmatched<T, E>>> {
        let (a, b) = (left.severity(), right.severity());
        let severity = self.get(a, b);
        match (severity == a, severity == b) {
            (true, true) if a >= Severity::Cancelled => Ok(combine(left, right)),
            (true, true) if select == Select::Higher => Ok(right),
            (true, _) => Ok(left),
            (false, true) => Ok(right),
            (false, false) => Err(Box::new((severity, left, right))),
        }
    }
}

impl<E> From<Interrupted> for Failure<E> {
    fn from(Interrupted: Interrupted) -> Failure<E> {
        Failure::Cancelled(CancelReason::observed())
    }
}

impl<E> From<CancelReason> for Failure<E> {
    fn from(reason: CancelReason) -> Failure<E> {
        Failure::Cancelled(reason)
    }
}

impl<E> From<PanicPayload> for Failure<E> {
    fn from(payload: PanicPayload) -> Failure<E> {
        Failure::Panicked(payload)
    }
}

impl From<Error> for Failure<Error> {
    fn from(error: Error) -> Failure<Error> {
        Failure::Err(error)
    }
}

impl From<io::Error> for Failure<Error> {
    fn from(error: io::Error) -> Failure<Error> {
        Failure::Err(error.into())
    }
}

impl<E: fmt::Display> fmt::Display for Failure<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Err(error) => fmt::Display::fmt(error, f),
            Failure::Cancelled(reason) => write!(f, "cancelled: {reason}"),
            Failure::Panicked(payload) => write!(f, "panicked: {payload}"),
        }
    }
}

impl<E: fmt::Display + fmt::Debug> std::error::Error for Failure<E> {}
