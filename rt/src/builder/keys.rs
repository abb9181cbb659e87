//! The table of values: a row is a method of [`Builder`], a key of files, its domain and its docs.

use std::ops::RangeInclusive;

use asr_base::Duration;
use asr_kernel::deadline::MonitorConfig;
use asr_kernel::futurelock::FuturelockConfig;
use asr_kernel::obligation::{Escalate, LeakResponse};
use asr_trace::ClockMode;

use super::value::{Setting, Toml};
use super::{Builder, Layout};

/// A key of a file.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) docs: &'static [&'static str],
    /// How a value is written.
    pub(super) example: &'static str,
    /// Takes a value over, or says what is wrong with its type.
    pub(super) read: fn(&mut Builder, &Toml<'_>) -> Result<(), String>,
    /// Says what is wrong with the value that there is.
    pub(super) check: fn(&Builder) -> Result<(), String>,
    /// The value that there is, as a file says it.
    pub(super) show: fn(&Builder) -> Option<String>,
}

macro_rules! settings {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $type:ty $(, $domain:expr)? => $($place:ident).+;
    )*) => {
        /// The values. Each is a key of files too, of the same name.
        impl Builder {
            $(
                $(#[doc = $doc])+
                pub fn $name(mut self, value: $type) -> Builder {
                    self.$($place).+ = value.into();
                    self
                }
            )*
        }

        pub(super) static KEYS: &[Key] = &[$(Key {
            name: stringify!($name),
            docs: &[$($doc),+],
            example: <$type as Setting>::EXAMPLE,
            read: |builder, value| {
                builder.$($place).+ = <$type as Setting>::read(value)?.into();
                Ok(())
            },
            check: |builder| {
                let _value = &builder.$($place).+;
                $(within(_value, &$domain)?;)?
                Ok(())
            },
            show: |builder| Setting::show(&builder.$($place).+),
        }),*];
    };
}

settings! {
    /// Threads that run tasks. As many as the machine runs at once, if not said.
    workers: usize, 1..=1024 => workers.workers;

    /// How long at most a worker that has run dry searches for work before it sleeps; "0 s" sleeps
    /// at once (SCH-47). 50 us if not said.
    search: Duration => workers.search;

    /// How late a timer may be that is not precise: those of one tick fire together, so that a
    /// worker that sleeps wakes up once for them (SCH-27). 1 ms if not said; "0 s" makes all
    /// precise.
    tick: Duration => kernel.tick;

    /// How long one poll may take before its task is asked to yield (SCH-46). 10 ms if not said.
    slice: Duration, Duration::from_millis(1)..=Duration::MAX => workers.slices.slice;

    /// How long one poll may take before it is reported as `task.long_poll`, once for each place
    /// (SCH-45). 10 ms if not said.
    poll_warn: Duration, Duration::from_millis(1)..=Duration::MAX => workers.slices.poll_warn;

    /// Cancelled tasks that a worker runs in a row while other work waits (SCH-5). 16 if not said.
    cancel_streak: u32, 1..=(1 << 30) - 1 => workers.limits.cancel_streak;

    /// Tasks with a deadline that a worker runs in a row while other work waits (SCH-7). 32 if not
    /// said.
    timed_streak: u32, 1..=u32::MAX => workers.limits.timed_streak;

    /// How often in a row a worker runs the task that became ready last, while older ones wait
    /// (SCH-9). 3 if not said.
    lifo_streak: u32, 0..=3 => workers.limits.lifo_streak;

    /// Dispatches after which a worker takes from the queue that all share first (SCH-9). 61 if not
    /// said.
    injector_interval: u32, 1..=u32::MAX => workers.limits.injector_interval;

    /// The governors that [`Builder::govern_with`] makes are asked for advice (SCH-38). Off if not
    /// said.
    governor: bool => govern.on;

    /// Dispatches of a worker between two questions to its governor (SCH-38). 32 if not said.
    governor_interval: u32, 1..=u32::MAX => govern.interval;

    /// Where processors are: which workers are near each other, so whom a worker takes work from
    /// first (SCH-18). "system", or a made-up machine such as "node:2 core:4 pu:2". As the system
    /// says if not said; threads are not bound.
    layout: Layout => layout;

    /// About so many events of a run, the last ones, are kept in memory, where `Tasks::recorder`
    /// has them. None if not said.
    trace_events: usize, 16..=1 << 24 => record.events;

    /// How the logical times of these events are to be read (TRC-6): "lamport", "vector", which is
    /// derived from the finished trace, or "hybrid", near the time of the wall. "lamport" if not
    /// said.
    clock_mode: ClockMode => record.mode;

    /// Threads for blocking work that stay once they were started (SCH-32). 1 if not said.
    blocking_min_threads: usize, 0..=65_535 => workers.pool.min_threads;

    /// The most threads for blocking work (SCH-31). 512 if not said.
    blocking_max_threads: usize, 1..=65_535 => workers.pool.max_threads;

    /// How long a thread for blocking work waits for more before it ends (SCH-32). 10 s if not
    /// said.
    blocking_idle: Duration => workers.pool.idle_timeout;

    /// Tasks in one queue from which on a warning is written, once each time that it is crossed
    /// (SCH-30). No limit if not said; every task is scheduled whatever this is.
    queue_capacity: usize, 1..=usize::MAX => queue_capacity;

    /// How long a task that others wait for, for a lock or for room that it holds, may go without a
    /// poll before it is told of as a futurelock (OBL-19), on standard error or where
    /// [`Builder::on_futurelock`] says. 10 s if not said.
    futurelock_idle: Duration, FuturelockConfig::SHORTEST..=Duration::MAX => waits.config.idle;

    /// Warns of tasks that are about to miss their deadline (SCH-42), on standard error or where
    /// [`Builder::on_deadline_warning`] says. Off if not said.
    deadline_monitor: bool => deadlines.on;

    /// Time between two looks at the deadlines (SCH-42). 1 s if not said.
    deadline_interval: Duration, MonitorConfig::SHORTEST..=Duration::MAX
        => deadlines.monitor.interval;

    /// A warning is due when no more is left than this, in thousandths of the time that there was
    /// (SCH-42). 200 if not said.
    deadline_permille_left: u32, 0..=1000 => deadlines.monitor.permille_left;

    /// A warning is due when a task takes longer than so many percent of the last ones of its name
    /// (SCH-42). 95 if not said.
    deadline_percentile: u8, 1..=100 => deadlines.adaptive.percentile;

    /// How many of the last ones of a name are remembered (SCH-42). 256 if not said.
    deadline_samples: usize, 1..=65_536 => deadlines.adaptive.samples;

    /// Operations that complete without waiting which a task may do in one poll; then it yields
    /// (TSK-23). 128 if not said.
    coop_budget: u8, 1..=255 => kernel.coop_budget;

    /// How long the cleanup of a cancelled task may take, as a base for all kinds of cancel
    /// (VAL-15). 5 s if not said.
    cleanup_duration: Duration => kernel.cleanup.duration;

    /// How often a cancelled task may be polled while it cleans up (VAL-15). 500 if not said.
    cleanup_polls: u32, 1..=u32::MAX => kernel.cleanup.polls;

    /// How long a shutdown waits after the cleanup of the root has ended; what is left then is
    /// reported by name (CAN-26). 10 s if not said.
    shutdown_grace: Duration => kernel.shutdown_grace;

    /// Masks that may be nested (CAN-15). 8 if not said.
    mask_depth_max: u8, 1..=255 => kernel.mask_depth_max;

    /// Checkpoints that a task may pass after it has seen its cancel, before it is reported
    /// (CAN-7). 8 if not said.
    swallow_limit: u32 => kernel.swallow_limit;

    /// Links that the cause of a cancel keeps (VAL-14). 16 if not said.
    attribution_links: usize, 2..=4096 => kernel.attribution.max_depth;

    /// Bytes that the cause of a cancel keeps (VAL-14). 4096 if not said.
    attribution_bytes: usize => kernel.attribution.max_bytes;

    /// What is done about an obligation that nobody resolved (OBL-12): "silent", "log", "recover"
    /// or "panic". "panic" in debug builds and "recover" in others, if not said.
    leak_response: LeakResponse => kernel.leak_response;

    /// A stronger response from the leak of that number on (OBL-13). None if not said.
    leak_escalation: Escalate => kernel.leak_escalation;

    /// Typed obligations have records, so that a leak names its place (OBL-33). On in debug
    /// builds, if not said.
    leak_records: bool => kernel.leak_records;
}

/// Refuses what is outside its domain; where there is no value there is nothing to refuse.
fn within<T, V>(value: &V, domain: &RangeInclusive<T>) -> Result<(), String>
where
    T: Setting + PartialOrd,
    V: Setting + Clone + Into<Option<T>>,
{
    match value.clone().into() {
        Some(value) if !domain.contains(&value) => {
            let show = |value: &T| value.show().unwrap_or_default();
            let (least, most) = (show(domain.start()), show(domain.end()));
            Err(format!("{} is not in {least}..={most}", show(&value)))
        }
        _ => Ok(()),
    }
}
