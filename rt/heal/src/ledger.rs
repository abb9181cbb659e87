//! The account of reports (HEAL-28).
//!
//! reported = inline_repaired + coalesced + enqueued + quarantined_direct + unhandled, and
//! enqueued = repaired + dead + quarantined + delayed + queued + in_repair, exactly at
//! quiescence; in between the counters of events only grow.

use std::sync::atomic::{AtomicU64, Ordering::*};

macro_rules! ledger {
    ($($(#[doc = $doc:literal])* $name:ident,)*) => {
        /// The counters at one moment.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct Ledger { $($(#[doc = $doc])* pub $name: u64,)* }

        /// The counters themselves. Each on its own cache lines: reporters on different threads
        /// mostly touch different ones.
        pub(crate) struct Counters { $(pub(crate) $name: Counter,)* }

        pub(crate) static COUNTERS: Counters = Counters { $($name: Counter::new(),)* };

        /// Reads all counters. Between two reports the sums hold; during one they may be one apart.
        pub fn read() -> Ledger {
            Ledger { $($name: COUNTERS.$name.get(),)* }
        }

        impl Ledger {
            /// Names and values, in the order of the declaration.
            pub fn entries(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name)),*]
            }

            /// What happened since an earlier reading; gauges as they are now.
            pub fn since(&self, earlier: &Ledger) -> Ledger {
                Ledger { $($name: self.$name.wrapping_sub(earlier.$name),)* }
            }
        }
    };
}

ledger! {
    /// Reports of anomalies.
    reported,
    /// Repaired by the reporter.
    inline_repaired,
    /// Joined to a report that was already in hand, or of an object that is dead.
    coalesced,
    /// Jobs that went to a queue.
    enqueued,
    /// Objects without a handler, put into quarantine by the reporter.
    quarantined_direct,
    /// Null reports without a handler, and reports after shutdown.
    unhandled,
    /// Jobs that a supervisor or home thread repaired.
    repaired,
    /// Jobs given up after all attempts.
    dead,
    /// Jobs whose type lost its handler.
    quarantined,
    /// Gauge: jobs that wait for their next attempt.
    delayed,
    /// Gauge: jobs in a queue.
    queued,
    /// Gauge: jobs whose handler runs.
    in_repair,
    /// Attempts beyond the first.
    retries,
    /// Handlers that took longer than their bound.
    overruns,
    /// Registrations that replaced a handler.
    handlers_replaced,
    /// Null reports that joined a queued ticket of their thread.
    null_coalesced,
    /// Arguments of the C interface that were refused.
    bad_arguments,
    /// Reports after shutdown.
    after_shutdown,
    /// Jobs whose metadata found no room; their handler sees code 0.
    notes_lost,
}

impl Ledger {
    /// Whether both sums of HEAL-28 hold.
    pub fn balances(&self) -> bool {
        self.reported
            == self.inline_repaired
                + self.coalesced
                + self.enqueued
                + self.quarantined_direct
                + self.unhandled
            && self.enqueued
                == self.repaired
                    + self.dead
                    + self.quarantined
                    + self.delayed
                    + self.queued
                    + self.in_repair
    }
}

/// One counter.
#[repr(align(128))]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    // What is counted orders nothing, with one exception: a job leaves its gauge by a release, and
    // gauges are read with acquire, so who sees that no job is under way sees what the jobs did.

    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    pub(crate) fn up(&self) {
        self.add(1);
    }

    pub(crate) fn down(&self) {
        self.0.fetch_sub(1, Release);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Acquire)
    }
}

/// Counts a refused argument of the C interface (rule ABI-15).
pub fn bad_argument() {
    COUNTERS.bad_arguments.up();
}
