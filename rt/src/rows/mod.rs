//! The implementations of the rows of the runtime's tables.
//!
//! | file | idea |
//! |---|---|
//! | `core` | the core's table |
//! | `current` | the task under whose context a row acts (ABI-20) |
//! | `tasks` | regions, tasks, masks, time |
//! | `permits` | obligations by id (OBL-33) |
//! | `objects` | channels and locks by id |
//! | `sync` | what is done with them |

pub(crate) mod core;
pub(crate) mod current;
mod objects;
mod permits;
pub(crate) mod sync;
pub(crate) mod tasks;

pub(crate) use self::core::current as thread;
