//! Series S: the statuses of VAL-33.

use super::Code;
use crate::status;

/// One row a status, in order of the numbers.
pub(super) const ROWS: &[Code] = codes! { S
    0 OK: "done", do "go on";
    1 PENDING: "not yet; the waker is registered", do "poll again when woken";
    2 THREW: "an exception was thrown or a fault occurred; the value refers to it", do "look at the exception word; `recovery (e)` binds it";
    3 CANCELLED: "cancel observed; nothing committed by this call", do "clean up and return; cancellation is not caught";
    4 CLOSED: "channel or peer endpoint closed; a value offered is handed back", do "stop sending or receiving; keep what was handed back";
    5 REGION_CLOSING: "region no longer admits; closure or token handed back", do "spawn into a region that is still open";
    6 REGION_CLOSED: "region reached its outcome; read it instead", do "read the region's outcome instead";
    7 STALE_HANDLE: "id refers to a former occupant; nothing changed", do "drop the id; it names nothing any more";
    8 ALREADY_RESOLVED: "obligation or handle used before; first resolution stands", do "resolve an obligation once";
    9 NOT_HOLDER: "caller does not hold this obligation", do "let the holder resolve it, or transfer it first";
    10 QUOTA_EXCEEDED: "admission limit, names the limit", do "wait, or raise the named limit";
    11 FULL: "no capacity now (try form); value handed back", do "retry later, or use the form that waits";
    12 EMPTY: "nothing to receive now (try form)", do "retry later, or use the form that waits";
    13 LAGGED: "receiver fell behind by the stated count", do "go on from the oldest item still there";
    14 TIMED_OUT: "the call's own deadline passed", do "retry with a later deadline";
    15 WRONG_TYPE: "type tag differs", do "use the handle with the type it was made for";
    16 CAP_DENIED: "capability absent from this `Cx`", do "ask for the capability where the context was narrowed";
    17 NO_HANDLER: "no repair handler for the type", do "register a handler for the type";
    18 DUPLICATE: "name, handler or key already registered", do "choose another name, or unregister the first";
    19 UNKNOWN_COMPUTATION: "no such named computation", do "register the computation on the peer";
    20 IDEMPOTENCY_CONFLICT: "key reused with different input", do "use a new key for a different request";
    21 VERSION_UNSUPPORTED: "unknown major version", do "rebuild with the version that is named";
    22 BAD_FRAME: "malformed bytes; connection is closed", do "check the peer; reconnect";
    23 LEASE_EXPIRED: "not renewed in time", do "take a new lease";
    24 CYCLE: "would wait for itself", do "break the cycle of waits";
    25 POISONED: "holder ended badly; data possibly inconsistent", do "repair or replace the data before using it";
    26 REJECTED: "breaker open, bulkhead full or rate exceeded", do "back off and retry";
    27 UNSUPPORTED: "not built in, or not on this platform", do "use what the platform has, or build the feature in";
    28 BAD_ARGUMENT: "value outside its domain, names the argument", do "correct the named argument";
    29 DIVERGED: "replay differs from recording, names the event", do "replay with the same program and seed";
    30 CORRUPT: "checksum, hash or authentication failed", do "discard the data and fetch it again";
    31 SHUTDOWN: "runtime is stopping", do "stop; nothing new is accepted";
    32 QUARANTINED: "object or type is isolated from repair", do "wait for its release, or replace the object";
    33 CONFLICT: "distributed state merged to conflict", do "resolve the conflict by hand";
    34 STEP_LIMIT: "lab step bound reached", do "raise the bound, or look for a livelock";
    35 MASK_LIMIT: "mask nesting bound reached", do "nest fewer masks";
    36 IO: "operating-system error, with errno", do "read errno";
    37 BUSY: "still in use: a module with live frames, handlers or cells; nothing changed", do "release what still refers to it, then retry";
};

const _: () = assert!(ROWS.len() == status::BUSY as usize + 1);
