//! What a kernel is configured with. Each number has its rule; the rule's default is the default.

use asr_base::{Attribution, CleanupBase, Duration};

use crate::deadline::MonitorConfig;
use crate::futurelock::FuturelockConfig;
use crate::obligation::{Escalate, LeakResponse};
use crate::sched::governor::GovernorConfig;

/// See the fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Base of cleanup budgets: 5 s and 500 polls (VAL-15, VAL-26).
    pub cleanup: CleanupBase,
    /// Limits of cause chains: 16 links, 4096 bytes (VAL-14).
    pub attribution: Attribution,
    /// Operations that complete without waiting in one poll: 128 (TSK-23).
    pub coop_budget: u8,
    /// Nested masks: 8 (CAN-15).
    pub mask_depth_max: u8,
    /// Checkpoints a task may pass after it observed its cancel: 8 (CAN-7).
    pub swallow_limit: u32,
    /// Grace after the root's cleanup budget: 10 s (CAN-26).
    pub shutdown_grace: Duration,
    /// Response to leaked obligations: Panic in debug builds, Recover in release (OBL-12).
    pub leak_response: LeakResponse,
    /// A stronger response after so many leaks (OBL-13).
    pub leak_escalation: Option<Escalate>,
    /// The driver is asked at polls and cancel points what to do to the task: off.
    pub watch: bool,
    /// How late a timer may fire that is not precise, so that a driver that sleeps wakes up once
    /// for all of a tick: 1 ms; with 0 all are precise (SCH-27).
    pub tick: Duration,
    /// Warns of tasks that are about to miss their deadline: off (SCH-42).
    pub monitor: Option<MonitorConfig>,
    /// Tells of tasks that are not polled while others wait for what they hold: off (OBL-19).
    pub futurelock: Option<FuturelockConfig>,
    /// Runnable tasks in one queue from which on they are reported as `queue.capacity`: no limit
    /// (SCH-30).
    pub queue_capacity: usize,
    /// Gives the scheduler advice: off (SCH-38).
    pub governor: Option<GovernorConfig>,
    /// Typed tokens have records too: always in the lab (OBL-33).
    pub leak_records: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            cleanup: CleanupBase::default(),
            attribution: Attribution::default(),
            coop_budget: 128,
            mask_depth_max: 8,
            swallow_limit: 8,
            shutdown_grace: Duration::from_secs(10),
            leak_response: LeakResponse::default(),
            leak_escalation: None,
            watch: false,
            tick: Duration::from_millis(1),
            monitor: None,
            futurelock: None,
            queue_capacity: usize::MAX,
            governor: None,
            leak_records: cfg!(debug_assertions),
        }
    }
}
