//! What is done about a leak (OBL-11 to OBL-13).

/// The response to a leak, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeakResponse {
    /// Counted.
    Silent,
    /// Counted, logged, traced.
    Log,
    /// As Log, and the kind's implicit resolution runs as a supervised repair.
    Recover,
    /// As Log, and the holder's outcome becomes Panicked.
    Panic,
}

impl Default for LeakResponse {
    /// Panic in debug builds and the lab, Recover in release (OBL-12).
    fn default() -> LeakResponse {
        if cfg!(debug_assertions) {
            LeakResponse::Panic
        } else {
            LeakResponse::Recover
        }
    }
}

/// A stronger response once so many leaks were found (OBL-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalate {
    /// Leaks; 0 is taken as 1.
    pub threshold: u64,
    /// The response from then on, if it is stronger.
    pub response: LeakResponse,
}
