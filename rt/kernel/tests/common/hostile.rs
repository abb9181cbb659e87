//! A governor that advises whatever the numbers of its snapshots say, and at times the worst for
//! long.

#![allow(dead_code, reason = "each test uses a part")]

use asr_kernel::sched::governor::{Advice, Drain, Governor, GovernorConfig, Prefer, Snapshot, Tie};
use std::num::NonZeroU32;

#[derive(Default)]
struct Hostile {
    /// What it insists on, and how often yet.
    stubborn: (Advice, u32),
}

impl Governor for Hostile {
    fn advise(&mut self, snapshot: &Snapshot) -> Advice {
        if self.stubborn.1 > 0 {
            self.stubborn.1 -= 1;
            return self.stubborn.0;
        }
        let advice = arbitrary(snapshot.draw);
        self.stubborn = (advice, (snapshot.draw >> 32) as u32 % 40);
        advice
    }
}

/// Any advice.
pub(crate) fn arbitrary(draw: u64) -> Advice {
    let pick = |at: u32, of: u64| (draw >> at) % of;
    let tie = |at| [Tie::First, Tie::Second][pick(at, 2) as usize];
    let mut advice = Advice::new();
    advice.drain = [Drain::Off, Drain::Obligations, Drain::Regions][pick(0, 3) as usize];
    advice.prefer = [Prefer::Usual, Prefer::Queue, Prefer::Injector][pick(8, 3) as usize];
    advice.cancel_tie = tie(16);
    advice.timed_tie = tie(20);
    advice.promote = pick(24, 2) == 0;
    advice
}

/// Asked each so many dispatches.
pub(crate) fn hostile(interval: u32, seed: u64) -> GovernorConfig {
    let mut config = GovernorConfig::new(|_| Box::new(Hostile::default()));
    config.interval = NonZeroU32::new(interval).expect("at least 1");
    config.seed = seed;
    config
}
