//! A recorded run, its replay, and the smallest schedule that still fails.

use asr_base::Failure as TaskFailure;
use asr_kernel::Cx;
use asr_trace::{Event, Log};

use crate::config::LabConfig;
use crate::failure::{Failure, Reason};
use crate::run::{Lab, Run};
use crate::schedule::{Choice, Schedule};

/// What a run did, enough to repeat it and to notice where a program differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The seed of the run: also that of the program's entropy.
    pub seed: u64,
    /// The choices.
    pub choices: Vec<Choice>,
    /// The trace.
    pub trace: Log,
}

impl Recording {
    /// That of a run which ended.
    pub fn of<T>(seed: u64, run: &Run<T>) -> Recording {
        Recording {
            seed,
            choices: run.choices.clone(),
            trace: run.trace.clone(),
        }
    }

    /// Runs `main` along the recording (LAB-21).
    ///
    /// # Errors
    /// `Diverged`, naming the first event that differs, if program and recording disagree; else how
    /// the run failed.
    pub fn replay<T, F, Fut>(&self, config: &LabConfig, main: F) -> Result<Run<T>, Failure>
    where
        F: FnOnce(Cx) -> Fut + Send + 'static,
        Fut: Future<Output = Result<T, TaskFailure>> + Send + 'static,
        T: Send + 'static,
    {
        let mut config = config.clone();
        config.seed = self.seed;
        config.schedule = Schedule::Recorded(self.choices.clone());
        config.capture_trace = true;
        let mut session = Lab::new(config).start(main);
        let mut seen = 0;
        let mut trace = Log::default();
        loop {
            let stepped = session.step();
            let new = session.lab().take_trace();
            for event in &new {
                if self.trace.events.get(seen) != Some(event) {
                    let what = differs(seen, self.trace.events.get(seen), Some(event));
                    return Err(session.lab().fail(Reason::Diverged(what)));
                }
                seen += 1;
            }
            trace.clock = new.clock;
            trace.events.extend(new.events);
            match stepped {
                Ok(true) => break,
                Ok(false) => {}
                Err(failure) => return Err(failure),
            }
        }
        if let Some(missing) = self.trace.events.get(seen) {
            let what = differs(seen, Some(missing), None);
            return Err(session.lab().fail(Reason::Diverged(what)));
        }
        let mut run = session.end();
        run.trace = trace;
        Ok(run)
    }
}

fn differs(at: usize, recorded: Option<&Event>, seen: Option<&Event>) -> String {
    let text = |event: Option<&Event>| match event {
        Some(event) => format!(
            "{} at {} {:?}",
            event.kind.name(),
            event.time,
            event.words()
        ),
        None => "nothing".to_owned(),
    };
    let (recorded, seen) = (text(recorded), text(seen));
    format!(
        "event {}: recorded {recorded}, the program did {seen}",
        at + 1
    )
}

/// A schedule in which no context switch can be spared (LAB-22).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The choices; after them the task that has waited longest goes on.
    pub script: Vec<u32>,
    /// How many runs it took.
    pub runs: u64,
    /// Every single switch was tried and is needed; otherwise the bound of runs was hit.
    pub minimal: bool,
}

/// Takes context switches out of a failing schedule as long as it fails. A switch is a choice other
/// than the task that has waited longest.
pub fn shrink(script: &[u32], max_runs: u64, mut fails: impl FnMut(&[u32]) -> bool) -> Shrunk {
    let mut best = trimmed(script.to_vec());
    let mut runs = 0;
    'again: loop {
        for at in (0..best.len())
            .rev()
            .filter(|&at| best[at] != 0)
            .collect::<Vec<_>>()
        {
            if runs == max_runs {
                return Shrunk {
                    script: best,
                    runs,
                    minimal: false,
                };
            }
            let mut fewer = best.clone();
            fewer[at] = 0;
            let fewer = trimmed(fewer);
            runs += 1;
            if fails(&fewer) {
                best = fewer;
                continue 'again;
            }
        }
        return Shrunk {
            script: best,
            runs,
            minimal: true,
        };
    }
}

fn trimmed(mut script: Vec<u32>) -> Vec<u32> {
    while script.last() == Some(&0) {
        script.pop();
    }
    script
}
