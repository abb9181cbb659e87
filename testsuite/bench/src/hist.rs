//! A histogram of nanoseconds that tasks on any thread write: 32 steps an octave, so 3 % exact.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const STEP_BITS: u32 = 5;
const STEPS: usize = 1 << STEP_BITS;

/// See the module.
#[derive(Debug)]
pub(crate) struct Hist {
    steps: Vec<AtomicU64>,
    max: AtomicU64,
}

impl Hist {
    pub(crate) fn new() -> Hist {
        Hist {
            steps: (0..64 * STEPS).map(|_| AtomicU64::new(0)).collect(),
            max: AtomicU64::new(0),
        }
    }

    pub(crate) fn record(&self, nanos: u64) {
        self.steps[step(nanos)].fetch_add(1, Relaxed);
        self.max.fetch_max(nanos, Relaxed);
    }

    pub(crate) fn max(&self) -> u64 {
        self.max.load(Relaxed)
    }

    /// The lower end of the step in which the quantile lies.
    pub(crate) fn quantile(&self, part: f64) -> u64 {
        let counts = self.steps.iter().map(|count| count.load(Relaxed));
        let total: u64 = counts.clone().sum();
        let rank = ((total as f64 * part).ceil() as u64).max(1);
        let mut seen = 0;
        let found = counts.enumerate().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        found.map_or(0, |(step, _)| low_end(step))
    }
}

/// Exact below two octaves of steps, then the leading bits.
fn step(nanos: u64) -> usize {
    let octave = nanos.checked_ilog2().unwrap_or(0);
    if octave < STEP_BITS {
        return nanos as usize;
    }
    let shift = octave - STEP_BITS;
    (shift as usize + 1) * STEPS + (nanos >> shift) as usize % STEPS
}

fn low_end(step: usize) -> u64 {
    let (octave, within) = (step / STEPS, (step % STEPS) as u64);
    match octave.checked_sub(1) {
        None => within,
        Some(shift) => (STEPS as u64 + within) << shift,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_hold_what_they_say() {
        for nanos in (0..4096).chain((12..64).map(|bit| (1 << bit) + 12345)) {
            let low = low_end(step(nanos));
            assert!(low <= nanos, "{nanos} is below its step {low}");
            assert!(nanos - low <= nanos / 32, "{nanos} is far above {low}");
        }
    }

    #[test]
    fn quantiles_are_ranks() {
        let hist = Hist::new();
        assert_eq!(hist.quantile(0.5), 0);
        (1..=20).for_each(|nanos| hist.record(nanos));
        assert_eq!(hist.quantile(0.5), 10);
        assert_eq!(hist.quantile(0.99), 20);
        assert_eq!(hist.max(), 20);
    }
}
