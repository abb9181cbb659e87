//! Cancellation: request, observe, clean up within a budget, or be escalated.
//!
//! Invariants
//! 1. A request only strengthens: reason and cleanup budget merge by VAL-21 under the lock of the
//!    side record (task) or of the region, in every state short of the end (CAN-2).
//! 2. The reason is stored before the word says `cancel`; who sees the bit finds a reason.
//! 3. A request makes the task runnable at once (CAN-27), so its next poll meets the cancel.
//! 4. Nothing here recurses: a request walks the tree with a queue of its own (CAN-4, REG-6).
//!
//! | file | idea |
//! |---|---|
//! | `request` | one task is asked |
//! | `spread` | a region is asked, and with it all below |
//! | `observe` | checkpoints, masks, swallowing |
//! | `budget` | deadlines, quotas |
//! | `cleanup` | cleanup budgets, escalation |

mod budget;
mod cleanup;
mod observe;
mod request;
mod spread;

pub(crate) use budget::{
    arm_region, arm_task, charge, cleanup, disarm_region, exhausted, expired, region_expired,
};
#[doc(hidden)]
pub use cleanup::{Alarm, Cleanups};
pub(crate) use cleanup::{arm_cleanup, cleanups_end, count_cleanup_poll, disarm};
pub(crate) use observe::{checkpoint, is_masked, off_cancel, on_cancel, set_message};
pub(crate) use request::{Asked, abort, reason, request, request_task, request_unqueued};
pub(crate) use spread::{pass_on, request_branches, request_children, request_region};
