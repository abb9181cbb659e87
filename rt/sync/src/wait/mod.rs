//! What every primitive waits in: an intrusive queue of nodes that live in the futures that wait,
//! so that a wait allocates nothing and leaves in O(1) (CHN-3).
//!
//! | file | idea |
//! |---|---|
//! | `list` | nodes and the list of them, under the lock of its owner |
//! | `word` | free units, flags and a position in one word |
//! | `queue` | who waits, and how often they were overtaken |
//! | `units` | taking, giving and waiting for units |
//! | `close` | no more units |
//! | `held` | who holds what others wait for |
//! | `pass` | the first waiter was called, and nobody polls him |
//! | `acquire` | the future of it: cancel point, cooperation |
//! | `spin` | waiting for a few instructions of another thread |
//! | `wakers` | wakers on their way out of a lock |
//!
//! The primitives know nothing of tasks below `acquire`: loom runs them with wakers of its own.

mod acquire;
mod close;
mod held;
mod list;
mod pass;
mod queue;
mod spin;
mod units;
mod wakers;
mod word;

pub use acquire::Acquire;
pub use held::Held;
pub use list::{List, Node, Place};
pub use spin::{SPINS_MAX, spin};
pub use units::{Taken, Units};
pub use wakers::Wakers;
pub use word::{UNITS_MAX, Word};

/// How often a waiter is overtaken before it is served ahead of everybody (CHN-16, CHN-21). Ten
/// times fewer would park tasks that only pass by, and each costs two switches; ten times more
/// would let a waiter see a thousand others go ahead.
pub const OVERTAKES_MAX: u64 = 64;
