//! Random numbers: the sequence of the C library, which programs see through `seed`.
//!
//! The generator is glibc's `rand` (an additive feedback of 31 words), one per heap: programs in
//! one process do not disturb each other, and every engine gives the same sequence.

use std::cell::Cell;

use super::{Cx, num};
use crate::error::Res;
use crate::ops::arith::to_i32;
use crate::word::Value;

/// Words of the feedback.
const WORDS: usize = 31;

/// The largest number of the generator, C's `RAND_MAX`.
const MOST: u32 = 0x7FFF_FFFF;

/// The state of a generator.
pub(crate) struct Random {
    words: [Cell<u32>; WORDS],
    /// Where the next number goes: over the one that is 31 steps old.
    at: Cell<usize>,
}

impl Random {
    /// As after `seed(seed)`.
    pub(crate) fn new(seed: u32) -> Random {
        let random = Random {
            words: [const { Cell::new(0) }; WORDS],
            at: Cell::new(0),
        };
        random.seed(seed);
        random
    }

    /// Starts anew.
    pub(crate) fn seed(&self, seed: u32) {
        // The seed's own generator works on signed numbers below 2^31 - 1; 0 would stay 0.
        let mut word = i64::from(seed.max(1) as i32);
        for cell in &self.words {
            cell.set(word as u32);
            word = 16807 * word % i64::from(MOST);
            if word < 0 {
                word += i64::from(MOST);
            }
        }
        // The three words before it are the ones that the first number is made of.
        self.at.set(3);
        // The first numbers show too much of the seed.
        for _ in 0..10 * WORDS {
            self.next();
        }
    }

    /// The next number, at most [`MOST`].
    pub(crate) fn next(&self) -> u32 {
        let at = self.at.get();
        let three_ago = self.words[(at + WORDS - 3) % WORDS].get();
        let word = self.words[at].get().wrapping_add(three_ago);
        self.words[at].set(word);
        self.at.set((at + 1) % WORDS);
        word >> 1
    }
}

/// A seed from the time.
pub(crate) fn time_seed() -> u32 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    since.as_secs() as u32
}

/// An integer from `a` to `b`, both included.
fn between(cx: &Cx<'_>, a: f64, b: f64) -> Value {
    let (a, b) = (i64::from(to_i32(a)), i64::from(to_i32(b)));
    let (low, high) = (a.min(b), a.max(b));
    Value::number((low + i64::from(cx.heap.random.next()) % (high - low + 1)) as f64)
}

pub(super) fn random(cx: &Cx<'_>, args: &[Value]) -> Res {
    Ok(match (args, num(args, 0), num(args, 1)) {
        ([], ..) => Value::number(f64::from(cx.heap.random.next()) / (f64::from(MOST) + 1.0)),
        (_, Some(a), Some(b)) => between(cx, a, b),
        ([_], Some(most), None) => between(cx, 0.0, most),
        _ => Value::int(0),
    })
}

pub(super) fn randint(cx: &Cx<'_>, args: &[Value]) -> Res {
    match args {
        [] => Ok(Value::int(0)),
        _ => random(cx, args),
    }
}

pub(super) fn seed(cx: &Cx<'_>, args: &[Value]) -> Res {
    let seed = num(args, 0).map_or_else(time_seed, |seed| to_i32(seed) as u32);
    cx.heap.random.seed(seed);
    Ok(Value::NULL)
}
