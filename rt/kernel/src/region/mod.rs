//! Regions: who owns whom, and closing to quiescence.
//!
//! | file | idea |
//! |---|---|
//! | `word` | state and live children in one atomic word |
//! | `record` | the record in its slab, counted references |
//! | `refs` | the count of references, and the claim of them all |
//! | `inner` | what the lock of a region guards |
//! | `isolate` | the heap of its tasks, and the worker that has it |
//! | `belongings` | ends of channels, which it closes |
//! | `config` | policy, escalation mode, what a region is opened with |
//! | `children` | the lists of children, under the region's lock |
//! | `open` | opening a region |
//! | `admit` | admitting a task |
//! | `close` | the protocol from the last child's end to the published outcome |
//! | `alone` | the short way out of a scope that nobody else knows of |
//! | `abandon` | a region without its future or its owner |
//! | `body` | the body of a scope, as a task without a cell |
//! | `bracket` | acquire, use, release |
//! | `closer` | waiting for a close |
//! | `finalizer` | the finalizer stack and its runner |
//! | `ready` | what a scope shares with the wakers of its fibers |
//! | `scope` | the Rust form: a body with borrowing fibers |
//! | `refused` | what a refused spawn gives back |
//! | `handle` | regions without a body, closed by hand |
//! | `spawner` | the right to add to a region, and nothing else |

pub(crate) mod abandon;
pub(crate) mod admit;
mod alone;
mod belongings;
mod body;
mod bracket;
pub(crate) mod children;
pub(crate) mod close;
mod closer;
mod config;
pub(crate) mod finalizer;
mod handle;
mod inner;
mod isolate;
pub(crate) mod open;
mod ready;
mod record;
pub mod refs;
mod refused;
mod scope;
mod spawner;
pub mod word;

pub use admit::Spawn;
pub use belongings::Belongs;
pub(crate) use bracket::bracket;
pub(crate) use children::Child;
pub use closer::Close;
pub use config::{Escalation, Policy, RegionConfig};
pub(crate) use finalizer::Finalizer;
pub use handle::{OpenRegion, RegionHandle};
pub(crate) use handle::{allow, defer_by, is_within, start};
pub(crate) use record::Locked;
pub use record::{Region, RegionRef};
pub use refused::SpawnError;
pub(crate) use refused::refusal;
pub use scope::Scope;
pub(crate) use scope::{enqueue_fiber, region};
pub use spawner::Spawner;
pub use word::State;
