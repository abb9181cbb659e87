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
    /// These choices, which must have had as many alternatives as now; then the task that has
    /// waited longest.
    Recorded(Vec<Choice>),
    /// The same, and then the stream of the seed from this state of its generator on.
    Resume(Vec<Choice>, [u64; 4]),
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
        let stream = match &schedule {
            Schedule::Resume(_, state) => Rng::from_state(*state),
            _ => None,
        };
        Chooser {
            schedule,
            stream: stream.unwrap_or_else(|| Rng::stream(seed, Purpose::SCHEDULE)),
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
            Schedule::Recorded(choices) | Schedule::Resume(choices, _) => {
                match choices.get(self.made.len()) {
                    Some(planned) => {
                        self.diverged |= planned.of as usize != of;
                        (planned.chosen as usize).min(of - 1)
                    }
                    None if matches!(self.schedule, Schedule::Resume(..)) => {
                        self.stream.below(of as u64) as usize
                    }
                    None => 0,
                }
            }
        };
        self.made.push(Choice {
            chosen: chosen as u32,
            of: of as u32,
        });
        chosen
    }

    /// The state of the generator.
    pub(crate) fn generator(&self) -> [u64; 4] {
        self.stream.state()
    }

    /// Every choice so far.
    pub(crate) fn made(&self) -> &[Choice] {
        &self.made
    }
}
