//! The values of the deadline monitor, and who is told.

use std::fmt;
use std::sync::Arc;

use asr_base::Duration;
use asr_kernel::deadline::{Adaptive, MonitorConfig, Warning};

/// See the keys.
#[derive(Clone)]
pub(super) struct Deadlines {
    pub(super) on: bool,
    pub(super) interval: Duration,
    pub(super) permille_left: u32,
    pub(super) adaptive: Adaptive,
    warn: Arc<dyn Fn(&Warning) + Send + Sync>,
}

impl Deadlines {
    pub(super) fn tell(&mut self, warn: impl Fn(&Warning) + Send + Sync + 'static) {
        self.warn = Arc::new(warn);
    }

    /// As the kernel takes it.
    pub(super) fn monitor(&self) -> Option<MonitorConfig> {
        let monitor = MonitorConfig {
            interval: self.interval,
            permille_left: self.permille_left,
            adaptive: Some(self.adaptive),
            warn: self.warn.clone(),
        };
        self.on.then_some(monitor)
    }
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        let default = MonitorConfig::new(|warning| eprintln!("warning: {warning}"));
        Deadlines {
            on: false,
            interval: default.interval,
            permille_left: default.permille_left,
            adaptive: default.adaptive.unwrap_or_default(),
            warn: default.warn,
        }
    }
}

impl fmt::Debug for Deadlines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadlines")
            .field("on", &self.on)
            .field("interval", &self.interval)
            .field("permille_left", &self.permille_left)
            .field("adaptive", &self.adaptive)
            .finish_non_exhaustive()
    }
}
