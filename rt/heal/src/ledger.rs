//! The account of reports (HEAL-28).
//!
//! reported = inline_repaired + coalesced + enqueued + quarantined_direct + unhandled, and
//! enqueued = repaired + dead + quarantined + delayed + queued + in_repair, exactly at
//! quiescence; in between the counters of events only grow.

use std::sync::atomic::{AtomicU64, Ordering::*};

use crate::local;

macro_rules! ledger {
    ($($(#[doc = $doc:literal])* $name:ident: $kind:ident $(= $line:literal)?,)*) => {
        /// The counters at one moment.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct Ledger { $($(#[doc = $doc])* pub $name: u64,)* }

        /// The counters themselves.
        pub(crate) struct Counters { $(pub(crate) $name: $kind,)* }

        pub(crate) static COUNTERS: Counters = Counters { $($name: $kind::new($($line)?),)* };

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
    reported: Spread = 0,
    /// Repaired by the reporter.
    inline_repaired: Spread = 1,
    /// Joined to a report that was already in hand, or of an object that is dead.
    coalesced: Spread = 2,
    /// Jobs that went to a queue.
    enqueued: Spread = 3,
    /// Objects without a handler, put into quarantine by the reporter.
    quarantined_direct: Counter,
    /// Null reports without a handler, and reports after shutdown.
    unhandled: Counter,
    /// Jobs that a supervisor or home thread repaired.
    repaired: Counter,
    /// Jobs given up after all attempts.
    dead: Counter,
    /// Jobs whose type lost its handler.
    quarantined: Counter,
    /// Gauge: jobs that wait for their next attempt.
    delayed: Counter,
    /// Gauge: jobs in a queue.
    queued: Counter,
    /// Gauge: jobs whose handler runs.
    in_repair: Counter,
    /// Attempts beyond the first.
    retries: Counter,
    /// Handlers that took longer than their bound.
    overruns: Counter,
    /// Registrations that replaced a handler.
    handlers_replaced: Counter,
    /// Null reports that joined a queued ticket of their thread.
    null_coalesced: Counter,
    /// Arguments of the C interface that were refused.
    bad_arguments: Counter,
    /// Reports after shutdown.
    after_shutdown: Counter,
    /// Jobs whose metadata found no room; their handler sees code 0.
    notes_lost: Counter,
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

/// What most reports count, on one cache line per lane: threads share a lane only when there are
/// very many. Gauges are not of this kind: read one by one, the lanes could sum up to no job while
/// there is one.
#[repr(align(64))]
struct Lane([AtomicU64; 4]);

static LANES: [Lane; 64] = [const { Lane([const { AtomicU64::new(0) }; 4]) }; 64];

/// A counter of events that lies in the lanes, at this place.
pub(crate) struct Spread(usize);

impl Spread {
    const fn new(place: usize) -> Spread {
        Spread(place)
    }

    /// What is counted orders nothing.
    pub(crate) fn up(&self) {
        LANES[local::lane() % LANES.len()].0[self.0].fetch_add(1, Relaxed);
    }

    /// Each lane only grows, so the sums that one thread reads one after the other do, too.
    pub(crate) fn get(&self) -> u64 {
        let lanes = LANES.iter().map(|lane| lane.0[self.0].load(Acquire));
        lanes.fold(0, u64::wrapping_add)
    }
}

/// One counter, on cache lines of its own: different threads mostly touch different ones.
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
