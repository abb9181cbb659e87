//! What each operation relies on and guarantees (CAN-10, CAN-18, CAP-16): one row per operation of
//! a context and of the values that it hands out.
//!
//! `tests/inventory.rs` compares the rows with the sources, so an operation without a row fails the
//! build, and writes `rt/kernel/operations.md` out of them.

use std::fmt;

/// When an operation is a cancel point (CAN-10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Always.
    Checkpointing,
    /// If it waits.
    Conditional,
    /// Never, within its bound; what does not wait at all has the bound 0.
    Masked,
    /// Never: it resolves a linear token.
    Commit,
}

/// A number of polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polls {
    /// So many, whatever happens.
    Exactly(u32),
    /// Those of its argument: the bound that the caller names.
    Bound,
    /// Those of the region that it waits for, by its escalation mode (CAN-22).
    Region,
}

/// What an operation relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relies {
    /// Somebody else is polled in the end: a queued task is not passed over for ever (SCH-8).
    pub fairness: bool,
    /// The driver's time moves on.
    pub clock: bool,
    /// The region is not reclaimed while it runs; the reference that a context or a handle counts
    /// sees to it.
    pub region: bool,
}

/// One row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Type and name.
    pub name: &'static str,
    /// When it is a cancel point.
    pub class: Class,
    /// What it relies on.
    pub relies: Relies,
    /// C: the most polls between two cancel points.
    pub c: Polls,
    /// M: how many masks it puts around what it runs.
    pub m: u8,
    /// F: the polls of its finalization.
    pub f: Polls,
    /// Every obligation below is resolved when it completes (OBL-2).
    pub resolves: bool,
}

/// Does not wait: no polls, no cancel point.
const fn at_once(name: &'static str) -> Operation {
    Operation {
        name,
        class: Class::Masked,
        relies: Relies {
            fairness: false,
            clock: false,
            region: true,
        },
        c: Polls::Exactly(0),
        m: 0,
        f: Polls::Exactly(0),
        resolves: false,
    }
}

/// A cancel point that does not wait.
const fn checks(name: &'static str) -> Operation {
    let mut operation = at_once(name);
    operation.class = Class::Checkpointing;
    operation
}

/// Resolves a token.
const fn commits(name: &'static str) -> Operation {
    let mut operation = at_once(name);
    operation.class = Class::Commit;
    operation
}

/// Waits for somebody; looks for a cancel at each of its polls.
const fn waits(name: &'static str, class: Class) -> Operation {
    let mut operation = at_once(name);
    operation.class = class;
    operation.relies.fairness = true;
    operation.c = Polls::Exactly(1);
    operation
}

/// Waits for time.
const fn sleeps(name: &'static str) -> Operation {
    let mut operation = waits(name, Class::Checkpointing);
    operation.relies.clock = true;
    operation
}

/// Runs what it is given under one mask.
const fn masks(name: &'static str, bound: Polls) -> Operation {
    let mut operation = at_once(name);
    operation.c = bound;
    operation.m = 1;
    operation
}

/// Waits for the close of a region.
const fn closes(name: &'static str) -> Operation {
    let mut operation = waits(name, Class::Masked);
    operation.c = Polls::Region;
    operation.f = Polls::Region;
    operation.resolves = true;
    operation
}

/// Runs what it is given, and then cleans up under a mask and a cleanup budget (REG-19).
const fn cleans_up(name: &'static str) -> Operation {
    let mut operation = masks(name, Polls::Region);
    operation.relies.fairness = true;
    operation.relies.clock = true;
    operation.f = Polls::Region;
    operation
}

/// Looks again before it waits, if a cancel might have come in between.
const fn looks_again(name: &'static str) -> Operation {
    let mut operation = at_once(name);
    operation.class = Class::Conditional;
    operation
}

/// Asks the clock.
const fn asks_clock(name: &'static str) -> Operation {
    let mut operation = at_once(name);
    operation.relies.clock = true;
    operation
}

/// Every operation, by type.
pub const OPERATIONS: &[Operation] = &[
    at_once("Cx::task_id"),
    at_once("Cx::region_id"),
    at_once("Cx::budget"),
    at_once("Cx::is_cancel_requested"),
    at_once("Cx::cancel_reason"),
    checks("Cx::checkpoint"),
    checks("Cx::checkpoint_at"),
    waits("Cx::yield_now", Class::Checkpointing),
    masks("Cx::mask", Polls::Bound),
    masks("Cx::mask_sync", Polls::Exactly(0)),
    masks("Cx::commit_section", Polls::Bound),
    at_once("Cx::charge"),
    at_once("Cx::poll_coop"),
    waits("Cx::blocking", Class::Checkpointing),
    at_once("Cx::waiter"),
    at_once("Cx::holder"),
    at_once("Cx::home"),
    at_once("Cx::attached"),
    at_once("Cx::set_name"),
    at_once("Cx::absorb_panic"),
    at_once("Cx::caps"),
    at_once("Cx::without"),
    at_once("Cx::share"),
    at_once("Cx::require"),
    at_once("Cx::restrict"),
    asks_clock("Cx::now"),
    sleeps("Cx::sleep_until"),
    sleeps("Cx::sleep"),
    asks_clock("Cx::try_now"),
    sleeps("Cx::try_sleep_until"),
    sleeps("Cx::try_sleep"),
    at_once("Cx::random_u64"),
    at_once("Cx::fill"),
    at_once("Cx::trace"),
    at_once("Cx::spawn"),
    at_once("Cx::spawn_with"),
    at_once("Cx::spawn_compiled"),
    at_once("Cx::isolate"),
    at_once("Cx::spawn_compiled_in"),
    at_once("Cx::spawner"),
    closes("Cx::region"),
    at_once("Cx::open_region"),
    at_once("Cx::defer_sync"),
    at_once("Cx::defer_async"),
    cleans_up("Cx::bracket"),
    at_once("Cx::defer_task"),
    at_once("Cx::defer_task_async"),
    at_once("Cx::reserve"),
    at_once("Cx::reserve_with"),
    at_once("Cx::reserve_raw"),
    at_once("Cx::reserve_raw_for"),
    at_once("Cx::look_raw"),
    commits("Cx::commit_raw"),
    commits("Cx::abort_raw"),
    commits("Cx::transfer_raw"),
    at_once("Scope::fiber"),
    at_once("Scope::handle"),
    at_once("RegionHandle::outcome"),
    at_once("RegionHandle::cancel"),
    at_once("RegionHandle::cancel_as"),
    at_once("RegionHandle::cancel_children"),
    at_once("RegionHandle::cancel_below"),
    at_once("RegionHandle::begin_close"),
    closes("RegionHandle::close"),
    at_once("RegionHandle::open"),
    at_once("Spawner::id"),
    at_once("Spawner::region"),
    at_once("Spawner::state"),
    at_once("Spawner::defer_sync"),
    at_once("Spawner::defer_async"),
    at_once("Spawner::spawn"),
    at_once("Spawner::spawn_with"),
    at_once("Spawner::spawn_compiled"),
    at_once("JoinHandle::id"),
    at_once("JoinHandle::is_finished"),
    at_once("JoinHandle::phase"),
    at_once("JoinHandle::abort"),
    at_once("JoinHandle::abort_by"),
    waits("JoinHandle::join", Class::Checkpointing),
    at_once("JoinHandle::try_join"),
    at_once("JoinHandle::discard"),
    commits("Obligation::commit"),
    commits("Obligation::abort"),
    commits("Obligation::expire"),
    commits("Obligation::transfer"),
    at_once("Obligation::id"),
    at_once("Obligation::kind"),
    at_once("Obligation::resource"),
    at_once("Obligation::resource_mut"),
    // What a leaf future of another crate is made of.
    checks("Waiter::check"),
    looks_again("Waiter::park"),
    at_once("Waiter::waits_for"),
    at_once("Waiter::waits_on"),
    at_once("Waiter::waits_for_holder"),
    at_once("Waiter::contended"),
    at_once("Waiter::arm_futurelocks"),
    asks_clock("Waiter::now"),
    at_once("Waiter::coop"),
    at_once("Holder::hold"),
    at_once("Home::region_id"),
    at_once("Home::is_closed"),
    at_once("Home::undelivered"),
    at_once("Home::admit"),
    at_once("Lodging::home"),
    at_once("Waiter::task_id"),
    at_once("Waiter::region_id"),
    at_once("Waiter::home"),
    commits("Hold::commit"),
    commits("Hold::abort"),
    commits("Hold::release"),
    at_once("Hold::is_unwound"),
    at_once("Hold::mark"),
    at_once("Sleep::deadline"),
    at_once("Sleep::precise"),
];

impl fmt::Display for Polls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Polls::Exactly(polls) => polls.fmt(f),
            Polls::Bound => f.write_str("bound"),
            Polls::Region => f.write_str("region"),
        }
    }
}

impl fmt::Display for Relies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            (self.fairness, "fairness"),
            (self.clock, "clock"),
            (self.region, "region"),
        ];
        let named: Vec<&str> = all.iter().filter(|on| on.0).map(|on| on.1).collect();
        f.write_str(&named.join(", "))
    }
}

/// One row of the table in Markdown.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self.class {
            Class::Checkpointing => "checkpointing",
            Class::Conditional => "conditional",
            Class::Masked => "masked",
            Class::Commit => "commit",
        };
        let (name, relies) = (self.name, self.relies);
        let resolves = if self.resolves { "all" } else { "" };
        let (c, m, last) = (self.c, self.m, self.f);
        write!(
            f,
            "| `{name}` | {class} | {relies} | {c} | {m} | {last} | {resolves} |"
        )
    }
}
