//! How long a worker searches before it sleeps (SCH-47).
//!
//! A search that finds is far cheaper than a sleep and a wake; one that does not costs its whole
//! time, and on a machine with more threads than processors it keeps those from running who would
//! bring the work. So after a find the next search may take the whole time. After one in vain it
//! may take half as long as before, and the least after one in which the system stopped the worker:
//! another thread wants the processor. The least is a part of the whole, enough for an answer of
//! somebody who is awake.
//!
//! An answer of somebody who has to be woken takes longer than that. Two who both searched the
//! least only, and slept, would never find each other awake again, so now and then a search takes
//! the whole time whatever was before.

use asr_base::Duration;

/// The whole, if nobody says.
pub(super) const SEARCH: Duration = Duration::from_micros(50);
/// The least is this part of the whole.
const LEAST: u32 = 32;
/// One search of so many takes the whole time.
const TRIAL: u32 = 64;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    whole: Duration,
    limit: Duration,
    /// Searches until the next trial.
    trial: u32,
}

impl Patience {
    /// The first search takes the whole time.
    pub(super) fn new(whole: Duration) -> Patience {
        Patience {
            whole,
            limit: whole,
            trial: TRIAL,
        }
    }

    /// How long the search that begins now may take: never more than the whole.
    pub(super) fn limit(&mut self) -> Duration {
        self.trial -= 1;
        if self.trial == 0 {
            self.trial = TRIAL;
            return self.whole;
        }
        self.limit
    }

    /// The search found work.
    pub(super) fn found(&mut self) {
        self.limit = self.whole;
    }

    /// It found nothing in its time, and took so long.
    pub(super) fn in_vain(&mut self, took: Duration) {
        let least = self.whole / LEAST;
        // It looks at the clock far more often than that.
        let stopped = took > self.whole * 2;
        self.limit = if stopped {
            least
        } else {
            (self.limit / 2).max(least)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Duration = SEARCH;

    #[test]
    fn sch_47_searches_in_vain_become_short_and_never_end() {
        let mut patience = Patience::new(WHOLE);
        let mut last = WHOLE;
        let mut whole = 0;
        for n in 0..1000 {
            let limit = patience.limit();
            assert!(limit <= WHOLE && limit >= WHOLE / LEAST);
            if limit == WHOLE {
                whole += 1;
            } else {
                assert!(limit <= last, "search {n}");
                last = limit;
            }
            patience.in_vain(limit);
        }
        assert_eq!(last, WHOLE / LEAST);
        assert!(
            (1000 / TRIAL..=1000 / TRIAL + 2).contains(&whole),
            "{whole}"
        );
        patience.found();
        assert_eq!(patience.limit(), WHOLE);
    }

    #[test]
    fn sch_47_who_is_stopped_gives_way_at_once() {
        let mut patience = Patience::new(WHOLE);
        patience.in_vain(Duration::from_millis(3));
        assert_eq!(patience.limit(), WHOLE / LEAST);
    }

    #[test]
    fn sch_47_no_time_stays_no_time() {
        let mut patience = Patience::new(Duration::ZERO);
        patience.in_vain(Duration::ZERO);
        assert!((0..100).all(|_| patience.limit() == Duration::ZERO));
    }
}
