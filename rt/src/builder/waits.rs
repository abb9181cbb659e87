//! How long a task may keep others waiting without being polled, and who is told.

use std::sync::Arc;

use asr_kernel::futurelock::{Futurelock, FuturelockConfig};

/// See the key.
#[derive(Clone, Debug)]
pub(super) struct Waits {
    pub(super) config: FuturelockConfig,
}

impl Waits {
    pub(super) fn tell(&mut self, report: impl Fn(&Futurelock) + Send + Sync + 'static) {
        self.config.report = Arc::new(report);
    }
}

impl Default for Waits {
    fn default() -> Waits {
        Waits {
            config: FuturelockConfig::new(|found| eprintln!("warning: {found}")),
        }
    }
}
