//! Every schedule of a small program, depth first.
//!
//! A schedule is the list of choices of a run. The next one keeps the longest prefix in which some
//! choice has an alternative left, takes that alternative, and goes on with the oldest task. So
//! each schedule is run once, in lexical order, and nothing is stored but the current one.
//!
//! Equivalent schedules are not recognized: programs of up to four tasks with a few steps each are
//! what this is for.

use std::collections::BTreeMap;

use asr_base::Failure as TaskFailure;
use asr_kernel::Cx;

use crate::config::LabConfig;
use crate::failure::Failure;
use crate::run::{Lab, Run};
use crate::schedule::{Choice, Schedule};

/// What to explore, and how far.
#[derive(Clone, Debug)]
pub struct Explorer {
    /// Every run's configuration, but for the schedule.
    pub config: LabConfig,
    /// Executions until the search stops.
    pub max_executions: u64,
}

impl Default for Explorer {
    fn default() -> Explorer {
        Explorer {
            config: LabConfig::default(),
            max_executions: 200_000,
        }
    }
}

/// What a search found.
#[derive(Debug)]
pub struct Exploration<K> {
    /// How many schedules ran.
    pub executions: u64,
    /// All of them did; otherwise `max_executions` was hit.
    pub complete: bool,
    /// How often each observation was made.
    pub seen: BTreeMap<K, u64>,
}

/// A schedule that fails.
#[derive(Debug)]
pub struct Found {
    /// The choices that lead there.
    pub script: Vec<u32>,
    /// What failed.
    pub what: String,
}

impl Explorer {
    /// Runs every schedule, and counts what `observe` makes of each run.
    ///
    /// # Errors
    /// The first schedule whose run fails, or for which `observe` says so.
    pub fn run<T, K, M, F, Fut>(
        &self,
        make: M,
        mut observe: impl FnMut(&Run<T>) -> Result<K, String>,
    ) -> Result<Exploration<K>, Found>
    where
        M: Fn() -> F,
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, TaskFailure>> + Send + 'static,
        T: Send + 'static,
        K: Ord,
    {
        let mut found = Exploration {
            executions: 0,
            complete: false,
            seen: BTreeMap::new(),
        };
        let mut script = Vec::new();
        while found.executions < self.max_executions {
            let mut config = self.config.clone();
            config.schedule = Schedule::Script(script.clone());
            let run = Lab::new(config).run(make());
            found.executions += 1;
            let run = run.map_err(|failure| failed(&failure))?;
            let seen = observe(&run).map_err(|what| Found {
                script: places(&run.choices),
                what,
            })?;
            *found.seen.entry(seen).or_default() += 1;
            match next(&run.choices) {
                Some(following) => script = following,
                None => {
                    found.complete = true;
                    break;
                }
            }
        }
        Ok(found)
    }
}

fn failed(failure: &Failure) -> Found {
    Found {
        script: places(&failure.choices),
        what: failure.to_string(),
    }
}

fn places(choices: &[Choice]) -> Vec<u32> {
    choices.iter().map(|choice| choice.chosen).collect()
}

/// The lexically next schedule with another choice somewhere in this one.
fn next(choices: &[Choice]) -> Option<Vec<u32>> {
    let last = choices
        .iter()
        .rposition(|choice| choice.chosen + 1 < choice.of)?;
    let mut script = places(&choices[..=last]);
    script[last] += 1;
    Some(script)
}
