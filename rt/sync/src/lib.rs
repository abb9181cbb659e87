//! What tasks wait for each other with: locks, semaphores, channels, and combinators of futures.
//!
//! Every operation that waits takes a context, is a cancel point, takes part in the cooperation
//! budget, says what it waits for, and leaves nothing behind when it is cancelled or dropped.
//! Waiters are served first come, first served among themselves; a newcomer may take what is free
//! ahead of them, but nobody is overtaken more than [`OVERTAKES_MAX`] times.
//!
//! | file | idea |
//! |---|---|
//! | `cell` | memory that is shared by hand; loom watches it |
//! | `classes` | what each waiting operation guarantees |
//! | `wait` | the queue that all of them wait in |
//! | `notify` | one stored permit |
//! | `semaphore` | permits |
//! | `mutex` | one permit, and what it guards |
//! | `combine` | several branches at once, and one result |
//! | `contended` | a lock of the runtime's own, with figures |
//! | `oneshot` | channels for one message |
//! | `mpsc` | channels of many senders, in two phases |
//! | `travels` | messages that move to the region of their receiver |
//! | `error` | why something was not done, with the value handed back |

pub mod cell;
pub mod classes;
pub mod combine;
mod contended;
mod error;
pub mod mpsc;
pub mod mutex;
pub mod notify;
pub mod oneshot;
pub mod semaphore;
mod travels;
pub mod wait;

pub use contended::{ContendedGuard, ContendedMutex, ContendedStats};
pub use error::{
    Closed, Interrupted, LockError, RecvError, SendError, TryAcquireError, TryLockError,
    TryRecvError, TryReserveError, TrySendError, WaitError,
};
pub use mutex::{Mutex, MutexGuard};
pub use notify::Notify;
pub use oneshot::oneshot;
pub use semaphore::{Permit, Semaphore};
pub use travels::Travels;
pub use wait::OVERTAKES_MAX;
