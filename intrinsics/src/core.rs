//! The core's own table. Libraries add tables of the same shape.

use crate::Table;

/// Hands the rows of the core to a macro, after the given arguments.
#[macro_export]
macro_rules! core_table {
    ($($cb:ident)::+ $(, $arg:tt)*) => { $($cb)::+! { [$($arg),*]
        /// Reports the fault of the site (anomaly class 01) and refuses with `THREW` and the
        /// fault word of the site.
        fault(site: u64, code: u32) -> unit, fails [THREW], does [Diverges];
        /// Notes that the error in flight passed this site; called on error edges only.
        trace(site: u64) -> unit, fails [], does [];
        /// Forgets the noted sites: the error has been caught.
        trace_clear() -> unit, fails [], does [];
        /// Registers `handler` for objects of `type_id`: fast with `bound_ns`, or slow if it is 0.
        /// Replaces an earlier one; a null handler unregisters.
        handler_register(type_id: u64, handler: code, bound_ns: u64) -> unit,
            fails [BAD_ARGUMENT], does [];
        /// Like `handler_register`, but refuses with `DUPLICATE` when the type has a handler.
        handler_register_new(type_id: u64, handler: code, bound_ns: u64) -> unit,
            fails [BAD_ARGUMENT DUPLICATE], does [];
        /// Enters an intent; it is the current one until the matching `intent_pop`.
        intent_push(intent: u64) -> unit, fails [FULL], does [OpensIntent];
        /// Leaves the innermost intent.
        intent_pop() -> unit, fails [], does [ClosesIntent];
        /// Adds labels to the taint set of the current context.
        taint_add(labels: u32) -> unit, fails [], does [];
        /// Removes labels from the taint set, through the registered sanitizer `sanitizer`.
        taint_sanitize(sanitizer: u64, labels: u32) -> unit, fails [CAP_DENIED], does [];
        /// Allows `sanitizer` to remove these labels.
        sanitizer_register(sanitizer: u64, labels: u32) -> unit, fails [], does [];
        /// Sets the earliest expiry of the current context, in ns of the runtime's clock.
        expiry_set(at_ns: u64) -> unit, fails [], does [];
        /// Reports an anomaly of `object` (null, or an object header).
        anomaly(code: u32, object: ptr) -> unit, fails [], does [UserCode];
        /// Refuses unless the object is healthy: `POISONED` during repair, `QUARANTINED`, ...
        checked_access(object: ptr) -> unit, fails [POISONED QUARANTINED BAD_ARGUMENT], does [];
        /// Returns when no repair refers to the object any more; it may then be freed. `BUSY` from
        /// a handler while a repair of it is pending.
        object_retire(object: ptr) -> unit, fails [BAD_ARGUMENT BUSY], does [Parks];
        /// Registers the code record of a unit before its first execution.
        code_register(record: ptr) -> unit,
            fails [BAD_ARGUMENT DUPLICATE VERSION_UNSUPPORTED], does [];
        /// Removes the code record of a unit; `BUSY` while a handler refers to it.
        code_unregister(record: ptr) -> unit, fails [BAD_ARGUMENT BUSY], does [];
        /// Tells the runtime that what follows on this thread runs inside a signal handler.
        signal_enter() -> unit, fails [], does [];
        /// Ends the innermost `signal_enter`.
        signal_leave() -> unit, fails [], does [];
    } };
}

/// The core table as data.
pub const CORE: Table = crate::core_table!(crate::rows, "core");
