//! Which task is next.
//!
//! Every choice among several runnable tasks is recorded as (chosen, alternatives): the list of
//! choices repeats a run without its seed.

use asr_base::{Purpose, Rng};

/// Who decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// The stream of the seed, each runnable task equally likely.
    #[default]
    Seeded,
    /// The production lanes, first in, first out.
    Lanes,
    /// These choices, in order, then the task that has waited longest.
    Script(Vec<u32>),
}

/// One choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Choice {
    /// The place of the chosen task in the pool.
    pub chosen: u32,
    /// How many there were.
    pub of: u32,
}

/// Makes the choices of a run.
#[derive(Debug)]
pub(crate) struct Chooser {
    schedule: Schedule,
    stream: Rng,
    made: Vec<Choice>,
    /// A script named a place that does not exist.
    pub(crate) diverged: bool,
}

impl Chooser {
    pub(crate) fn new(schedule: Schedule, seed: u64) -> Chooser {
        Chooser {
            schedule,
            stream: Rng::stream(seed, Purpose::SCHEDULE),
            made: Vec::new(),
            diverged: false,
        }
    }

    pub(crate) fn by_lanes(&self) -> bool {
        self.schedule == Schedule::Lanes
    }

    /// A place below `of`. A single alternative is no choice and is not recorded.
    pub(crate) fn choose(&mut self, of: usize) -> usize {
        if of < 2 {
            return 0;
        }
        let chosen = match &self.schedule {
            Schedule::Seeded => self.stream.below(of as u64) as usize,
            Schedule::Lanes => 0,
            Schedule::Script(script) => {
                let planned = script
                    .get(self.made.len())
                    .map_or(0, |&place| place as usize);
                self.diverged |= planned >= of;
                planned.min(of - 1)
            }
        };
        self.made.push(Choice {
            chosen: chosen as u32,
            of: of as u32,
        });
        chosen
    }

    /// Every choice so far.
    pub(crate) fn made(&self) -> &[Choice] {
        &self.made
    }
}
