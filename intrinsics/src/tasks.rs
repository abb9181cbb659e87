//! The table of regions, tasks, obligations, time and budgets: `tasks`.
//!
//! All rows act under the context of the current task (rule ABI-20): outside of one they refuse
//! with `BAD_ARGUMENT`, and with `CAP_DENIED` where the context was narrowed. An id that is used
//! after its end is refused with `STALE_HANDLE`, one of another kind with `WRONG_TYPE`.

use crate::Table;

/// Hands the rows of the table to a macro, after the given arguments.
#[macro_export]
macro_rules! tasks_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// Opens a region below that of the current task.
        region_open() -> region, fails [REGION_CLOSING REGION_CLOSED CAP_DENIED BAD_ARGUMENT],
            does [];
        /// Closes the region and waits until nothing of it runs: 0 if all went well, 1 if it was
        /// cancelled. A child that failed is THREW with its exception. A cancel of the task goes
        /// on to the region, which is waited for all the same, and is CANCELLED then.
        region_close(region: region) -> u64,
            fails [THREW CANCELLED STALE_HANDLE WRONG_TYPE CYCLE BAD_ARGUMENT],
            does [CancelPoint], slot 64;
        /// Cancels the region and closes it, masked: what a way out by failure does.
        region_abandon(region: region) -> unit, fails [], does [GivesUp], slot 64;
        /// Asks all of the region to cancel.
        region_cancel(region: region_ref) -> unit,
            fails [STALE_HANDLE WRONG_TYPE CAP_DENIED BAD_ARGUMENT], does [];
        /// Registers `run(th, argument)` as a finalizer of the region.
        region_defer(region: region_ref, run: code, argument: u64) -> unit,
            fails [STALE_HANDLE WRONG_TYPE REGION_CLOSING REGION_CLOSED BAD_ARGUMENT], does [];
        /// Waits for the task and gives the word that it returned. THREW with its exception if it
        /// failed, CANCELLED if the waiting task was cancelled; a joined task that was cancelled
        /// is THREW with the exception made of CANCELLED.
        join(task: task) -> u64, fails [THREW CANCELLED STALE_HANDLE WRONG_TYPE BAD_ARGUMENT],
            does [CancelPoint], slot 64;
        /// Gives up the interest in the task; it goes on in its region.
        task_detach(task: task) -> unit, fails [], does [GivesUp];
        /// Asks the task to cancel.
        task_cancel(task: task_ref) -> unit,
            fails [STALE_HANDLE WRONG_TYPE CAP_DENIED BAD_ARGUMENT], does [];
        /// Whether the task has completed.
        task_is_done(task: task_ref) -> bool, fails [STALE_HANDLE WRONG_TYPE BAD_ARGUMENT],
            does [];
        /// Lets the other tasks of the lane run first.
        yield_now() -> unit, fails [CANCELLED BAD_ARGUMENT], does [CancelPoint], slot 32;
        /// Whether a cancel of the current task is pending; no cancel point.
        cancel_requested() -> bool, fails [], does [];
        /// Begins a masked block: no cancel point in it is CANCELLED.
        mask_enter() -> unit, fails [MASK_LIMIT BAD_ARGUMENT], does [OpensMask];
        /// Ends the innermost masked block.
        mask_leave() -> unit, fails [], does [ClosesMask];
        /// Begins a commit section of at most `bound` polls.
        commit_enter(bound: u32) -> unit, fails [MASK_LIMIT BAD_ARGUMENT], does [OpensCommit];
        /// Ends the innermost commit section.
        commit_leave() -> unit, fails [], does [ClosesCommit];
        /// Makes an obligation of this kind (a number of `Kind`), without anything behind it.
        reserve(kind: u32) -> permit,
            fails [QUOTA_EXCEEDED REGION_CLOSING REGION_CLOSED BAD_ARGUMENT], does [];
        /// Resolves an obligation as committed.
        commit(permit: permit) -> unit,
            fails [ALREADY_RESOLVED NOT_HOLDER STALE_HANDLE WRONG_TYPE BAD_ARGUMENT], does [];
        /// Resolves an obligation as aborted, whatever is behind it: a lock is released, a place in
        /// a channel given back.
        abort(permit: permit) -> unit,
            fails [ALREADY_RESOLVED NOT_HOLDER STALE_HANDLE WRONG_TYPE BAD_ARGUMENT],
            does [GivesUp];
        /// Gives an obligation to a task, which will not know its id unless it is told.
        transfer(permit: permit, to: task_ref) -> unit,
            fails [ALREADY_RESOLVED NOT_HOLDER STALE_HANDLE WRONG_TYPE REGION_CLOSING
                REGION_CLOSED BAD_ARGUMENT],
            does [];
        /// The time of the runtime's clock in ns.
        now() -> u64, fails [], does [];
        /// Waits for so many ns.
        sleep(ns: u64) -> unit, fails [CANCELLED CAP_DENIED BAD_ARGUMENT], does [CancelPoint],
            slot 64;
        /// Waits until this time.
        sleep_until(at_ns: u64) -> unit, fails [CANCELLED CAP_DENIED BAD_ARGUMENT],
            does [CancelPoint], slot 64;
        /// A random number, from the seed in the lab.
        random_u64() -> u64, fails [CAP_DENIED BAD_ARGUMENT], does [];
        /// What is left of a component of the budget: 0 the deadline in ns, 1 polls, 2 cost,
        /// 3 the priority; all ones is without bound.
        budget_get(component: u32) -> u64, fails [BAD_ARGUMENT], does [];
        /// Charges this cost to the task and the quotas above.
        charge(cost: u64) -> unit, fails [QUOTA_EXCEEDED BAD_ARGUMENT], does [];
    } };
}

/// The table as data.
pub const TASKS: Table = crate::tasks_table!(crate::rows, "tasks");
