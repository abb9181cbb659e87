//! Scheduling: the queues of a worker, the choice among them, and the driver of one thread.
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
//! | `lanes` | the three lanes in one place, deterministic: lab and one thread |
//! | `local` | the driver of one thread |

mod buckets;
pub mod choice;
pub mod entry;
pub mod injector;
mod lanes;
mod list;
mod local;
pub mod pinned;
pub mod ring;
pub mod urgent;

pub use choice::Limits;
pub use lanes::Lanes;
pub use local::Local;
