//! Crash packs: all that is needed to repeat a failure, under an id made of its content (LAB-19,
//! LAB-20).

use std::cell::RefCell;
use std::fmt::Write as _;

use asr_trace::{Hasher, Log};

use crate::failure::Failure;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrashPack {
    /// Equal failures have equal ids.
    pub id: u128,
    /// Fingerprint of the trace.
    pub fingerprint: u128,
    /// The seed.
    pub seed: u64,
    /// The configuration, as text.
    pub config: String,
    /// Version and profile of the build.
    pub build: String,
    /// What failed: the reason, with the oracle's name if it was one.
    pub failure: String,
    /// The smallest schedule found, if one was looked for.
    pub schedule: Option<Vec<u32>>,
    /// The command that repeats it.
    pub replay: String,
    /// The trace, in the format of trace files.
    pub trace: Vec<u8>,
}

impl CrashPack {
    /// The pack of a failed run.
    pub fn new(failure: &Failure, config: String, trace: &Log, replay: String) -> CrashPack {
        let mut pack = CrashPack {
            id: 0,
            fingerprint: asr_trace::fingerprint(&trace.events),
            seed: failure.seed,
            config,
            build: build(),
            failure: failure.to_string(),
            schedule: None,
            replay,
            trace: trace.to_bytes(),
        };
        pack.id = pack.content();
        pack
    }

    /// With the smallest schedule that was found.
    #[must_use]
    pub fn with_schedule(mut self, script: Vec<u32>) -> CrashPack {
        self.schedule = Some(script);
        self.id = self.content();
        self
    }

    fn content(&self) -> u128 {
        let mut hasher = Hasher::new();
        hasher.bytes(&self.fingerprint.to_le_bytes());
        hasher.number(self.seed);
        for text in [&self.config, &self.build, &self.failure, &self.replay] {
            hasher.number(text.len() as u64);
            hasher.bytes(text.as_bytes());
        }
        for &place in self.schedule.iter().flatten() {
            hasher.number(u64::from(place));
        }
        hasher.bytes(&self.trace);
        hasher.finish()
    }

    /// What a person reads in the output of a failing test.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "crash pack {:032x}", self.id);
        let _ = writeln!(
            text,
            "  fingerprint {:032x}, seed {:#x}",
            self.fingerprint, self.seed
        );
        let _ = writeln!(text, "  build {}", self.build);
        let _ = writeln!(text, "  config {}", self.config);
        if let Some(schedule) = &self.schedule {
            let places: Vec<String> = schedule.iter().map(u32::to_string).collect();
            let _ = writeln!(text, "  schedule {}", places.join("."));
        }
        let _ = writeln!(text, "{}", self.failure);
        let _ = write!(text, "replay: {}", self.replay);
        text
    }
}

fn build() -> String {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    format!(
        "asr {} {profile} {}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH
    )
}

thread_local! {
    static BY_HAND: RefCell<Option<CrashPack>> = const { RefCell::new(None) };
}

/// Attaches a pack by hand: the test that fails on this thread reports it instead of its own.
pub fn attach(pack: CrashPack) {
    BY_HAND.set(Some(pack));
}

/// The pack that was attached by hand, if any.
pub(crate) fn take_attached() -> Option<CrashPack> {
    BY_HAND.take()
}
