//! The values of governors, and who makes them.

use std::num::NonZeroU32;

use asr_kernel::sched::governor::GovernorConfig;

/// See the keys.
#[derive(Clone, Debug)]
pub(super) struct Govern {
    pub(super) on: bool,
    /// Takes the place of that of `make`.
    pub(super) interval: u32,
    pub(super) make: Option<GovernorConfig>,
}

impl Govern {
    /// As the kernel takes it.
    pub(super) fn config(&self) -> Result<Option<GovernorConfig>, String> {
        if !self.on {
            return Ok(None);
        }
        let missing = "governor: there is none to turn on; Builder::govern_with gives one";
        let mut config = self.make.clone().ok_or(missing)?;
        // The key's domain keeps 0 out.
        config.interval = NonZeroU32::new(self.interval).unwrap_or(GovernorConfig::INTERVAL);
        Ok(Some(config))
    }
}

impl Default for Govern {
    fn default() -> Govern {
        Govern {
            on: false,
            interval: GovernorConfig::INTERVAL.get(),
            make: None,
        }
    }
}
