//! Random numbers: xoshiro256** seeded through SplitMix64, one stream per purpose, so that a new
//! choice of one purpose shifts no other (LAB-4).
//!
//! A program's own entropy is not drawn from a stream but hashed from the run's seed, the task and
//! the number of the call: it depends on the schedule of no other task (CAP-4).
//!
//! None of this is fit for secrets.

use crate::id::TaskId;

/// What random numbers are for. Its number is part of every recorded seed: never change one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Purpose(pub u64);

impl Purpose {
    /// Which task runs next.
    pub const SCHEDULE: Purpose = Purpose(1);
    /// Whom to steal from.
    pub const STEAL: Purpose = Purpose(2);
    /// Where chaos strikes.
    pub const CHAOS: Purpose = Purpose(3);
    /// What the simulated network does.
    pub const NETWORK: Purpose = Purpose(4);
    /// What the simulated disk does.
    pub const DISK: Purpose = Purpose(5);
    /// How much a delay varies.
    pub const JITTER: Purpose = Purpose(6);
    /// What a governor of the scheduler draws.
    pub const GOVERNOR: Purpose = Purpose(7);
}

/// A stream of random numbers.
///
/// ```
/// use asr_base::{Purpose, Rng};
///
/// let mut steal = Rng::stream(42, Purpose::STEAL);
/// assert!(steal.below(10) < 10);
/// assert_ne!(steal, Rng::stream(42, Purpose::SCHEDULE));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rng([u64; 4]);

/// The step of SplitMix64: 2⁶⁴ divided by the golden ratio, odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// The finalizer of SplitMix64: a bijection that lets each bit reach all others.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Rng {
    /// The stream of a purpose in the run of a seed.
    pub const fn stream(seed: u64, purpose: Purpose) -> Rng {
        Rng::seeded(seed ^ purpose.0)
    }

    /// Four numbers of SplitMix64 make the state. They differ, so it is never all zero.
    pub const fn seeded(seed: u64) -> Rng {
        let mut state = [0; 4];
        let mut z = seed;
        let mut i = 0;
        while i < 4 {
            z = z.wrapping_add(GAMMA);
            state[i] = mix(z);
            i += 1;
        }
        Rng(state)
    }

    /// A stream that goes on from a recorded state; `None` for all zeros, which is not a state.
    pub const fn from_state(state: [u64; 4]) -> Option<Rng> {
        if state[0] | state[1] | state[2] | state[3] == 0 {
            None
        } else {
            Some(Rng(state))
        }
    }

    /// The state, for a record from which a stream goes on.
    pub const fn state(&self) -> [u64; 4] {
        self.0
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A number less than `n`, each equally likely; 0 when `n` is 0.
    pub const fn below(&mut self, n: u64) -> u64 {
        if n == 0 {
            return 0;
        }
        // The product's high word is the answer. Low words under 2⁶⁴ mod n belong to answers that
        // would come up once too often; they are drawn again.
        let excess = n.wrapping_neg() % n;
        loop {
            let product = self.next_u64() as u128 * n as u128;
            if product as u64 >= excess {
                return (product >> 64) as u64;
            }
        }
    }

    /// True with probability `p`: never at 0 or below or NaN, always at 1 or above. It takes one
    /// number from the stream whatever `p` is.
    pub fn chance(&mut self, p: f64) -> bool {
        let unit = (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        unit < p
    }
}

/// The entropy of a task's call of this number, in the run of a seed (CAP-4).
pub const fn task_entropy(seed: u64, task: TaskId, call: u64) -> u64 {
    let z = mix(seed.wrapping_add(GAMMA));
    let z = mix((z ^ task.to_bits()).wrapping_add(GAMMA));
    mix((z ^ call).wrapping_add(GAMMA))
}
