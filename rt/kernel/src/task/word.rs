//! The state word of a task: who may poll it, how far it is, and how many refer to its record.
//!
//! ```text
//!  63  32 31 19 18  16 15  14  13  12  11  10  9   8   7   6   5   4    2 1  0
//! +------+-----+------+---+---+---+---+---+---+---+---+---+---+---+------+----+
//! | refs |L by | rank | A | Y | S | D | W | X | G | U | E | C | F | phase|wake|
//! +------+-----+------+---+---+---+---+---+---+---+---+---+---+---+------+----+
//!  F fiber   C cancel pending   E escalate   U unwinding   G handle gone   X output taken   W
//!  watched   D finalizer deferred   S scope opened elsewhere   Y asked to yield   A has wakers for
//!  a cancel   rank of the strongest cancel   by: number of the thread that polls its compiled code
//!  L handle lent to compiled code
//! ```
//!
//! Invariants
//! 1. At most one thread is between [`Word::begin_poll`] and the end of that poll (TSK-10).
//! 2. A wake after a poll began is seen by the end of that poll (TSK-12): both are modifications of
//!    this one word, so one of them is the later and sees the other.
//! 3. The phase moves only along the table of TSK-5; `Completed` is entered once.
//! 4. The record is given back when the references reach zero, which only a completed task can do:
//!    the run of the task itself holds one until it is complete.

use super::snapshot::*;
pub use super::snapshot::{AfterPoll, Phase, Requested, Snapshot, Wake};
use crate::sync::atomic::{AtomicU64, Ordering::*};

/// The word. See the module.
#[derive(Debug)]
pub struct Word(pub(super) AtomicU64);

impl Word {
    /// References of a new task: that of the queue it is about to enter, that of the list of its
    /// region, and that of its context; one more is that of its handle, if it has one.
    pub const FRESH_REFS: u64 = 3;

    /// A new task: created, and notified, with a handle.
    pub fn new(fiber: bool) -> Word {
        Word(AtomicU64::new(Word::fresh(fiber, true)))
    }

    fn fresh(fiber: bool, handle: bool) -> u64 {
        let fiber = if fiber { FIBER } else { 0 };
        let handle = if handle { REF } else { HANDLE_GONE };
        (Word::FRESH_REFS * REF + handle) | NOTIFIED | fiber
    }

    /// The word of a record that belongs to nobody.
    pub fn vacant() -> Word {
        Word(AtomicU64::new(0))
    }

    /// A new task in a record that is used again. The caller owns the record alone.
    pub fn renew(&self, fiber: bool, handle: bool) {
        // Release pairs with the Acquire of whoever finds the record through its index.
        self.0.store(Word::fresh(fiber, handle), Release);
    }

    /// Reads the word. Acquire: who sees `Completed` also sees the output.
    #[inline]
    pub fn load(&self) -> Snapshot {
        Snapshot(self.0.load(Acquire))
    }

    /// Reads the word by a modification that changes nothing, so that it is ordered with the
    /// others.
    pub fn modify(&self) -> Snapshot {
        Snapshot(self.0.fetch_or(0, AcqRel))
    }

    /// The whole cost of a checkpoint when nothing is pending (CAN-11): one relaxed load. Relaxed,
    /// because a request that is not yet seen is indistinguishable from one that came later; who
    /// sees the bit goes on with [`load`](Word::load).
    #[inline]
    pub fn clear(&self) -> bool {
        self.0.load(Relaxed) & CANCEL == 0
    }

    /// The same, and nobody watches the task's cancel points or asks it to yield.
    #[inline]
    pub fn quiet(&self) -> bool {
        self.0.load(Relaxed) & (CANCEL | WATCHED | YIELD) == 0
    }

    /// Asks a task that is being polled to yield (SCH-45). Whoever asks may be late and find
    /// another poll, or another task in the record: one that yields for nothing, at worst.
    pub fn ask_yield(&self) {
        let mut now = self.0.load(Relaxed);
        while matches!(now & WAKE, POLLING | POLLING_NOTIFIED) && now & YIELD == 0 {
            // Relaxed: nothing goes with it.
            match self
                .0
                .compare_exchange_weak(now, now | YIELD, Relaxed, Relaxed)
            {
                Ok(_) => return,
                Err(seen) => now = seen,
            }
        }
    }

    /// Takes the request to yield, if there is one.
    pub fn take_yield(&self) -> bool {
        self.0.load(Relaxed) & YIELD != 0 && self.0.fetch_and(!YIELD, Relaxed) & YIELD != 0
    }

    /// From here on the driver is asked; before the task is queued.
    pub fn watch(&self) {
        self.0.fetch_or(WATCHED, Relaxed);
    }

    /// A wake (TSK-11). `Enqueue` carries one reference.
    pub fn wake(&self) -> Wake {
        self.wake_with(REF)
    }

    /// The same by who has a reference: with `Enqueue` the queue gets that.
    pub fn wake_counted(&self) -> Wake {
        self.wake_with(0)
    }

    #[inline]
    fn wake_with(&self, reference: u64) -> Wake {
        let mut now = self.0.load(Relaxed);
        loop {
            if Phase::of(now) == Phase::Completed {
                return Wake::Nothing;
            }
            let (next, done) = match now & WAKE {
                IDLE => {
                    let fiber = now & FIBER != 0;
                    let queue = [Wake::Enqueue, Wake::EnqueueFiber][usize::from(fiber)];
                    ((now & !WAKE | NOTIFIED) + reference, queue)
                }
                POLLING => (now | POLLING_NOTIFIED, Wake::Nothing),
                // Even a wake that changes nothing is a modification: its Release makes what the
                // waker wrote before visible to the next poll, which reads this word.
                _ => (now, Wake::Nothing),
            };
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return done,
                Err(seen) => now = seen,
            }
        }
    }

    /// Edge `Notified -> Polling`, and with `start` in the same step `Created -> Running`, unless a
    /// cancel is pending: such a task is not started. Returns the word before. `None` if there is
    /// nothing to poll: the task is complete, or the entry that led here is stale, because another
    /// entry of the task was faster. The queue's reference is the caller's either way.
    #[inline]
    pub fn begin_poll(&self, start: bool) -> Option<Snapshot> {
        let mut now = self.0.load(Relaxed);
        loop {
            // Relaxed is enough to give up: the queue made the wake that this entry stands for
            // visible, so a word that is not notified is later: another entry served that wake.
            if Phase::of(now) == Phase::Completed || now & WAKE != NOTIFIED {
                return None;
            }
            let mut next = now & !(WAKE | YIELD | POLLER) | POLLING;
            if start && now & (PHASE | CANCEL) == 0 {
                next = with_phase(next, Phase::Running);
            }
            // Acquire pairs with the Release of the wake and of the end of the poll before.
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return Some(Snapshot(now)),
                Err(seen) => now = seen,
            }
        }
    }

    /// The handle goes to compiled code.
    pub fn lend_handle(&self) {
        self.0.fetch_or(LENT, AcqRel);
    }

    /// Takes it back; false if it is not there.
    pub fn take_handle(&self) -> bool {
        self.0.fetch_and(!LENT, AcqRel) & LENT != 0
    }

    /// Compiled code of the task is about to run on the thread with this number (ABI-39). The word
    /// says what is pending by then; who asks later finds the number. Acquire: who sees the cancel
    /// sees its reason.
    pub fn polled_by(&self, poller: u16) -> Snapshot {
        let mut now = self.0.load(Relaxed);
        loop {
            let next = now & !POLLER | u64::from(poller) << POLLER_SHIFT;
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return Snapshot(now),
                Err(seen) => now = seen,
            }
        }
    }

    /// Claims an idle task as a poll does, to look at it. The caller ends that as a poll ends, with
    /// a reference of its own. False if it is queued, polled or complete.
    pub fn hold(&self) -> bool {
        let hold = |now: u64| {
            let idle = now & WAKE == IDLE && Phase::of(now) != Phase::Completed;
            idle.then_some(now & !WAKE | POLLING)
        };
        // Acquire pairs with the Release of the end of the poll before.
        self.0.fetch_update(AcqRel, Relaxed, hold).is_ok()
    }

    /// Edge `Polling -> Idle`, or `Notified` again when a wake came meanwhile. The poller's
    /// reference goes in the same step, or to the queue. It is never the last: the task is not
    /// complete, so its region's list counts one.
    #[inline]
    pub fn end_poll(&self) -> AfterPoll {
        let mut now = self.0.load(Relaxed);
        loop {
            debug_assert!(now >= 2 * REF, "only the poller knows of the task");
            let (next, done) = match now & WAKE {
                POLLING => ((now & !(WAKE | POLLER) | IDLE) - REF, AfterPoll::Idle),
                POLLING_NOTIFIED => (now & !(WAKE | POLLER) | NOTIFIED, AfterPoll::Enqueue),
                _ => panic!("the end of a poll that never began"),
            };
            // Release publishes what the poll wrote to the next poller, on whatever worker.
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return done,
                Err(seen) => now = seen,
            }
        }
    }

    /// Claims an idle or queued fiber whose scope ends: the caller holds the poll. It is no fiber
    /// from now on: finalizers that it may have left borrow nothing, and run as a task. An entry in
    /// the queue of the scope is void, and keeps its reference until it is dropped there.
    pub fn seize(&self) {
        let mut now = self.0.load(Relaxed);
        loop {
            let wake = now & WAKE;
            assert!(
                wake == IDLE || wake == NOTIFIED,
                "a fiber is taken away while it is polled"
            );
            let next = now & !WAKE & !FIBER | POLLING;
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(seen) => now = seen,
            }
        }
    }

    /// A cancel request, of a kind of this rank: sets the bit and moves `Running ->
    /// CancelRequested`. A created task keeps its phase, and completes instead of its first poll.
    pub fn request_cancel(&self, rank: u8) -> Requested {
        let rank = u64::from(rank.min(7)) << RANK_SHIFT;
        let mut now = self.0.load(Relaxed);
        loop {
            let phase = Phase::of(now);
            if phase == Phase::Completed {
                return Requested::Late;
            }
            let (first, rank) = (now & CANCEL == 0, rank.max(now & RANK));
            let mut next = now & !RANK | CANCEL | rank;
            if first && phase == Phase::Running {
                next = with_phase(next, Phase::CancelRequested);
            }
            // Release publishes the reason, which was stored before; the observer acquires.
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) if first => return Requested::First(phase),
                Ok(_) => return Requested::Again,
                Err(seen) => now = seen,
            }
        }
    }

    /// A waker was registered for the cancel. Either the request sees this, or who registered sees
    /// the request: of two modifications of one word one is the later.
    pub fn await_cancel(&self) {
        self.0.fetch_or(AWAITED, AcqRel);
    }

    /// A checkpoint observes the cancel. True for the first time: `CancelRequested -> Cancelling`.
    pub fn observe_cancel(&self) -> bool {
        self.advance(|phase| (phase == Phase::CancelRequested).then_some(Phase::Cancelling))
            .is_some()
    }

    /// The body ended: any phase but `Completed` goes to `Finalizing`. Returns the phase before.
    pub fn finalize(&self) -> Phase {
        self.advance(|phase| (phase < Phase::Finalizing).then_some(Phase::Finalizing))
            .unwrap_or(Phase::Finalizing)
    }

    /// A finalizer was registered. `Completed`: too late, unless it ran already.
    pub fn defer(&self) -> Snapshot {
        Snapshot(self.0.fetch_or(DEFERRED, AcqRel))
    }

    /// A scope of the task was opened outside its own polls.
    pub fn opened_elsewhere(&self) {
        // Release: the end of the task finds the scope.
        self.0.fetch_or(SCOPED, AcqRel);
    }

    /// The end is about to look for finalizers.
    pub fn look_for_deferred(&self) {
        self.0.fetch_and(!DEFERRED, AcqRel);
    }

    /// The outcome was stored: `Completed`, not polled any more. Returns the word before: if the
    /// handle was gone by then, nobody else will ever look at the output, and it is marked as taken
    /// in the same step. `None` if a finalizer was registered since the last look: nothing changed.
    ///
    /// Release publishes the output to who loads `Completed`; Acquire takes what a dropped handle
    /// published, because the completer then drops the output.
    pub fn complete(&self) -> Option<Snapshot> {
        let mut now = self.0.load(Relaxed);
        loop {
            assert_ne!(Phase::of(now), Phase::Completed, "completed twice");
            if now & DEFERRED != 0 {
                return None;
            }
            let mut next = with_phase(now & !(WAKE | POLLER), Phase::Completed);
            if now & HANDLE_GONE != 0 {
                next |= TAKEN;
            }
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return Some(Snapshot(now)),
                Err(seen) => now = seen,
            }
        }
    }

    fn advance(&self, edge: impl Fn(Phase) -> Option<Phase>) -> Option<Phase> {
        let mut now = self.0.load(Relaxed);
        loop {
            let before = Phase::of(now);
            let after = edge(before)?;
            match self
                .0
                .compare_exchange_weak(now, with_phase(now, after), AcqRel, Relaxed)
            {
                Ok(_) => return Some(before),
                Err(seen) => now = seen,
            }
        }
    }

    /// The next run drops the future.
    pub fn escalate(&self) {
        self.0.fetch_or(ESCALATE, AcqRel);
    }

    /// From here on tokens that are dropped are unwound, not leaked.
    pub fn set_unwinding(&self) {
        self.0.fetch_or(UNWINDING, AcqRel);
    }

    /// The handle goes, and its reference with it, unless the task is complete: then this changes
    /// nothing and is false, and the handle's output is still its own. Else
    /// [`complete`](Word::complete) finds the handle gone. One of the two is later.
    ///
    /// The reference is not the last: the task is not complete.
    pub fn drop_handle(&self) -> bool {
        let mut now = self.0.load(Acquire);
        loop {
            if Phase::of(now) == Phase::Completed {
                return false;
            }
            debug_assert!(now >= 2 * REF, "only the handle knows of the task");
            let next = (now | HANDLE_GONE) - REF;
            // Release: who completes drops the output, after what the handle did.
            match self.0.compare_exchange_weak(now, next, AcqRel, Acquire) {
                Ok(_) => return true,
                Err(seen) => now = seen,
            }
        }
    }

    /// The handle of a complete task goes, after it moved the output out or dropped it. True if its
    /// reference was the last.
    #[must_use]
    pub fn release_handle(&self) -> bool {
        // One handle, so the bit is not set, and the addition sets it.
        let before = self
            .0
            .fetch_add((TAKEN | HANDLE_GONE).wrapping_sub(REF), AcqRel);
        assert!(
            before >= REF && before & (TAKEN | HANDLE_GONE) == 0,
            "one handle, one output"
        );
        before < 2 * REF
    }
}

fn with_phase(word: u64, phase: Phase) -> u64 {
    word & !PHASE | (phase as u64) << PHASE_SHIFT
}
