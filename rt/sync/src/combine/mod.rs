//! Combinators: several branches at once, and one result.
//!
//! A branch is a closure that is given a context of its own, and may borrow from around the call.
//! The branches of a call are fibers of a region of its own, which is closed when it returns: none
//! of them runs any more then (CMB-1), nor does what they started in that region. Branches are
//! numbered in the order of the arguments.
//!
//! A branch waits with the context that it was given. With that of its caller it would not hear its
//! own cancel, so such a wait panics, and says so (`BAD_ARGUMENT`: `Waiter::park`).
//!
//! Responsiveness (CMB-6): a combinator answers the cancel of its caller within the bound that
//! [`Responsive::around`](asr_base::Responsive::around) computes from those of its branches, in
//! polls of the calling task.
//!
//! Results
//! 1. A branch that panicked makes the result Panicked, whoever won (CMB-4), unless its panics are
//!    errors ([`panic_as_err`]).
//! 2. Else, if a cancel of the caller is pending and not masked, the result is that cancel
//!    (CMB-2): the branches got it as ParentCancelled.
//! 3. Else it is what the combinator makes of its branches.
//!
//! | file | idea |
//! |---|---|
//! | `contest` | the first branch to end decides, and the others are drained |
//! | `join` | all of them |
//! | `panics` | branches whose panics are errors |
//! | `race` | the first of them |
//! | `timeout` | one, against the clock |

mod contest;
mod join;
mod panics;
mod race;
mod timeout;

use asr_base::{Error, Outcome};
use asr_kernel::Cx;
use asr_kernel::cx::Set;

pub use join::{join, join_all};
pub use panics::{Caught, panic_as_err};
pub use race::{race, race_all};
pub use timeout::timeout;

/// Points 2 and 3.
fn settle<C: Set, T>(cx: &Cx<C>, outcome: Outcome<T, Error>) -> Outcome<T, Error> {
    if matches!(outcome, Outcome::Panicked(_)) || cx.checkpoint().is_ok() {
        return outcome;
    }
    match cx.cancel_reason() {
        Some(reason) => Outcome::Cancelled(reason),
        None => outcome,
    }
}
