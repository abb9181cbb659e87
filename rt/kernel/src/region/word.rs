//! The state word of a region: its state and how many children live, in one word.
//!
//! ```text
//!  63                   5   4    3   2    0
//! +----------------------+-----+---+-------+
//! | live children        | FIN | C | state |      FIN finalizers ran   C cancel pending
//! +----------------------+-----+---+-------+
//! ```
//!
//! Invariants
//! 1. The state only grows: `Open < Closing < Draining < Finalizing < Closed` (REG-2).
//! 2. A spawn is admitted only while the word says `Open`, in the same modification that counts the
//!    child (REG-4).
//! 3. Exactly one modification makes "not open any more, and nobody lives" true. Its author drives
//!    the close on. Why exactly once: both facts live in this word, so one modification is the
//!    last. Read apart, a close that lands between the two reads is missed by everyone, and nobody
//!    finalizes. The loom test `one_thread_finalizes` shows it.
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
const CHILD: u64 = 1 << 5;

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

    /// Counts one child, if the region is open. The refusal names the state.
    ///
    /// AcqRel: Acquire takes a cancel that was requested before; pairs with
    /// [`request_cancel`](Word::request_cancel).
    pub fn admit(&self) -> Result<(), State> {
        self.admit_below(State::Closing)
    }

    /// Counts one child of a live task or of the running finalizer.
    pub fn admit_nested(&self) -> Result<(), State> {
        self.admit_below(State::Closed)
    }

    fn admit_below(&self, bound: State) -> Result<(), State> {
        let mut now = self.0.load(Relaxed);
        loop {
            // Finalized and empty: the outcome is being published, whoever thought to be alive.
            if state(now) >= bound || (now & FINALIZED != 0 && now < CHILD) {
                return Err(state(now));
            }
            match self
                .0
                .compare_exchange_weak(now, now + CHILD, AcqRel, Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(seen) => now = seen,
            }
        }
    }

    /// Edge `Open -> Closing`. False if somebody closes already.
    pub fn close(&self) -> bool {
        let mut now = self.0.load(Relaxed);
        loop {
            if state(now) != State::Open {
                return false;
            }
            let next = now & !STATE | State::Closing as u64;
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return true,
                Err(seen) => now = seen,
            }
        }
    }

    /// Edge `Closing -> Draining`, by the closer, once it has passed on what cancel there was.
    pub fn drain(&self) -> Drain {
        let mut now = self.0.load(Relaxed);
        loop {
            assert_eq!(state(now), State::Closing, "drained by somebody else");
            let empty = now < CHILD;
            let to = if empty {
                State::Finalizing
            } else {
                State::Draining
            };
            let next = now & !STATE | to as u64;
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) if empty => return Drain::Finalize,
                Ok(_) => return Drain::Wait,
                Err(seen) => now = seen,
            }
        }
    }

    /// One child ended. In `Draining` the last one moves the region to `Finalizing`.
    ///
    /// AcqRel: Release publishes this child's effects, Acquire gives the last one everybody's.
    pub fn child_ended(&self) -> Drain {
        let mut now = self.0.load(Relaxed);
        loop {
            assert!(now >= CHILD, "ended without a live child");
            let mut next = now - CHILD;
            let mut done = Drain::Wait;
            if next < CHILD && state(now) == State::Draining {
                next = next & !STATE | State::Finalizing as u64;
                done = Drain::Finalize;
            } else if next < CHILD && next & FINALIZED != 0 {
                done = Drain::Publish;
            }
            match self.0.compare_exchange_weak(now, next, AcqRel, Relaxed) {
                Ok(_) => return done,
                Err(seen) => now = seen,
            }
        }
    }

    /// The last finalizer ended. `Publish` if nobody lives that they left.
    pub fn finalized(&self) -> Drain {
        let before = self.0.fetch_or(FINALIZED, AcqRel);
        assert_eq!(
            state(before),
            State::Finalizing,
            "finalized in another state"
        );
        assert!(before & FINALIZED == 0, "finalized twice");
        if before < CHILD {
            Drain::Publish
        } else {
            Drain::Wait
        }
    }

    /// Edge `Finalizing -> Closed`. Release publishes the outcome.
    pub fn closed(&self) {
        let before = self
            .0
            .fetch_add(State::Closed as u64 - State::Finalizing as u64, AcqRel);
        assert_eq!(state(before), State::Finalizing, "closed twice");
        assert!(before < CHILD, "closed with a live child");
    }

    /// Whether a cancel is pending. Relaxed: who needs its reason takes the lock.
    pub fn has_cancel(&self) -> bool {
        self.0.load(Relaxed) & CANCEL != 0
    }

    /// A cancel is pending from now on. True for the first.
    pub fn request_cancel(&self) -> bool {
        self.0.fetch_or(CANCEL, AcqRel) & CANCEL == 0
    }
}

fn state(word: u64) -> State {
    STATES[(word & STATE) as usize]
}
