//! Which queue a worker takes from next: a pure function of what waits and what it took before.
//!
//! Rules
//! 1. Cancel before timed before ready (SCH-1), but
//! 2. at most L cancelling tasks in a row while other work waits (SCH-5), 2 L while a drain is
//!    suggested (SCH-6), and at most `timed_streak` timed ones while ready work waits (SCH-7);
//! 3. a queue of ready tasks, oldest first, waits for at most L + 1 dispatches that are none of its
//!    own, and the newest-first slot beside it as well: a round is L urgent tasks, one of the slot
//!    or of the injector, or else an urgent one more, one of the queue. So who has n tasks before
//!    it there waits for at most (n + 1) (L + 2) dispatches (SCH-8). Timed work that each streak of
//!    cancelling tasks and the ready work due after it passed goes before the next streak.
//! 4. Ready work: the newest-first slot at most `lifo_streak` times in a row, then the ring, oldest
//!    first; every `injector_interval` dispatches the injector before them (SCH-9), but for a queue
//!    that is due, and not where it was the turn of the slot twice in a row. Ring and pinned inbox
//!    are served in turns, each for as many as it held when its turn began, less those that thieves
//!    took. A slot that is never preferred waits for one turn; if a queue or the injector is due
//!    where the turn of the slot is, the slot goes before the next of them that may wait.
//! 5. What a governor prefers (SCH-38) is taken only where every wait keeps its bound: the queue
//!    before the slot if the slot was served since the queue was, and the injector in place of the
//!    slot, as one of its times in a row. Nothing is preferred to urgent work.
//!
//! A streak counts only while something waits that it keeps waiting: `max_cancel_streak` never
//! exceeds the limit (SCH-11), and work that arrives late waits no longer than other work.

use asr_base::{Error, Status};

use super::governor::Prefer;
use crate::driver::Lane;

/// Bounds of the preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// L: dispatches from the cancel lane in a row while other work waits: 16 (SCH-5).
    pub cancel_streak: u32,
    /// Dispatches from the timed lane in a row while ready work waits: 32 (SCH-7).
    pub timed_streak: u32,
    /// Dispatches from the newest-first slot in a row while the ring holds something: 3 (SCH-9).
    pub lifo_streak: u32,
    /// Dispatches after which the injector is looked at first: 61 (SCH-9).
    pub injector_interval: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            cancel_streak: 16,
            timed_streak: 32,
            lifo_streak: 3,
            injector_interval: 61,
        }
    }
}

impl Limits {
    /// Checks them.
    ///
    /// # Errors
    /// `BAD_ARGUMENT` that names the limit that would let some work wait for ever, or never let any
    /// be preferred (SCH-10).
    pub fn checked(self) -> Result<Limits, Error> {
        let bad = |what| Err(Error::new(Status::BAD_ARGUMENT, what).permanent());
        match self {
            Limits { cancel_streak, .. } if !(1..=u32::MAX / 4).contains(&cancel_streak) => {
                bad("cancel_streak is from 1 to 2^30 - 1")
            }
            Limits {
                timed_streak: 0, ..
            } => bad("timed_streak is at least 1"),
            Limits { lifo_streak, .. } if lifo_streak > 3 => bad("lifo_streak is at most 3"),
            Limits {
                injector_interval: 0,
                ..
            } => bad("injector_interval is at least 1"),
            limits => Ok(limits),
        }
    }
}

/// What waits for this worker. Hints: what was stolen meanwhile is not there when it is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The cancel lane holds something.
    pub cancel: bool,
    /// The timed lane does.
    pub timed: bool,
    /// The newest-first slot does.
    pub newest: bool,
    /// So many are in the ring.
    pub ring: usize,
    /// So many ready tasks are in the pinned inbox.
    pub pinned: usize,
    /// The injector holds something.
    pub injector: bool,
}

impl Waiting {
    /// Whether ready work waits.
    #[inline]
    pub fn ready(&self) -> bool {
        self.newest || self.queued() || self.injector
    }

    /// Whether ready work waits in a queue of this worker, oldest first.
    #[inline]
    fn queued(&self) -> bool {
        self.ring > 0 || self.pinned > 0
    }
}

/// Where to take from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The cancel lane.
    Cancel,
    /// The timed lane.
    Timed,
    /// The newest-first slot.
    Newest,
    /// The ring.
    Ring,
    /// The ready tasks of the pinned inbox.
    Pinned,
    /// The injector.
    Injector,
}

impl Source {
    /// The lane it belongs to.
    pub fn lane(self) -> Lane {
        match self {
            Source::Cancel => Lane::Cancel,
            Source::Timed => Lane::Timed,
            _ => Lane::Ready,
        }
    }
}

/// What a worker took before, as far as it decides what it takes next. See the module.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    limits: Limits,
    drain: bool,
    prefer: Prefer,
    /// Cancelling tasks in a row while others waited.
    cancel_run: u32,
    /// Timed tasks since the last ready one, while ready ones waited.
    timed_run: u32,
    /// Dispatches in a row that left a waiting queue of ready tasks as it was.
    ready_wait: u32,
    /// From the slot in a row.
    lifo_run: u32,
    since_injector: u32,
    /// It was the turn of the slot, but a queue or the injector was due.
    passed_slot: bool,
    /// The pinned inbox has its turn, not the ring, for so many more.
    pinned_turn: bool,
    turn_left: usize,
    fairness_yields: u64,
    max_cancel_streak: u32,
}

impl Choice {
    /// Nothing was taken yet.
    pub fn new(limits: Limits) -> Choice {
        Choice {
            limits,
            ..Choice::default()
        }
    }

    /// A drain is suggested, or no more (SCH-6).
    pub fn set_drain(&mut self, drain: bool) {
        self.drain = drain;
    }

    /// Which ready queue a governor prefers.
    pub fn set_prefer(&mut self, prefer: Prefer) {
        self.prefer = prefer;
    }

    /// Times that work was taken although preferred work waited (SCH-11).
    pub fn fairness_yields(&self) -> u64 {
        self.fairness_yields
    }

    /// The longest run of cancelling tasks that kept others waiting (SCH-11).
    pub fn max_cancel_streak(&self) -> u32 {
        self.max_cancel_streak
    }

    fn cancel_limit(&self) -> u32 {
        let doubled = u32::from(self.drain);
        self.limits.cancel_streak << doubled
    }

    /// Where to take from. When nothing is there any more, ask again with what is.
    #[inline]
    pub fn choose(&self, waiting: &Waiting) -> Option<Source> {
        if waiting.cancel || waiting.timed {
            self.choose_urgent(waiting)
        } else {
            self.choose_ready(waiting)
        }
    }

    fn choose_urgent(&self, waiting: &Waiting) -> Option<Source> {
        let ready = waiting.ready();
        let limit = self.cancel_limit();
        let starved = ready && self.starved(waiting);
        let others = ready || waiting.timed;
        if waiting.cancel && !(others && self.cancel_run >= limit) && !starved {
            return Some(Source::Cancel);
        }
        if waiting.timed && !(ready && self.timed_run >= self.limits.timed_streak) && !starved {
            return Some(Source::Timed);
        }
        self.choose_ready(waiting)
    }

    /// Ready work has waited for so long that it is due: so that slot and queue are both served in
    /// time, a dispatch earlier if the slot holds something, or the injector is due.
    fn starved(&self, waiting: &Waiting) -> bool {
        let beside = waiting.newest || (waiting.injector && self.injector_due());
        self.ready_wait + u32::from(beside) > self.cancel_limit()
    }

    /// It is the queue that is due.
    fn queue_due(&self, waiting: &Waiting) -> bool {
        waiting.queued() && self.ready_wait > self.cancel_limit()
    }

    #[inline]
    fn choose_ready(&self, waiting: &Waiting) -> Option<Source> {
        if waiting.injector && (self.injector_first(waiting) || self.prefers_injector(waiting)) {
            return Some(Source::Injector);
        }
        if waiting.newest
            && self.newest_again(waiting)
            && !self.queue_due(waiting)
            && !self.prefers_queue(waiting)
        {
            return Some(Source::Newest);
        }
        if waiting.queued() {
            return Some(self.turn(waiting));
        }
        if waiting.injector {
            return Some(Source::Injector);
        }
        waiting.newest.then_some(Source::Newest)
    }

    #[inline]
    fn injector_due(&self) -> bool {
        self.since_injector >= self.limits.injector_interval
    }

    /// It is due, and neither the queue is that has waited longer, nor the slot that it passed.
    fn injector_first(&self, waiting: &Waiting) -> bool {
        let slot = self.passed_slot && waiting.newest && self.newest_again(waiting);
        self.injector_due() && !slot && !self.queue_due(waiting)
    }

    /// The slot may be taken while others wait.
    #[inline]
    fn newest_again(&self, waiting: &Waiting) -> bool {
        let never = self.limits.lifo_streak == 0;
        self.lifo_run < self.limits.lifo_streak
            || (never && self.lifo_run == 0 && (self.turn_left(waiting) == 0 || self.passed_slot))
    }

    /// In place of the slot, if it could be its turn once more.
    fn prefers_injector(&self, waiting: &Waiting) -> bool {
        let passes_slot = waiting.newest && (self.lifo_run == 0 || self.passed_slot);
        self.prefer == Prefer::Injector
            && self.lifo_run < self.limits.lifo_streak
            && !passes_slot
            && !self.queue_due(waiting)
    }

    /// The slot was served since the queue was.
    fn prefers_queue(&self, waiting: &Waiting) -> bool {
        self.prefer == Prefer::Queue && waiting.queued() && self.lifo_run > 0
    }

    /// What is left of the turn, of which thieves may have taken some.
    #[inline]
    fn turn_left(&self, waiting: &Waiting) -> usize {
        let held = if self.pinned_turn {
            waiting.pinned
        } else {
            waiting.ring
        };
        self.turn_left.min(held)
    }

    /// Ring or pinned inbox, of which at least one holds something.
    #[inline]
    fn turn(&self, waiting: &Waiting) -> Source {
        if waiting.pinned == 0 {
            return Source::Ring;
        }
        let stays = self.turn_left(waiting) > 0;
        let pinned = self.pinned_turn == stays;
        if waiting.ring == 0 || (pinned && waiting.pinned > 0) {
            Source::Pinned
        } else {
            Source::Ring
        }
    }

    /// A task was taken from there, while this waited (with it), and is run.
    #[inline]
    pub fn dispatched(&mut self, from: Source, waiting: &Waiting) {
        let injector_due = self.injector_due();
        self.since_injector = self.since_injector.saturating_add(1);
        let ready = waiting.ready();
        match from {
            Source::Cancel => {
                let others = ready || waiting.timed;
                self.turn_left = self.turn_left(waiting);
                self.cancel_run = if others { self.cancel_run + 1 } else { 0 };
                self.max_cancel_streak = self.max_cancel_streak.max(self.cancel_run);
                self.kept_waiting(ready);
                return;
            }
            Source::Timed => {
                self.turn_left = self.turn_left(waiting);
                self.cancel_run = 0;
                self.timed_run = if ready { self.timed_run + 1 } else { 0 };
                self.fairness_yields += u64::from(waiting.cancel);
                self.kept_waiting(ready);
                return;
            }
            Source::Newest => {
                self.lifo_run = self.lifo_run.saturating_add(1);
                self.passed_slot = false;
                self.turn_left = self.turn_left(waiting);
                self.kept_waiting(waiting.queued());
            }
            Source::Injector => {
                let slot = waiting.newest && self.newest_again(waiting);
                let others = waiting.queued() || slot;
                // In place of the slot by preference, or beside it: no fresh start for the slot.
                let run = self.lifo_run + u32::from(!injector_due);
                self.lifo_run = if others { run } else { 0 };
                self.since_injector = 0;
                self.turn_left = self.turn_left(waiting);
                let passed = slot || (waiting.newest && !others);
                self.passed_slot = passed && (self.passed_slot || injector_due);
                self.kept_waiting(waiting.queued());
            }
            Source::Ring => self.took_turn(false, waiting.ring, waiting),
            Source::Pinned => self.took_turn(true, waiting.pinned, waiting),
        }
        // Else timed work would wait for ever where ready work is due after each streak.
        self.cancel_run = if waiting.timed { self.cancel_run } else { 0 };
        self.timed_run = 0;
        self.fairness_yields += u64::from(waiting.cancel || waiting.timed);
    }

    fn kept_waiting(&mut self, waits: bool) {
        self.ready_wait = if waits { self.ready_wait + 1 } else { 0 };
    }

    #[inline]
    fn took_turn(&mut self, pinned: bool, held: usize, waiting: &Waiting) {
        self.passed_slot = waiting.newest
            && (self.passed_slot || self.lifo_run == 0)
            && self.newest_again(waiting);
        if self.pinned_turn != pinned || self.turn_left == 0 {
            (self.pinned_turn, self.turn_left) = (pinned, held);
        }
        self.turn_left = self.turn_left.min(held).saturating_sub(1);
        (self.lifo_run, self.ready_wait) = (0, 0);
    }
}
