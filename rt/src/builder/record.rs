//! A recorder of events, if one is wanted.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use asr_base::Duration;
use asr_trace::{ClockMode, HybridClock, Recorder};

/// See the keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) events: Option<usize>,
    pub(super) mode: ClockMode,
}

impl Record {
    /// As the runtime takes it: made when the runtime is, which is time zero.
    pub(super) fn recorder(&self) -> Option<Arc<Recorder>> {
        let recorder = Recorder::new(self.events?.div_ceil(Recorder::SHARDS));
        let recorder = match self.mode {
            ClockMode::Lamport => recorder,
            ClockMode::Vector => recorder.vector(),
            ClockMode::Hybrid => recorder.hybrid(Arc::new(HybridClock::new()), wall()),
        };
        Some(Arc::new(recorder))
    }
}

/// Since 1970; a clock before it counts as at it.
fn wall() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
}
