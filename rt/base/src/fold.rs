//! The combination of many outcomes, whatever the order in which they come (VAL-3 to VAL-5).
//!
//! It keeps the worst so far: what [`combine`](crate::combine) of all outcomes in order of their
//! positions would give, without keeping them.

use crate::cancel::CancelReason;
use crate::error::Error;
use crate::id::TaskId;
use crate::outcome::Outcome;
use crate::panic::{Crowd, PanicPayload};

/// What an addition left out. Errors may hold values of the user's, whose destructors are the
/// user's code: who adds under a lock drops this after it.
#[derive(Debug)]
#[allow(dead_code, reason = "held to be dropped")]
pub struct Displaced<E = Error> {
    error: Option<E>,
    reason: Option<CancelReason>,
}

impl<E> Displaced<E> {
    const NOTHING: Displaced<E> = Displaced {
        error: None,
        reason: None,
    };

    fn error(error: E) -> Displaced<E> {
        Displaced {
            error: Some(error),
            ..Displaced::NOTHING
        }
    }

    fn reason(reason: CancelReason) -> Displaced<E> {
        Displaced {
            reason: Some(reason),
            ..Displaced::NOTHING
        }
    }
}

/// See the module.
///
/// ```
/// use asr_base::{Fold, Outcome};
///
/// let mut fold = Fold::new();
/// fold.add(2, None, Outcome::Err("third"));
/// fold.add(0, None, Outcome::Ok(()));
/// fold.add(1, None, Outcome::Err("second"));
/// assert_eq!(fold.finish(), Outcome::Err("second"));
/// ```
pub struct Fold<E = Error>(State<E>);

enum State<E> {
    Ok,
    Err {
        position: u64,
        error: E,
    },
    Cancelled(CancelReason),
    Panicked {
        position: u64,
        payload: PanicPayload,
        crowd: Crowd,
    },
}

impl<E> Default for Fold<E> {
    fn default() -> Fold<E> {
        Fold::new()
    }
}

impl<E> Fold<E> {
    /// The combination of nothing: `Ok`.
    pub const fn new() -> Fold<E> {
        Fold(State::Ok)
    }

    /// Adds the outcome at a position. Positions differ; a task stands in for that of a payload
    /// that knows of none.
    pub fn add(
        &mut self,
        position: u64,
        task: Option<TaskId>,
        outcome: Outcome<(), E>,
    ) -> Displaced<E> {
        match outcome {
            Outcome::Ok(()) => Displaced::NOTHING,
            Outcome::Err(error) => match &self.0 {
                State::Ok => self.set(State::Err { position, error }),
                State::Err {
                    position: lowest, ..
                } if position < *lowest => self.set(State::Err { position, error }),
                _ => Displaced::error(error),
            },
            Outcome::Cancelled(reason) => match &mut self.0 {
                State::Ok | State::Err { .. } => self.set(State::Cancelled(reason)),
                State::Cancelled(strongest) => {
                    if reason.is_stronger(strongest) {
                        Displaced::reason(std::mem::replace(strongest, reason))
                    } else {
                        Displaced::reason(reason)
                    }
                }
                State::Panicked { .. } => Displaced::reason(reason),
            },
            Outcome::Panicked(panic) => {
                let panic = panic.or_task(task);
                if let State::Panicked {
                    position: lowest,
                    payload,
                    crowd,
                } = &mut self.0
                {
                    crowd.add(&panic);
                    if position < *lowest {
                        (*lowest, *payload) = (position, panic);
                    }
                    // A payload holds nothing of the user's.
                    Displaced::NOTHING
                } else {
                    let mut crowd = Crowd::default();
                    crowd.add(&panic);
                    self.set(State::Panicked {
                        position,
                        payload: panic,
                        crowd,
                    })
                }
            }
        }
    }

    fn set(&mut self, state: State<E>) -> Displaced<E> {
        match std::mem::replace(&mut self.0, state) {
            State::Ok | State::Panicked { .. } => Displaced::NOTHING,
            State::Err { error, .. } => Displaced::error(error),
            State::Cancelled(reason) => Displaced::reason(reason),
        }
    }

    /// The severity so far is that of `Ok`.
    pub fn is_ok(&self) -> bool {
        matches!(self.0, State::Ok)
    }

    /// The combination of all that was added.
    pub fn finish(self) -> Outcome<(), E> {
        match self.0 {
            State::Ok => Outcome::Ok(()),
            State::Err { error, .. } => Outcome::Err(error),
            State::Cancelled(reason) => Outcome::Cancelled(reason),
            State::Panicked { payload, crowd, .. } => Outcome::Panicked(crowd.give_to(payload)),
        }
    }
}
