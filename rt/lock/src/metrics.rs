//! What waiting for locks costs, per rank (SCH-37); with the feature `lock-metrics` only.
//!
//! All locks of a rank count together, in the whole process, since its start. A lock that is free
//! is taken at the first attempt; one that is not counts as contended, and the time until it is
//! taken as its wait. A hold is the time from there until the guard is dropped; a wait on a
//! condition variable ends one hold and begins another, and is itself no wait for the lock. The
//! values are relaxed sums: a table that is read while threads work may be some steps behind, and
//! its columns some steps apart.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::rank::{Info, TABLE};

/// The sums of one rank. A cache line each, so that ranks do not slow each other down.
#[repr(align(128))]
struct Sums {
    taken: AtomicU64,
    contended: AtomicU64,
    refused: AtomicU64,
    waited: AtomicU64,
    longest_wait: AtomicU64,
    held: AtomicU64,
    longest_hold: AtomicU64,
}

static SUMS: [Sums; TABLE.len()] = [const {
    Sums {
        taken: AtomicU64::new(0),
        contended: AtomicU64::new(0),
        refused: AtomicU64::new(0),
        waited: AtomicU64::new(0),
        longest_wait: AtomicU64::new(0),
        held: AtomicU64::new(0),
        longest_hold: AtomicU64::new(0),
    }
}; TABLE.len()];

/// One hold.
#[derive(Debug)]
pub(crate) struct Span {
    rank: &'static Info,
    since: Option<Instant>,
}

/// Takes a lock.
pub(crate) fn take<G>(
    rank: &'static Info,
    attempt: impl FnOnce() -> Option<G>,
    wait: impl FnOnce() -> G,
) -> (G, Span) {
    if let Some(guard) = attempt() {
        return (guard, Span::new(rank));
    }
    let sums = &SUMS[rank.place];
    sums.contended.fetch_add(1, Relaxed);
    let asked = Instant::now();
    let guard = wait();
    let waited = nanos(asked);
    let span = Span::new(rank);
    sums.waited.fetch_add(waited, Relaxed);
    sums.longest_wait.fetch_max(waited, Relaxed);
    (guard, span)
}

/// Takes a lock at once or not at all.
pub(crate) fn attempt<G>(
    rank: &'static Info,
    attempt: impl FnOnce() -> Option<G>,
) -> Option<(G, Span)> {
    let taken = attempt();
    if taken.is_none() {
        SUMS[rank.place].refused.fetch_add(1, Relaxed);
    }
    taken.map(|guard| (guard, Span::new(rank)))
}

impl Span {
    fn new(rank: &'static Info) -> Span {
        let mut span = Span { rank, since: None };
        span.resume();
        span
    }

    /// The lock is given back.
    pub(crate) fn pause(&mut self) {
        if let Some(since) = self.since.take() {
            let held = nanos(since);
            let sums = &SUMS[self.rank.place];
            sums.held.fetch_add(held, Relaxed);
            sums.longest_hold.fetch_max(held, Relaxed);
        }
    }

    /// The lock is taken.
    pub(crate) fn resume(&mut self) {
        SUMS[self.rank.place].taken.fetch_add(1, Relaxed);
        self.since = Some(Instant::now());
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.pause();
    }
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// What the locks of one rank have cost since the process started. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Row {
    /// The rank.
    pub name: &'static str,
    /// How often one was taken.
    pub taken: u64,
    /// How often a thread had to wait for one.
    pub contended: u64,
    /// How often an attempt found one taken and went on without it.
    pub refused: u64,
    /// How long threads waited for one, all together.
    pub waited: u64,
    /// The longest wait.
    pub longest_wait: u64,
    /// How long they were held, all together.
    pub held: u64,
    /// The longest hold that has ended.
    pub longest_hold: u64,
}

/// The rows of all ranks, in their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockMetrics {
    /// One row a rank.
    pub rows: Vec<Row>,
}

/// What every rank has cost until now.
pub fn metrics() -> LockMetrics {
    let rows = TABLE.iter().map(|info| {
        let sums = &SUMS[info.place];
        Row {
            name: info.name,
            taken: sums.taken.load(Relaxed),
            contended: sums.contended.load(Relaxed),
            refused: sums.refused.load(Relaxed),
            waited: sums.waited.load(Relaxed),
            longest_wait: sums.longest_wait.load(Relaxed),
            held: sums.held.load(Relaxed),
            longest_hold: sums.longest_hold.load(Relaxed),
        }
    });
    LockMetrics {
        rows: rows.collect(),
    }
}

impl LockMetrics {
    /// The row of a rank.
    pub fn of<R: crate::Rank>(&self) -> Row {
        self.rows[R::INFO.place]
    }
}

/// A table; ranks that were never asked for are left out.
impl fmt::Display for LockMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20} {:>12} {:>10} {:>10} {:>14} {:>12} {:>14} {:>12}",
            "lock", "taken", "contended", "refused", "waited ns", "longest", "held ns", "longest"
        )?;
        for row in self.rows.iter().filter(|row| row.taken + row.refused > 0) {
            writeln!(
                f,
                "{:<20} {:>12} {:>10} {:>10} {:>14} {:>12} {:>14} {:>12}",
                row.name,
                row.taken,
                row.contended,
                row.refused,
                row.waited,
                row.longest_wait,
                row.held,
                row.longest_hold
            )?;
        }
        Ok(())
    }
}
