//! The combination of many outcomes, whatever the order in which they come (VAL-3 to VAL-5).
//!
//! It keeps the worst so far: what [`combine`](crate::combine) of all outcomes in order of their
//! positions would give, without keeping them.

use crate::cancel::CancelReason;
use crate::error::Error;
use crate::id::TaskId;
use crate::outcome::Outcome;
use crate::panic::{Crowd, PanicPayload};

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
    pub fn add(&mut self, position: u64, task: Option<TaskId>, outcome: Outcome<(), E>) {
        match outcome {
            Outcome::Ok(()) => {}
            Outcome::Err(error) => match &self.0 {
                State::Ok => self.0 = State::Err { position, error },
                State::Err {
                    position: lowest, ..
                } if position < *lowest => {
                    self.0 = State::Err { position, error };
                }
                _ => {}
            },
            Outcome::Cancelled(reason) => match &mut self.0 {
                State::Ok | State::Err { .. } => self.0 = State::Cancelled(reason),
                State::Cancelled(strongest) => *strongest = strongest.strengthen(&reason),
                State::Panicked { .. } => {}
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
                } else {
                    let mut crowd = Crowd::default();
                    crowd.add(&panic);
                    self.0 = State::Panicked {
                        position,
                        payload: panic,
                        crowd,
                    };
                }
            }
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
