//! Regions on the driver of one thread, with other threads beside it.

mod admission;
mod alone;
mod locks;
mod misuse;

use asr_kernel::sched::Local;

/// A runtime with the default configuration.
fn local() -> Local {
    Local::new(Default::default())
}
