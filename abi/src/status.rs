//! Statuses: of compiled code, of its probes, of the C interface (VAL-33). Stable; appended only.

/// Done.
pub const OK: u32 = 0;
/// Not yet; the waker is registered.
pub const PENDING: u32 = 1;
/// An exception was thrown or a fault occurred; the value refers to it.
pub const THREW: u32 = 2;
/// Cancel observed; nothing committed by this call.
pub const CANCELLED: u32 = 3;
/// Channel or peer endpoint closed; a value offered is handed back.
pub const CLOSED: u32 = 4;
/// Region no longer admits; closure or token handed back.
pub const REGION_CLOSING: u32 = 5;
/// Region reached its outcome; read it instead.
pub const REGION_CLOSED: u32 = 6;
/// Id refers to a former occupant; nothing changed.
pub const STALE_HANDLE: u32 = 7;
/// Obligation or handle used before; first resolution stands.
pub const ALREADY_RESOLVED: u32 = 8;
/// Caller does not hold this obligation.
pub const NOT_HOLDER: u32 = 9;
/// Admission limit, names the limit.
pub const QUOTA_EXCEEDED: u32 = 10;
/// No capacity now (try form); value handed back.
pub const FULL: u32 = 11;
/// Nothing to receive now (try form).
pub const EMPTY: u32 = 12;
/// Receiver fell behind by the stated count.
pub const LAGGED: u32 = 13;
/// The call's own deadline passed.
pub const TIMED_OUT: u32 = 14;
/// Type tag differs.
pub const WRONG_TYPE: u32 = 15;
/// Capability absent from this `Cx`.
pub const CAP_DENIED: u32 = 16;
/// No repair handler for the type.
pub const NO_HANDLER: u32 = 17;
/// Name, handler or key already registered.
pub const DUPLICATE: u32 = 18;
/// No such named computation.
pub const UNKNOWN_COMPUTATION: u32 = 19;
/// Key reused with different input.
pub const IDEMPOTENCY_CONFLICT: u32 = 20;
/// Unknown major version.
pub const VERSION_UNSUPPORTED: u32 = 21;
/// Malformed bytes; connection is closed.
pub const BAD_FRAME: u32 = 22;
/// Not renewed in time.
pub const LEASE_EXPIRED: u32 = 23;
/// Would wait for itself.
pub const CYCLE: u32 = 24;
/// Holder ended badly; data possibly inconsistent.
pub const POISONED: u32 = 25;
/// Breaker open, bulkhead full or rate exceeded.
pub const REJECTED: u32 = 26;
/// Not built in, or not on this platform.
pub const UNSUPPORTED: u32 = 27;
/// Value outside its domain, names the argument.
pub const BAD_ARGUMENT: u32 = 28;
/// Replay differs from recording, names the event.
pub const DIVERGED: u32 = 29;
/// Checksum, hash or authentication failed.
pub const CORRUPT: u32 = 30;
/// Runtime is stopping.
pub const SHUTDOWN: u32 = 31;
/// Object or type is isolated from repair.
pub const QUARANTINED: u32 = 32;
/// Distributed state merged to conflict.
pub const CONFLICT: u32 = 33;
/// Lab step bound reached.
pub const STEP_LIMIT: u32 = 34;
/// Mask nesting bound reached.
pub const MASK_LIMIT: u32 = 35;
/// Operating-system error, with errno.
pub const IO: u32 = 36;
/// Still in use: a module with live frames, handlers or cells; nothing changed.
pub const BUSY: u32 = 37;
