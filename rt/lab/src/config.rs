//! What a run is given (LAB-6).

use asr_kernel::Config;
use asr_kernel::inject::Injection;
use asr_kernel::obligation::LeakResponse;

use crate::chaos::{CancelPoint, Chaos};
use crate::schedule::Schedule;

/// See the fields. Each default is the rule's.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LabConfig {
    /// Everything random in the run follows from it: 0.
    pub seed: u64,
    /// Steps until `STEP_LIMIT`: 100 000.
    pub max_steps: u64,
    /// Steps that a task with an obligation may go without a poll: 1000 (OBL-19).
    pub futurelock_max_idle_steps: u64,
    /// A futurelock fails the run: off.
    pub panic_on_futurelock: bool,
    /// Events are kept: on.
    pub capture_trace: bool,
    /// Oracles watch every event: on (LAB-12).
    pub oracles: bool,
    /// Faults by chance: none (LAB-9).
    pub chaos: Option<Chaos>,
    /// A fault at one cancel point: none (LAB-11).
    pub target: Option<(CancelPoint, Injection)>,
    /// Cancel points are counted: off.
    pub count_points: bool,
    /// Simulated workers: 1.
    pub workers: u32,
    /// Time advances by itself when nothing is runnable: on (LAB-2, LAB-3).
    pub auto_advance: bool,
    /// Who decides which task is next: the seed. Of them the lanes take a governor's advice.
    pub schedule: Schedule,
    /// The kernel's configuration. Leaks panic, and every token has a record.
    pub kernel: Config,
}

impl Default for LabConfig {
    fn default() -> LabConfig {
        let mut kernel = Config::default();
        kernel.leak_response = LeakResponse::Panic;
        kernel.leak_records = true;
        LabConfig {
            seed: 0,
            max_steps: 100_000,
            futurelock_max_idle_steps: 1000,
            panic_on_futurelock: false,
            capture_trace: true,
            oracles: true,
            chaos: None,
            target: None,
            count_points: false,
            workers: 1,
            auto_advance: true,
            schedule: Schedule::Seeded,
            kernel,
        }
    }
}

impl LabConfig {
    /// The default with a seed.
    pub fn seed(seed: u64) -> LabConfig {
        LabConfig {
            seed,
            ..LabConfig::default()
        }
    }
}
