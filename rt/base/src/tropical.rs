//! The algebras of costs. In (min, +) a sequence adds and a choice takes the cheaper; in (max, +)
//! it takes the costlier, which is the worst case. Sums saturate, so nothing wraps (VAL-22).

use core::fmt;

/// A cost of the algebra (min, +): `u64::MAX` is infinite.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MinPlus(u64);

impl MinPlus {
    /// Infinite: neutral in a choice, absorbing in a sequence.
    pub const ZERO: MinPlus = MinPlus(u64::MAX);
    /// No cost: neutral in a sequence.
    pub const ONE: MinPlus = MinPlus(0);

    /// A cost; `u64::MAX` is infinite.
    pub const fn new(cost: u64) -> MinPlus {
        MinPlus(cost)
    }

    /// The cost; `u64::MAX` is infinite.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// One or the other: the cheaper.
    #[must_use]
    pub const fn or(self, other: MinPlus) -> MinPlus {
        if self.0 <= other.0 { self } else { other }
    }

    /// One after the other: the sum.
    #[must_use]
    pub const fn then(self, other: MinPlus) -> MinPlus {
        MinPlus(self.0.saturating_add(other.0))
    }
}

impl fmt::Display for MinPlus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == MinPlus::ZERO {
            f.write_str("∞")
        } else {
            write!(f, "{}", self.0)
        }
    }
}

/// A cost of the algebra (max, +), with −∞ below all costs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MaxPlus(Option<u64>);

impl MaxPlus {
    /// −∞: neutral in a choice, absorbing in a sequence. There is no path.
    pub const ZERO: MaxPlus = MaxPlus(None);
    /// No cost: neutral in a sequence.
    pub const ONE: MaxPlus = MaxPlus(Some(0));

    /// A cost; `u64::MAX` stands for all that is greater.
    pub const fn new(cost: u64) -> MaxPlus {
        MaxPlus(Some(cost))
    }

    /// The cost, if not −∞.
    pub const fn get(self) -> Option<u64> {
        self.0
    }

    /// One or the other: the costlier.
    #[must_use]
    pub fn or(self, other: MaxPlus) -> MaxPlus {
        self.max(other)
    }

    /// One after the other: the sum.
    #[must_use]
    pub const fn then(self, other: MaxPlus) -> MaxPlus {
        match (self.0, other.0) {
            (Some(a), Some(b)) => MaxPlus(Some(a.saturating_add(b))),
            _ => MaxPlus::ZERO,
        }
    }
}

impl fmt::Display for MaxPlus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(cost) => write!(f, "{cost}"),
            None => f.write_str("−∞"),
        }
    }
}
