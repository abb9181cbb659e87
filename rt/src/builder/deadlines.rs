//! The values of the deadline monitor, and who is told.

use std::sync::Arc;

use asr_kernel::deadline::{Adaptive, MonitorConfig, Warning};

/// See the keys.
#[derive(Clone, Debug)]
pub(super) struct Deadlines {
    pub(super) on: bool,
    pub(super) adaptive: Adaptive,
    /// The rest; `adaptive` takes the place of its own.
    pub(super) monitor: MonitorConfig,
}

impl Deadlines {
    pub(super) fn tell(&mut self, warn: impl Fn(&Warning) + Send + Sync + 'static) {
        self.monitor.warn = Arc::new(warn);
    }

    /// As the kernel takes it.
    pub(super) fn monitor(&self) -> Option<MonitorConfig> {
        let monitor = || MonitorConfig {
            adaptive: Some(self.adaptive),
            ..self.monitor.clone()
        };
        self.on.then(monitor)
    }
}

impl Default for Deadlines {
    fn default() -> Deadlines {
        Deadlines {
            on: false,
            adaptive: Adaptive::default(),
            monitor: MonitorConfig::new(|warning| eprintln!("warning: {warning}")),
        }
    }
}
