//! The registry of code: which addresses are compiled code, and where in the source a site is.
//!
//! Invariants
//! 1. A record is registered before the first execution of its code and removed after the last.
//! 2. Unit numbers of registered records differ, so a site id names one place.
//! 3. A reader of the table takes no lock ([`find_pc`] runs in signal handlers); slots are never
//!    freed, only emptied and used again.

mod frames;
pub mod linked;
mod place;
mod registry;
pub mod signal;

pub use frames::frame_meta;
pub(crate) use frames::{name, offsets, suspend_point};
pub use place::{Place, PlaceBuf};
pub use registry::{RegisterError, find_pc, len, register, site, unregister};
