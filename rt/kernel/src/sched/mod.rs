//! Scheduling: the queues of a worker, the choice among them, and the production drivers, of one
//! thread and of several.
//!
//! | file | idea |
//! |---|---|
//! | `choice` | which queue is next: pure, for every driver |
//! | `entry` | what a queue holds |
//! | `list` | a FIFO through the links of records |
//! | `ring` | ready tasks of one worker: newest-first slot, ring, theft |
//! | `injector` | ready tasks of nobody |
//! | `pinned` | ready tasks that one worker alone may run |
//! | `urgent`, `buckets` | cancel and timed lane of one worker |
//! | `lanes` | the three lanes in one place, deterministic: for the lab |
//! | `clock` | time and entropy of the production drivers |
//! | `governor` | advice within the bounds of the choice: a seam |
//! | `patience` | how long a worker without work searches |
//! | `idle` | who sleeps, who searches, whom to wake |
//! | `duty` | who sleeps until the earliest timer |
//! | `park` | sleeping with a permit |
//! | `now`, `ticker` | what a worker polls, and asking it to yield |
//! | `worker`, `search` | one worker: with work, without |
//! | `slot` | one worker, as the others see it |
//! | `shared` | what workers share, and the driver over it |
//! | `workers` | the runtime on several threads |
//! | `local`, `gate` | the runtime on the thread that calls, and what that sleeps in |
//! | `stats` | counters of one worker |

mod buckets;
pub mod choice;
#[cfg(not(loom))]
mod clock;
pub mod duty;
pub mod entry;
#[cfg(not(loom))]
mod gate;
pub mod governor;
pub mod idle;
pub mod injector;
mod lanes;
mod list;
#[cfg(not(loom))]
mod local;
#[cfg(not(loom))]
mod now;
pub mod park;
mod patience;
pub mod pinned;
pub mod ring;
#[cfg(not(loom))]
mod search;
#[cfg(not(loom))]
mod shared;
#[cfg(not(loom))]
mod slot;
mod stats;
#[cfg(not(loom))]
mod ticker;
pub mod urgent;
#[cfg(not(loom))]
mod worker;
#[cfg(not(loom))]
mod workers;

pub use choice::Limits;
pub use governor::{Governing, GovernorConfig};
pub use lanes::Lanes;
#[cfg(not(loom))]
pub use local::Local;
pub use stats::{Own, WorkerStats};
#[cfg(not(loom))]
pub use ticker::Slices;
#[cfg(not(loom))]
pub(crate) use worker::polls;
#[cfg(not(loom))]
pub use workers::{Workers, WorkersConfig};
