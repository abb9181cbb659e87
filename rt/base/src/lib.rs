//! Plain data of the runtime: outcomes, cancel reasons, budgets, ids, time, and their laws.
//!
//! Nothing here needs a scheduler, a thread or the operating system: the kernel decides when,
//! this crate says what.
#![forbid(unsafe_code)]

/// Budgets: quotas that only tighten.
pub mod budget;
/// Cancel kinds, reasons and requests.
pub mod cancel;
/// Errors: a status, a recoverability, a message, a cause.
pub mod error;
/// Which region or call set each component of a budget.
pub mod explain;
/// Combination of many outcomes, whatever the order they come in.
pub mod fold;
/// Ids of 64 bits: index and generation.
pub mod id;
/// The four outcomes.
pub mod outcome;
/// What is kept of a panic.
pub mod panic;
/// Bounds of a plan: cheapest and costliest paths, slack.
pub mod plan_bounds;
/// How soon something that is cancelled ends.
pub mod responsive;
/// Random numbers that do not depend on the schedule.
pub mod rng;
/// The order of outcomes, and tables over it.
pub mod severity;
/// Slots that know when an id is stale.
pub mod slab;
mod text;
/// Time since the start of the runtime.
pub mod time;
/// The algebras of costs.
pub mod tropical;

pub use budget::{Budget, BudgetComponent, TraceContext};
pub use cancel::{
    Attribution, CancelKind, CancelReason, CancelRequest, CleanupBase, CleanupBudget, Origin,
    Truncated, cleanup_budget,
};
pub use error::{Error, Interrupted, Recoverability, Status};
pub use explain::{Explained, SetBy};
pub use fold::{Displaced, Fold};
pub use id::{HeapId, ObligationId, RegionId, TaskId, TimerId, TokenId};
pub use outcome::{Failure, Outcome, Unmatched, combine};
pub use panic::{PanicKind, PanicPayload};
pub use plan_bounds::{Bounds, Dag};
pub use responsive::Responsive;
pub use rng::{Purpose, Rng, task_entropy};
pub use severity::{Select, Severity, SeverityTable};
pub use slab::{GenSlab, Stale};
pub use time::{Duration, Time, WallTime, nanos};
pub use tropical::{MaxPlus, MinPlus};
