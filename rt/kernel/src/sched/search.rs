//! A worker without work: it searches for a while, then sleeps (SCH-21, SCH-47).

use asr_base::{Duration, Time};

use super::idle::Left;
use super::slot::Slot;
use super::worker::Worker;
use crate::driver::{Lane, Runnable};
use crate::sync::atomic::Ordering::Relaxed;

/// Looks into the queues of others between two looks at the clock.
const LOOKS: u32 = 8;

impl Worker {
    /// Finds work and runs the first of it, or sleeps until there may be some.
    pub(super) fn idle(&self) {
        if self.fire() {
            return;
        }
        // Who was woken by nobody, but by timers, and found nothing of others since, looks once:
        // with a timer every 50 us it would search all the time.
        let searches = self.shared.search > Duration::ZERO && !self.alone.get();
        if !self.searching.get() && searches {
            self.searching.set(self.shared.idle.search(self.index));
        }
        let found = if self.searching.get() && searches {
            self.search()
        } else {
            self.steal()
        };
        match found {
            Some((lane, task)) => {
                self.alone.set(false);
                self.found();
                self.dispatch(lane, task);
            }
            None if self.has_own() => self.found(),
            None => self.sleep(),
        }
    }

    /// Searches no more, because it has work. Wakes another if there is more.
    pub(super) fn found(&self) {
        if self.searching.replace(false) {
            self.shared.idle.found(self.index);
        }
        let shared = &self.shared;
        if !shared.injector.is_empty() || shared.slots.iter().any(Slot::has_spare) {
            shared.wake();
        }
    }

    /// Work that this worker finds in its own queues, or timers that are due, or the end.
    fn has_own(&self) -> bool {
        let slot = self.slot();
        !slot.urgent.is_empty()
            || !slot.pinned.is_empty()
            || !slot.ring.is_empty()
            || !self.shared.injector.is_empty()
            || self.shared.stop.load(Relaxed)
    }

    /// Looks around until the time is up.
    fn search(&self) -> Option<(Lane, Runnable)> {
        self.slot().stats.searches.add(1);
        let mut patience = self.patience.get();
        let begin = self.shared.time();
        let end = begin + patience.limit();
        let found = self.search_until(end);
        if found.is_some() || self.has_own() {
            patience.found();
        } else {
            patience.in_vain(self.shared.time().since(begin));
        }
        self.patience.set(patience);
        found
    }

    fn search_until(&self, end: Time) -> Option<(Lane, Runnable)> {
        loop {
            // Of one node one searches at a time (SCH-47).
            #[cfg(debug_assertions)]
            let inside = self.shared.inside(self.index);
            for _ in 0..LOOKS {
                if let Some(found) = self.steal() {
                    return Some(found);
                }
                if self.has_own() {
                    return None;
                }
                for _ in 0..8 {
                    std::hint::spin_loop();
                }
            }
            #[cfg(debug_assertions)]
            drop(inside);
            // Who looked at timers that were due let another search meanwhile.
            if self.shared.time() >= end || self.fire() || !self.searching.get() {
                return None;
            }
        }
    }

    /// Takes work from another worker.
    fn steal(&self) -> Option<(Lane, Runnable)> {
        let shared = &*self.shared;
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(1));
        for victim in shared.placement.victims(self.index, turn) {
            let slot = &shared.slots[victim];
            if let Some(stolen) = slot.urgent.steal() {
                self.stole(1);
                return Some(stolen);
            }
            if !slot.ring.queued() {
                if slot.is_blocked()
                    && let Some(task) = slot.ring.take_newest()
                {
                    self.stole(1);
                    return Some((Lane::Ready, task));
                }
                continue;
            }
            let met = &self.slot().stats.pinned_met;
            let stolen = self.ready.steal(&slot.ring, &shared.injector, |pin, task| {
                met.add(1);
                shared.push_pinned(task, pin);
            });
            if let Some(task) = stolen.first {
                self.stole(stolen.count as u64);
                return Some((Lane::Ready, task));
            }
        }
        None
    }

    fn stole(&self, count: u64) {
        let stats = &self.slot().stats;
        stats.steals.add(1);
        stats.stolen.add(count);
    }

    /// Announces itself, looks once more, and sleeps.
    fn sleep(&self) {
        let shared = &*self.shared;
        let slot = self.slot();
        slot.stats.parks.add(1);
        if self.called.take() == Some(slot.stats.dispatches()) {
            slot.stats.spurious_wakes.add(1);
        }
        shared
            .idle
            .announce(self.index, self.searching.replace(false));
        let found = if self.has_own() { None } else { self.steal() };
        if found.is_none() && !self.has_own() {
            let until = shared
                .duty
                .take(self.index, || shared.next_turn(&self.kernel));
            let timer = until.filter(|at| *at < Time::MAX);
            let limit = timer.map(|at| at.since(shared.time()));
            if limit != Some(Duration::ZERO) {
                let woken = slot.parker.park(limit);
                self.alone.set(!woken && limit.is_some());
                self.called.set(woken.then(|| slot.stats.dispatches()));
            }
            if until.is_some() {
                shared.duty.give_back(self.index);
            }
        }
        let left = shared.idle.leave(self.index);
        shared.ticker.arm();
        self.searching.set(left == Left::Searching);
        if let Some((lane, task)) = found {
            self.found();
            self.dispatch(lane, task);
        }
    }
}
