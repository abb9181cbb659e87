//! How long tasks of a name took.

use std::collections::{BTreeMap, VecDeque};

use asr_base::Duration;

/// Names that are remembered, at most: who makes names up while it runs fills no memory.
const NAMES: usize = 1024;

/// Durations by name.
#[derive(Default)]
pub(super) struct History {
    names: BTreeMap<Box<str>, VecDeque<Duration>>,
}

impl History {
    /// A task of this name took so long.
    pub(super) fn add(&mut self, name: &str, took: Duration, samples: usize) {
        if !self.names.contains_key(name) {
            if self.names.len() == NAMES {
                return;
            }
            self.names.insert(name.into(), VecDeque::new());
        }
        let Some(durations) = self.names.get_mut(name) else {
            return;
        };
        if durations.len() == samples {
            durations.pop_front();
        }
        durations.push_back(took);
    }

    /// What `percentile` percent of the last `samples` of this name took at most; `None` before
    /// there are as many.
    pub(super) fn usual(&self, name: &str, percentile: u8, samples: usize) -> Option<Duration> {
        let durations = self.names.get(name)?;
        if durations.len() < samples {
            return None;
        }
        let mut sorted: Vec<Duration> = durations.iter().copied().collect();
        sorted.sort_unstable();
        // The nearest rank, from 1.
        let rank = (sorted.len() * usize::from(percentile)).div_ceil(100);
        sorted.get(rank.saturating_sub(1)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sch_42_the_percentile_is_of_the_last_samples() {
        let mut history = History::default();
        let millis = Duration::from_millis;
        for n in 1..=99 {
            history.add("a", millis(n), 100);
        }
        assert_eq!(history.usual("a", 95, 100), None);
        history.add("a", millis(100), 100);
        assert_eq!(history.usual("a", 95, 100), Some(millis(95)));
        assert_eq!(history.usual("a", 100, 100), Some(millis(100)));
        assert_eq!(history.usual("a", 1, 100), Some(millis(1)));
        // The oldest go.
        for _ in 0..50 {
            history.add("a", millis(1000), 100);
        }
        assert_eq!(history.usual("a", 50, 100), Some(millis(100)));
        assert_eq!(history.usual("a", 51, 100), Some(millis(1000)));
        assert_eq!(history.usual("b", 95, 1), None);
    }

    #[test]
    fn sch_42_names_without_end_take_no_memory_without_end() {
        let mut history = History::default();
        for n in 0..10 * NAMES {
            history.add(&n.to_string(), Duration::ZERO, 1);
        }
        assert_eq!(history.names.len(), NAMES);
        assert!(history.usual("0", 95, 1).is_some());
    }
}
