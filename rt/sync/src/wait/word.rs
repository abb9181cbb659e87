//! Free units, flags and a position in one word, so that each step is one modification and whoever
//! waits and whoever gives cannot miss each other (CHN-1).
//!
//! ```text
//!  63        40 39    33  32  31  30 29         0
//! +------------+--------+---+---+---+------------+
//! | position   | allow  | X | C | W | free       |
//! +------------+--------+---+---+---+------------+
//!  W somebody waits   C the first waiter was called, and has not looked yet   X closed
//! ```
//!
//! `allow` is how many newcomers may still overtake the first waiter. `position` is a channel's:
//! how many messages went in, modulo its room; it wraps out of the word.

/// The most units.
pub const UNITS_MAX: u32 = (1 << 30) - 1;

const FREE: u64 = UNITS_MAX as u64;
const WAITED: u64 = 1 << 30;
const CALLED: u64 = 1 << 31;
const CLOSED: u64 = 1 << 32;
const ALLOW_SHIFT: u32 = 33;
const ALLOW_ONE: u64 = 1 << ALLOW_SHIFT;
const ALLOW: u64 = 127 << ALLOW_SHIFT;
const POSITION_SHIFT: u32 = 40;

/// One position further.
pub(super) const STEP: u64 = 1 << POSITION_SHIFT;

const _: () = assert!(super::OVERTAKES_MAX <= 127, "fits its bits");

/// A reading of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word(pub u64);

impl Word {
    /// The most positions; more wrap.
    pub const POSITIONS: usize = 1 << (64 - POSITION_SHIFT);

    /// Units that nobody has.
    #[inline]
    pub fn free(self) -> u32 {
        (self.0 & FREE) as u32
    }

    /// Somebody waits.
    #[inline]
    pub fn is_waited(self) -> bool {
        self.0 & WAITED != 0
    }

    /// No more units are given out.
    #[inline]
    pub fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    /// Units came, and the first waiter does not know of any yet.
    #[inline]
    pub(super) fn wants_call(self) -> bool {
        self.0 & (WAITED | CALLED) == WAITED
    }

    /// Whoever gives units has to look for the first waiter: he does not know of any yet, or nobody
    /// else may take them, and somebody has to see whether he does.
    #[inline]
    pub(super) fn wants_look(self) -> bool {
        self.is_waited() && (!self.is_called() || self.allow() == 0)
    }

    /// How many newcomers may still overtake.
    #[inline]
    pub(super) fn allow(self) -> u64 {
        (self.0 & ALLOW) >> ALLOW_SHIFT
    }

    /// How many messages went in, modulo [`POSITIONS`](Word::POSITIONS).
    #[inline]
    pub fn position(self) -> usize {
        (self.0 >> POSITION_SHIFT) as usize
    }

    /// After a newcomer took so many units, if it may.
    #[inline]
    pub(super) fn taken(self, need: u32) -> Option<Word> {
        if self.free() < need {
            return None;
        }
        if !self.is_waited() {
            return Some(Word(self.0 - u64::from(need)));
        }
        (self.allow() > 0).then(|| Word(self.0 - u64::from(need) - ALLOW_ONE))
    }

    /// After the first waiter took so many, if they are there.
    pub(super) fn taken_first(self, need: u32) -> Option<Word> {
        (self.free() >= need).then(|| Word(self.0 - u64::from(need)))
    }

    /// With nobody waiting.
    pub(super) fn unwaited(self) -> Word {
        Word(self.0 & !(WAITED | CALLED | ALLOW))
    }

    /// With a first waiter who needs so many and may be overtaken so often. It is to be called if
    /// they are there.
    pub(super) fn waited(self, need: u32, allow: u64) -> Word {
        let called = if self.free() >= need { CALLED } else { 0 };
        Word(self.unwaited().0 | WAITED | called | allow << ALLOW_SHIFT)
    }

    pub(super) fn is_called(self) -> bool {
        self.0 & CALLED != 0
    }

    pub(super) fn called(self) -> Word {
        Word(self.0 | CALLED)
    }

    pub(super) fn uncalled(self) -> Word {
        Word(self.0 & !CALLED)
    }

    pub(super) fn closed(self) -> Word {
        Word(self.unwaited().0 | CLOSED)
    }
}
