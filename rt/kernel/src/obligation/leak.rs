//! What is done about a leak (OBL-10 to OBL-16).
//!
//! Every leak is counted. What follows depends on the response: a trace event and a report to the
//! sink from `Log` on, the repair of the kind with `Recover`, a panicked outcome of the holder with
//! `Panic`. No lock of the kernel is held while sink or repair run, and a panic of theirs ends
//! here. A leak that one of them makes is counted and reported no further (OBL-15).

use std::borrow::Cow;
use std::cell::Cell;
use std::panic::Location;

use asr_base::{Duration, ObligationId, Outcome, PanicKind, PanicPayload, RegionId, combine};

use super::cause::AbortCause;
use super::kind::Kind;
use super::place::{Holder, HolderId};
use crate::event;
use crate::kernel::Kernel;
use crate::task::Phase;
use crate::task::cell::contained;

/// The response to a leak, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeakResponse {
    /// Counted.
    Silent,
    /// Counted, logged, traced.
    Log,
    /// As Log, and the kind's implicit resolution runs as a supervised repair.
    Recover,
    /// As Log, and the holder's outcome becomes Panicked.
    Panic,
}

impl Default for LeakResponse {
    /// Panic in debug builds and the lab, Recover in release (OBL-12).
    fn default() -> LeakResponse {
        if cfg!(debug_assertions) {
            LeakResponse::Panic
        } else {
            LeakResponse::Recover
        }
    }
}

/// A stronger response once so many leaks were found (OBL-13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalate {
    /// The leak from which on it holds: 1 is the first. 0 is taken as 1.
    pub threshold: u64,
    /// The response from then on, if it is stronger.
    pub response: LeakResponse,
}

/// The response to the `n`-th leak of a runtime. Grows with `n`, so it never weakens.
pub(super) fn response(base: LeakResponse, escalate: Option<Escalate>, n: u64) -> LeakResponse {
    match escalate {
        Some(stronger) if n >= stronger.threshold.max(1) => base.max(stronger.response),
        _ => base,
    }
}

/// What is known of a leak (OBL-16).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeakReport {
    /// What kind of token.
    pub kind: Kind,
    /// The name of the kind.
    pub name: Cow<'static, str>,
    /// Which token; none for tokens without record.
    pub id: Option<ObligationId>,
    /// How many tokens: more than one only without record.
    pub count: u64,
    /// Who held it. For forgotten tokens without record, their region.
    pub holder: HolderId,
    /// Where it was counted.
    pub region: RegionId,
    /// How old it was, if recorded.
    pub age: Option<Duration>,
    /// [`Dropped`](AbortCause::Dropped) or [`Forgotten`](AbortCause::Forgotten).
    pub class: AbortCause,
    /// Where it was reserved, if recorded.
    pub place: Option<&'static Location<'static>>,
}

impl std::fmt::Display for LeakReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let class = match self.class {
            AbortCause::Dropped => "dropped without a verb",
            _ => "forgotten",
        };
        match self.id {
            Some(id) => write!(f, "{} {id}", self.name)?,
            None => write!(f, "{} {}", self.count, self.name)?,
        }
        match self.holder {
            HolderId::Task(task) => write!(f, " of {task}")?,
            HolderId::Region(region) => write!(f, " of {region}")?,
        }
        write!(f, " {class}")?;
        if let Some(place) = self.place {
            write!(f, ", reserved at {}:{}", place.file(), place.line())?;
        }
        Ok(())
    }
}

thread_local! {
    static REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Ends the report, also by a panic.
struct Reporting;

impl Reporting {
    fn begin() -> Option<Reporting> {
        (!REPORTING.replace(true)).then_some(Reporting)
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        REPORTING.set(false);
    }
}

/// Tokens leaked: counts them, runs their implicit resolution, and answers as configured. Returns
/// the payload that the holder's outcome becomes, if so.
pub(super) fn found(
    kernel: &Kernel,
    report: &LeakReport,
    resolve: Option<Box<dyn FnOnce() + '_>>,
) -> Option<PanicPayload> {
    let registry = kernel.obligations();
    let nth = kernel.stats().leaks.grow(report.count);
    let config = kernel.config();
    let response = response(config.leak_response, config.leak_escalation, nth);
    let resolved = resolve.is_none_or(contained);
    if response == LeakResponse::Silent {
        return None;
    }
    let _reporting = Reporting::begin()?;
    event::obligation_leaked(kernel, report);
    contained(|| registry.log(report));
    match response {
        LeakResponse::Recover => {
            let repaired = contained(|| registry.repair(report));
            let stats = kernel.stats();
            if resolved && repaired {
                stats.leaks_repaired.add(report.count);
            }
            None
        }
        // OBL-14: a thread that unwinds is not made to panic again.
        LeakResponse::Panic if !std::thread::panicking() => {
            Some(PanicPayload::new(PanicKind::Leak, &report.to_string()).at(
                match report.holder {
                    HolderId::Task(task) => Some(task),
                    HolderId::Region(_) => None,
                },
                Some(report.region),
                None,
            ))
        }
        _ => None,
    }
}

/// The outcome of the holder becomes Panicked: at its end, if it goes on.
pub(super) fn panic_holder(holder: &Holder, region: RegionId, payload: PanicPayload) {
    match holder {
        Holder::Task(task) if task.word.load().phase() < Phase::Completed => {
            let mut inner = task.side_or_new().lock();
            let leaked = &mut inner.rare_or_new().leaked;
            *leaked = Some(match leaked.take() {
                Some(first) => join(first, payload),
                None => payload,
            });
        }
        // It ended before the token was dropped: the outcome stands.
        Holder::Task(_) => {}
        Holder::Region(held) => {
            let mut inner = held.lock();
            if held.id() == region && !inner.settled {
                inner.fold.add(u64::MAX, None, Outcome::Panicked(payload));
            }
        }
    }
}

/// One payload that knows of both.
pub(super) fn join(first: PanicPayload, second: PanicPayload) -> PanicPayload {
    let (first, second) = (Outcome::Panicked(first), Outcome::Panicked(second));
    match combine::<(), asr_base::Error>(first, second) {
        Outcome::Panicked(both) => both,
        _ => unreachable!("the combination of two panics is a panic"),
    }
}
