//! One thread of a runtime that sees to it that polls end (SCH-45, SCH-46).
//!
//! It ticks once a slice while a worker is awake, and sleeps while none is. At a tick it looks at
//! each worker: whoever is in the same poll as at the tick before is asked to yield, at every tick
//! again, and is reported once for each place of the program when the poll has lasted `poll_warn`.
//! What waits behind such a poll is offered to a sleeper, and so are timers that are due while
//! nobody leads.
//!
//! Going to sleep: the ticker says that it sleeps, then looks whether a worker is awake; a worker
//! that was asleep is counted awake first, then looks whether the ticker sleeps. Both with
//! sequentially consistent accesses, so one of the two is later and sees the other.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Weak;

use asr_base::{Duration, Error, Status, Time};
use asr_lock::{Condvar, Mutex, rank};

use super::shared::Shared;
use super::slot::Slot;
use super::stats::Own;
use crate::event;
use crate::kernel::Kernel;
use crate::sync::Arc;
use crate::sync::atomic::{AtomicBool, Ordering::*, fence};

/// How long polls may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    /// After so long a poll is asked to yield: 10 ms.
    pub slice: Duration,
    /// After so long a poll is reported: 10 ms.
    pub poll_warn: Duration,
}

impl Default for Slices {
    fn default() -> Slices {
        Slices {
            slice: Duration::from_millis(10),
            poll_warn: Duration::from_millis(10),
        }
    }
}

impl Slices {
    /// The same, if the ticker can sleep with it.
    ///
    /// # Errors
    /// `BAD_ARGUMENT`, naming the value.
    pub fn checked(self) -> Result<Slices, Error> {
        if self.slice < Duration::from_micros(100) {
            let what = "slices: `slice` must be 100 us at least";
            return Err(Error::new(Status::BAD_ARGUMENT, what));
        }
        Ok(self)
    }
}

/// The ticker, as workers see it.
#[derive(Default)]
pub(super) struct Ticker {
    sleeps: AtomicBool,
    lock: Mutex<(), rank::SchedTicker>,
    woken: Condvar,
    pub(super) ticks: Own,
}

impl Ticker {
    /// A worker that slept is awake.
    #[inline]
    pub(super) fn arm(&self) {
        fence(SeqCst);
        if self.sleeps.load(Relaxed) {
            self.wake();
        }
    }

    /// Ends its sleep, or the present slice.
    pub(super) fn wake(&self) {
        // Under the lock: it looks at the word, and then waits, under it as well.
        let guard = self.lock.lock();
        self.sleeps.store(false, Relaxed);
        drop(guard);
        self.woken.notify_one();
    }

    /// The thread of the ticker.
    pub(super) fn run(shared: &Arc<Shared>, kernel: &Weak<Kernel>, slices: Slices) {
        let ticker = &shared.ticker;
        let mut seen = vec![None; shared.slots.len()];
        let mut reported = BTreeSet::new();
        let mut check = Time::ZERO;
        while !shared.stop.load(SeqCst) {
            let mut guard = ticker.lock.lock();
            ticker.sleeps.store(true, Relaxed);
            fence(SeqCst);
            if shared.idle.sleeping() == shared.slots.len() && !shared.stop.load(SeqCst) {
                seen.fill(None);
                while ticker.sleeps.load(Relaxed) {
                    ticker.woken.wait(&mut guard);
                }
            }
            ticker.sleeps.store(false, Relaxed);
            if shared.stop.load(SeqCst) {
                return;
            }
            ticker.woken.wait_for(&mut guard, slices.slice);
            drop(guard);
            let Some(kernel) = kernel.upgrade() else {
                return;
            };
            ticker.ticks.add(1);
            for (slot, seen) in shared.slots.iter().zip(&mut seen) {
                look(shared, &kernel, slot, seen, &mut |site, lasted| {
                    lasted >= slices.poll_warn && reported.insert(site)
                });
            }
            // A worker that does not come back fires no timer, and so not that of the monitor.
            let now = shared.time();
            if now >= check {
                kernel.check_deadlines(now);
                check = now.saturating_add(kernel.check_interval());
            }
            if shared.timers_wait(&kernel) {
                shared.wake();
            }
        }
    }
}

/// A poll: the number of the dispatch, and when a tick saw it first.
type Poll = (u64, Time);

/// Looks at one worker; `report` decides whether a poll at this place that lasted so long is news.
fn look(
    shared: &Shared,
    kernel: &Kernel,
    slot: &Slot,
    seen: &mut Option<Poll>,
    report: &mut dyn FnMut(u64, Duration) -> bool,
) {
    // Whoever pushes work that it runs itself looks for sleepers without a fence, and may miss one
    // that is about to sleep.
    if slot.has_spare() {
        shared.wake();
    }
    let dispatches = slot.stats.dispatches();
    if slot.now.polls().is_null() {
        *seen = None;
        return;
    }
    let now = shared.time();
    let since = match *seen {
        Some((before, since)) if before == dispatches => since,
        _ => {
            *seen = Some((dispatches, now));
            return;
        }
    };
    slot.blocked.store(dispatches, Relaxed);
    if slot.has_spare() {
        shared.wake();
    }
    slot.thread.ask_yield();
    if let Some((task, site)) = slot.now.ask(kernel) {
        slot.stats.yields_asked.add(1);
        let lasted = now.since(since);
        if report(site, lasted) {
            event::long_poll(kernel, task, site, lasted);
        }
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticker")
            .field("ticks", &self.ticks)
            .finish_non_exhaustive()
    }
}
