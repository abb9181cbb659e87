//! Regions: who owns whom, and closing to quiescence.
//!
//! | file | idea |
//! |---|---|
//! | `word` | state and live children in one atomic word |
//! | `record` | the record in its slab, counted references |
//! | `inner` | what the lock of a region guards |
//! | `belongings` | ends of channels, which it closes |
//! | `config` | policy, escalation mode, what a region is opened with |
//! | `children` | the lists of children, under the region's lock |
//! | `open` | opening a region, admitting a task |
//! | `close` | the protocol from the last child's end to the published outcome |
//! | `abandon` | a region without its future or its owner |
//! | `bracket` | acquire, use, release |
//! | `closer` | waiting for a close |
//! | `finalizer` | the finalizer stack and its runner |
//! | `ready` | what a scope shares with the wakers of its fibers |
//! | `scope` | the Rust form: a body with borrowing fibers |
//! | `refused` | what a refused spawn gives back |
//! | `handle` | regions without a body, closed by hand |
//! | `spawner` | the right to add to a region, and nothing else |

pub(crate) mod abandon;
mod belongings;
mod bracket;
pub(crate) mod children;
pub(crate) mod close;
mod closer;
mod config;
pub(crate) mod finalizer;
mod handle;
mod inner;
pub(crate) mod open;
mod ready;
mod record;
mod refused;
mod scope;
mod spawner;
pub mod word;

pub use belongings::Belongs;
pub(crate) use bracket::bracket;
pub(crate) use children::Child;
pub use closer::Close;
pub use config::{Escalation, Policy, RegionConfig};
pub(crate) use finalizer::Finalizer;
pub use handle::{OpenRegion, RegionHandle};
pub(crate) use handle::{defer_by, is_within, start};
pub use open::Spawn;
pub(crate) use record::Locked;
pub use record::{Region, RegionRef};
pub use refused::SpawnError;
pub(crate) use refused::refusal;
pub use scope::Scope;
pub(crate) use scope::{enqueue_fiber, region};
pub use spawner::Spawner;
pub use word::State;
