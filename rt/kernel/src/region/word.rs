//! The state word of a region: its state and how many children live, in one word.
//!
//! ```text
//!  63               6   5    4    3   2    0
//! +------------------+----+-----+---+-------+   OK  closed with the outcome Ok
//! | live children    | OK | FIN | C | state |   FIN finalizers ran
//! +------------------+----+-----+---+-------+   C   cancel pending
//! ```
//!
//! Invariants
//! 1. The state only grows: `Open < Closing < Draining < Finalizing < Closed` (REG-2).
//! 2. The word changes only under the lock of its region, and is read at any time. So a change is a
//!    load and a store, and goes with what else the lock guards: a spawn is admitted, counted and
//!    listed in one step against the start of closing (REG-4).
//! 3. Exactly one change makes "not open any more, and nobody lives" true. Its author drives the
//!    close on.
//!
//! Children that the region's own live tasks and finalizers open (REG-5) are counted by
//! [`Word::admit_nested`] in every state short of `Closed`: their parent is alive, so the count is
//! above zero or the state is `Finalizing`, and 3 holds.

use crate::sync::atomic::{AtomicU64, Ordering::*};

/// States of a region, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    /// Admits children.
    Open = 0,
    /// The body ended or a close was asked for; nothing is admitted.
    Closing = 1,
    /// Waits for the children.
    Draining = 2,
    /// Nobody lives; finalizers run.
    Finalizing = 3,
    /// The outcome stands.
    Closed = 4,
}

const STATES: [State; 5] = [
    State::Open,
    State::Closing,
    State::Draining,
    State::Finalizing,
    State::Closed,
];
const STATE: u64 = 0b111;
/// A cancel of the region is pending. Never unset.
const CANCEL: u64 = 1 << 3;
/// Every finalizer ran. Set once.
const FINALIZED: u64 = 1 << 4;
/// The outcome is Ok. Set with `Closed`.
const OK: u64 = 1 << 5;
const CHILD: u64 = 1 << 6;

/// What a child's end or a close has to do.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Somebody lives, or the region is open.
    Wait,
    /// The caller made it empty and runs the finalizers, exactly once per region.
    Finalize,
    /// The finalizers ran and nobody lives: the caller publishes, exactly once per region.
    Publish,
}

/// The word. See the module.
#[derive(Debug)]
pub struct Word(AtomicU64);

impl Default for Word {
    fn default() -> Word {
        Word::new()
    }
}

impl Word {
    /// Open, no child.
    pub fn new() -> Word {
        Word(AtomicU64::new(0))
    }

    /// Open again, with `children` already counted. The caller owns the record alone.
    pub fn renew(&self, children: u64) {
        self.0.store(children * CHILD, Release);
    }

    /// Where the region is.
    #[inline]
    pub fn state(&self) -> State {
        state(self.0.load(Acquire))
    }

    /// How many children live.
    pub fn live(&self) -> u64 {
        self.0.load(Acquire) / CHILD
    }

    /// A cancel is pending.
    pub fn cancel_pending(&self) -> bool {
        self.0.load(Acquire) & CANCEL != 0
    }

    /// Changes the word; the lock is held. Release publishes the change to who only reads.
    #[inline]
    fn set(&self, next: u64) {
        self.0.store(next, Release);
    }

    /// What the last change left; the lock, which is held, orders it.
    #[inline]
    fn now(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Counts one child, if the region is open. The refusal names the state.
    pub fn admit(&self) -> Result<(), State> {
        self.admit_below(State::Closing)
    }

    /// Counts one child of a live task or of the running finalizer.
    pub fn admit_nested(&self) -> Result<(), State> {
        self.admit_below(State::Closed)
    }

    #[inline]
    fn admit_below(&self, bound: State) -> Result<(), State> {
        let now = self.now();
        // Finalized and empty: the outcome is being published, whoever thought to be alive.
        if state(now) >= bound || (now & FINALIZED != 0 && now < CHILD) {
            return Err(state(now));
        }
        self.set(now + CHILD);
        Ok(())
    }

    /// Edge `Open -> Closing`. False if somebody closes already.
    #[inline]
    pub fn close(&self) -> bool {
        let now = self.now();
        let open = state(now) == State::Open;
        if open {
            self.set(with_state(now, State::Closing));
        }
        open
    }

    /// Edge `Closing -> Draining`, by the closer, once it has passed on what cancel there was.
    #[inline]
    pub fn drain(&self) -> Drain {
        let now = self.now();
        assert_eq!(state(now), State::Closing, "drained by somebody else");
        if now < CHILD {
            self.set(with_state(now, State::Finalizing));
            Drain::Finalize
        } else {
            self.set(with_state(now, State::Draining));
            Drain::Wait
        }
    }

    /// One child ended. In `Draining` the last one moves the region to `Finalizing`.
    #[inline]
    pub fn child_ended(&self) -> Drain {
        let now = self.now();
        assert!(now >= CHILD, "ended without a live child");
        let next = now - CHILD;
        if next < CHILD && state(now) == State::Draining {
            self.set(with_state(next, State::Finalizing));
            return Drain::Finalize;
        }
        self.set(next);
        if next < CHILD && next & FINALIZED != 0 {
            Drain::Publish
        } else {
            Drain::Wait
        }
    }

    /// The last finalizer ended. `Publish` if nobody lives that they left.
    #[inline]
    pub fn finalized(&self) -> Drain {
        let now = self.now();
        assert_eq!(state(now), State::Finalizing, "finalized in another state");
        assert!(now & FINALIZED == 0, "finalized twice");
        self.set(now | FINALIZED);
        if now < CHILD {
            Drain::Publish
        } else {
            Drain::Wait
        }
    }

    /// Edge `Finalizing -> Closed`; `ok` says whether the outcome is Ok. Release publishes it.
    pub fn closed(&self, ok: bool) {
        let now = self.now();
        assert_eq!(state(now), State::Finalizing, "closed twice");
        assert!(now < CHILD, "closed with a live child");
        let flag = if ok { OK } else { 0 };
        self.set(with_state(now, State::Closed) | flag);
    }

    /// Open, with one child, and no cancel: that of a scope whose body is alone. Acquire: what the
    /// ends of other children counted before is seen.
    #[inline]
    pub fn has_one_child(&self) -> bool {
        self.0.load(Acquire) == CHILD
    }

    /// From one child to closed with the outcome Ok, by who claimed the whole region.
    #[inline]
    pub fn closed_alone(&self) {
        self.set(State::Closed as u64 | FINALIZED | OK);
    }

    /// Closed, and the outcome is Ok.
    #[inline]
    pub fn is_ok(&self) -> bool {
        self.0.load(Acquire) & OK != 0
    }

    /// Whether a cancel is pending. Relaxed: who needs its reason takes the lock.
    pub fn has_cancel(&self) -> bool {
        self.0.load(Relaxed) & CANCEL != 0
    }

    /// A cancel is pending from now on. True for the first.
    pub fn request_cancel(&self) -> bool {
        let now = self.now();
        self.set(now | CANCEL);
        now & CANCEL == 0
    }
}

#[inline]
fn state(word: u64) -> State {
    STATES[(word & STATE) as usize]
}

fn with_state(word: u64, state: State) -> u64 {
    word & !STATE | state as u64
}
