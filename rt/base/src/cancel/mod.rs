//! Why a computation is cancelled, and how much it may use for its cleanup.
//!
//! - `kind`: the seven kinds, in order of rank
//! - `link`: one link of the chain behind a reason, and which of two prevails
//! - `reason`: kind, origin, time, message and the reasons behind it, in limits
//! - `request`: a reason with a cleanup budget; requests merge

mod kind;
mod link;
mod reason;
mod request;

pub use kind::{CancelKind, Origin};
pub use reason::{Attribution, CancelReason, Chain, Truncated};
pub use request::{CancelRequest, CleanupBase, CleanupBudget, cleanup_budget};
