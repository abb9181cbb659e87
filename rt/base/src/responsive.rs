//! How soon something that is cancelled ends, in polls, and how that composes (CAN-18, CAN-19).
//!
//! A bound has three parts: C, the most polls between two cancel points; M, the greatest depth of
//! masks, each of which holds the observation back for at most C polls; F, the polls that the
//! finalization takes. A cancel is answered within R = (M + 1) × C + F polls.

use core::fmt;

/// The bound of an operation or a plan. See the module.
///
/// ```
/// use asr_base::Responsive;
///
/// // A wait, then a section of three polls under a mask, with a finalizer of two polls around.
/// let wait = Responsive::new(1, 0, 1);
/// let plan = wait.then(wait.masked(3)).with_pending(2);
/// assert_eq!((plan.c, plan.m, plan.f), (3, 1, 3));
/// assert_eq!(plan.polls(), 9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Responsive {
    /// Most polls between two cancel points, and at one level of masks.
    pub c: u32,
    /// Greatest depth of masks.
    pub m: u32,
    /// Polls of the finalization.
    pub f: u32,
}

impl Responsive {
    /// A cancel point at each poll, no mask, nothing to clean up.
    pub const LEAST: Responsive = Responsive::new(1, 0, 0);

    /// The bound with these parts.
    pub const fn new(c: u32, m: u32, f: u32) -> Responsive {
        Responsive { c, m, f }
    }

    /// R: a cancel is answered within so many polls.
    pub const fn polls(self) -> u32 {
        self.m
            .saturating_add(1)
            .saturating_mul(self.c)
            .saturating_add(self.f)
    }

    /// This, then `next`: a cancel meets one of them.
    pub const fn then(self, next: Responsive) -> Responsive {
        Responsive::new(
            larger(self.c, next.c),
            larger(self.m, next.m),
            larger(self.f, next.f),
        )
    }

    /// One of the two.
    pub const fn or(self, other: Responsive) -> Responsive {
        self.then(other)
    }

    /// This while a finalization of `polls` is pending: its F is added whatever the cancel meets.
    pub const fn with_pending(self, polls: u32) -> Responsive {
        Responsive::new(self.c, self.m, self.f.saturating_add(polls))
    }

    /// This under one more mask, which it leaves after at most `polls`.
    pub const fn masked(self, polls: u32) -> Responsive {
        let c = larger(self.c, polls);
        Responsive::new(c, self.m.saturating_add(1), self.f)
    }

    /// The one that polls branches of these bounds side by side, and waits for them all. Each keeps
    /// its own R; this has a cancel point at each poll, and then polls until the last of them has
    /// ended: at worst for one at a time, once more for each to take note of its end, and once to
    /// close.
    pub fn around(branches: impl IntoIterator<Item = Responsive>) -> Responsive {
        let drained = branches.into_iter().fold(0u32, |polls, branch| {
            polls.saturating_add(branch.polls()).saturating_add(1)
        });
        Responsive::new(1, 0, drained.saturating_add(1))
    }
}

impl fmt::Display for Responsive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Responsive { c, m, f: ends } = self;
        write!(f, "C = {c}, M = {m}, F = {ends}, R = {}", self.polls())
    }
}

const fn larger(a: u32, b: u32) -> u32 {
    if a > b { a } else { b }
}
