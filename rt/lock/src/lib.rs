//! The locks of the runtime, and the order in which they are taken (SCH-35, SCH-37).
//!
//! Every lock of the runtime is one of these, and its type names its rank: a row of [`rank`], which
//! says what locks it may be taken under. Rows name only rows above them, so whoever waits for a
//! lock holds earlier ones only, and no circle of threads waits for each other.
//!
//! The check
//! 1. It is in debug builds, and in builds with the lab ([`CHECKED`]). Each thread keeps what it
//!    holds and where it took it. Before it waits for a lock, the rank of that is compared with all
//!    that it holds, whatever the order they were taken or will be given back in. If it does not
//!    go under one of them, that is a panic which names both ranks and both places.
//! 2. An attempt waits for nobody, so it may come in any order. What it got counts as held.
//! 3. A wait on a condition variable gives its lock back and takes it again. Whoever holds another
//!    lock at a wait keeps it from everybody for as long as that lasts, so this is refused as well,
//!    with both places (SCH-36).
//! 4. The panic comes before the lock is touched. A thread that unwinds already is not checked: a
//!    second panic would end the process and hide the first.
//!
//! Without the check and without the feature `lock-metrics`, a lock is that of `parking_lot`: the
//! same bytes, the same instructions. Models of loom bring their own locks (`asr_kernel::sync`);
//! its threads share one thread of the system, so nothing is checked there.
#![forbid(unsafe_code)]

mod condvar;
mod mutex;
pub mod rank;
mod rwlock;

#[cfg(feature = "lock-metrics")]
mod metrics;
#[cfg(not(feature = "lock-metrics"))]
mod unmetered;
#[cfg(not(feature = "lock-metrics"))]
use unmetered as metrics;

#[cfg(all(not(loom), any(debug_assertions, feature = "lock-order")))]
mod order;
#[cfg(not(all(not(loom), any(debug_assertions, feature = "lock-order"))))]
mod unordered;
#[cfg(not(all(not(loom), any(debug_assertions, feature = "lock-order"))))]
use unordered as order;

pub use condvar::Condvar;
#[cfg(feature = "lock-metrics")]
pub use metrics::{LockMetrics, Row, metrics};
pub use mutex::{Mutex, MutexGuard};
pub use order::{CHECKED, held};
pub use rank::{Info, Rank, TABLE};
pub use rwlock::{ReadGuard, RwLock, WriteGuard};
