//! Tasks: the hot record, its word, the poll, wakers, joining.
//!
//! | file | idea |
//! |---|---|
//! | `word` | one atomic word: wake state, phase, flags, references |
//! | `refs` | the references in the word, and the claim of them all |
//! | `snapshot` | the bits of the word, one reading |
//! | `record` | the hot record in its slab, counted references |
//! | `reference` | counted references to it |
//! | `side` | what few tasks need, made when first needed |
//! | `cell` | future and output behind a table of functions |
//! | `waker` | a counted reference that wakes |
//! | `summons` | whether a task that was called came to look |
//! | `scopes` | how many scopes it has open |
//! | `queued` | how many entries of queues there are for a task |
//! | `poll` | one run of a task, the poll boundary |
//! | `polled` | which task is polled here, and waits for another |
//! | `end` | from the end of the body to the published outcome |
//! | `join` | handles |

pub(crate) mod cell;
pub(crate) mod end;
pub(crate) mod join;
pub(crate) mod poll;
pub(crate) mod polled;
mod queued;
mod record;
mod reference;
mod refs;
mod scopes;
pub(crate) mod side;
mod snapshot;
mod summons;
pub(crate) mod waker;
pub mod word;

pub use join::{Join, JoinHandle};
pub(crate) use record::Fresh;
pub use record::{Task, Tier};
pub use reference::TaskRef;
pub use side::Message;
pub use summons::Summons;
pub use word::Phase;
