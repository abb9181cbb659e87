//! Healing: handlers, object state, anomaly reports, and the supervisor that repairs.
//!
//! Invariants
//! 1. An object that is not Healthy has one owner: the reporter that marked it, the queue, or
//!    whoever repairs it. Only the owner moves its state; others may set the re-examine bit.
//! 2. A report is repaired, pending, quarantined, dead or counted as unhandled: never lost, never
//!    twice ([`ledger`]).
//! 3. A report neither blocks, nor allocates, nor unwinds.
//! 4. No handler runs on an object on which it is already running.
//!
//! The way of a report: [`report()`] marks the object; a fast handler runs at once (`repair`); else
//! the object goes to the queue of the node ([`queue`]) and the supervisor repairs it, or to its
//! home thread ([`home`]) when the handler belongs to a heap.

pub mod lookup;
pub mod stack;
pub mod word;

// Under loom only the shared words above are built: the rest hangs on statics, which loom's atomics
// cannot be.
#[cfg(not(loom))]
pub mod handlers;
#[cfg(not(loom))]
pub mod home;
#[cfg(not(loom))]
mod inflight;
#[cfg(not(loom))]
pub mod ledger;
#[cfg(not(loom))]
mod local;
#[cfg(not(loom))]
mod notes;
#[cfg(not(loom))]
mod null;
#[cfg(not(loom))]
mod queue;
#[cfg(not(loom))]
mod repair;
#[cfg(not(loom))]
mod report;
#[cfg(not(loom))]
mod retire;
#[cfg(not(loom))]
mod supervisor;

#[cfg(not(loom))]
mod exports {
    pub use crate::handlers::{Func, Handler, HandlerError};
    pub use crate::local::{in_signal, signal_enter, signal_leave};
    pub use crate::null::NullReport;
    pub use crate::queue::DEFAULT_TICKETS;
    pub use crate::repair::checked_access;
    pub use crate::report::{Outcome, report};
    pub use crate::retire::{RetireError, retire};
    pub use crate::supervisor::{Supervisor, is_running};
}
#[cfg(not(loom))]
pub use exports::*;
