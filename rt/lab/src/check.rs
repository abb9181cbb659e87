//! Runs under many seeds, each twice.

use asr_base::Failure as TaskFailure;
use asr_kernel::Cx;
use asr_trace::Log;

use crate::config::LabConfig;
use crate::pack::{self, CrashPack};
use crate::run::{Lab, Run};

/// Which test a failure belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// The package.
    pub package: &'static str,
    /// The module path, whose first part is the name of the test program or of the crate.
    pub module: &'static str,
    /// The test.
    pub test: &'static str,
}

impl Site {
    /// The command that repeats a run of this test.
    pub fn command(&self, replay: &str) -> String {
        let program = self.module.split("::").next().unwrap_or(self.module);
        let target = if program == self.package.replace('-', "_") {
            "--lib".to_owned()
        } else {
            format!("--test {program}")
        };
        format!(
            "{replay} cargo test -p {} {target} {}",
            self.package, self.test
        )
    }
}

/// Runs `make`'s closure as the main task under `seeds` seeds, each twice; ten times as many when
/// `ASR_FULL` is set, and one alone when `LAB_SEED` is.
///
/// # Panics
/// If a run fails, its main task does not end Ok, or two runs of a seed differ. The message ends
/// with the line that repeats it.
pub fn check<M, F, Fut>(site: &Site, seeds: u64, configure: impl Fn(&mut LabConfig), make: M)
where
    M: Fn() -> F,
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), TaskFailure>> + Send + 'static,
{
    let chosen: Vec<u64> = match seed_from(std::env::var("LAB_SEED").ok()) {
        Some(seed) => vec![seed],
        None if std::env::var_os("ASR_FULL").is_some() => (0..seeds.saturating_mul(10)).collect(),
        None => (0..seeds).collect(),
    };
    for seed in chosen {
        let mut config = LabConfig::seed(seed);
        configure(&mut config);
        let replay = site.command(&format!("LAB_SEED={seed:#x}"));
        let first = once(&config, &make, &replay);
        let second = once(&config, &make, &replay);
        if first.trace != second.trace {
            let at = first
                .trace
                .events
                .iter()
                .zip(&second.trace.events)
                .position(|(one, two)| one != two);
            let at = at.unwrap_or(first.trace.events.len().min(second.trace.events.len()));
            panic!("lab: two runs of one seed differ from event {at} on\nreplay: {replay}");
        }
    }
}

fn once<M, F, Fut>(config: &LabConfig, make: &M, replay: &str) -> Run<()>
where
    M: Fn() -> F,
    F: FnOnce(Cx) -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), TaskFailure>> + Send + 'static,
{
    let mut session = Lab::new(config.clone()).start(make());
    let mut trace = Log::default();
    let failure = loop {
        let stepped = session.step();
        let new = session.lab().take_trace();
        trace.clock = new.clock;
        trace.dropped.add(new.dropped);
        trace.events.extend(new.events);
        match stepped {
            Ok(false) => {}
            Ok(true) => {
                if let Some(failure) = session.main_failed() {
                    break failure;
                }
                let mut run = session.end();
                run.trace = trace;
                return run;
            }
            Err(failure) => break failure,
        }
    };
    let automatic = || CrashPack::new(&failure, format!("{config:?}"), &trace, replay.to_owned());
    let pack = pack::take_attached().unwrap_or_else(automatic);
    panic!("{}", pack.summary());
}

/// A seed as people write it: decimal or `0x…`.
fn seed_from(text: Option<String>) -> Option<u64> {
    let text = text?;
    let text = text.trim();
    let seed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    Some(seed.unwrap_or_else(|_| panic!("LAB_SEED is a number, got `{text}`")))
}

#[cfg(test)]
mod tests {
    use super::seed_from;

    #[test]
    fn seeds_are_read_in_both_forms() {
        assert_eq!(seed_from(None), None);
        assert_eq!(seed_from(Some("17".into())), Some(17));
        assert_eq!(seed_from(Some("0x5eed".into())), Some(0x5eed));
    }
}
