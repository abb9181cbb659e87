//! Losers are drained (CMB-1): a call that opened a region with a body, and told children of it to
//! end because another branch decided, returns when they have ended and the region is closed.
//!
//! A trace does not say when a call returns, but it does so before its task ends. A call whose
//! future was dropped does not return: its region is cancelled with RaceLost (REG-36).

use std::collections::{BTreeMap, BTreeSet};

use asr_base::{CancelKind, RegionId, TaskId};
use asr_kernel::task::Tier;
use asr_trace::{Event, Kind, Resource};

use super::{Broken, Oracle};

/// The calls that have not returned.
#[derive(Debug, Default)]
pub struct LoserDrain {
    /// Who opened each region that is not closed.
    openers: BTreeMap<RegionId, TaskId>,
    calls: BTreeMap<RegionId, Call>,
    /// The regions of the calls of each task.
    of: BTreeMap<TaskId, BTreeSet<RegionId>>,
    live: BTreeSet<TaskId>,
}

/// A region with a body.
#[derive(Debug, Default)]
struct Call {
    /// Those that were told to end, and live.
    losers: BTreeSet<TaskId>,
    told: bool,
    /// Its future was dropped.
    dropped: bool,
}

impl Oracle for LoserDrain {
    fn name(&self) -> &'static str {
        "loser drain"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        if !event.is_semantic() {
            return Ok(());
        }
        let Some(region) = event.region else {
            return Ok(());
        };
        match event.kind {
            Kind::RegionOpen => {
                let opener = event.task.map(|opener| (region, opener));
                self.openers.extend(opener);
            }
            Kind::TaskSpawn => {
                self.live.extend(TaskId::from_bits(event.a));
                let body = event.b == Tier::Body as u64;
                if let Some(opener) = self.openers.get(&region).filter(|_| body) {
                    self.calls.insert(region, Call::default());
                    self.of.entry(*opener).or_default().insert(region);
                }
            }
            Kind::CancelRequest => self.asked(event, region),
            Kind::TaskComplete => {
                if let Some(task) = event.task {
                    return self.ended(task, region);
                }
            }
            Kind::RegionClosed => return self.closed(region),
            _ => {}
        }
        Ok(())
    }
}

impl LoserDrain {
    fn asked(&mut self, event: &Event, region: RegionId) {
        let kind = u8::try_from(event.a).ok().and_then(CancelKind::from_rank);
        let target = event.objects.first().map(|object| object.resource);
        let Some(call) = self.calls.get_mut(&region) else {
            return;
        };
        match (target, kind) {
            (
                Some(Resource::Task(task)),
                Some(CancelKind::RaceLost | CancelKind::Timeout | CancelKind::FailFast),
            ) if self.live.contains(&task) => {
                call.losers.insert(task);
                call.told = true;
            }
            (Some(Resource::Region(_)), Some(CancelKind::RaceLost)) => call.dropped = true,
            _ => {}
        }
    }

    /// A task ended: as a loser, and as one that made calls.
    fn ended(&mut self, task: TaskId, region: RegionId) -> Result<(), Broken> {
        self.live.remove(&task);
        if let Some(call) = self.calls.get_mut(&region) {
            call.losers.remove(&task);
        }
        for called in self.of.remove(&task).unwrap_or_default() {
            let open = self.calls.get(&called);
            if open.is_some_and(|call| call.told && !call.dropped) {
                let what = format!("{task} returned from {called}, which is not closed");
                return Err(Broken::new("CMB-1", what));
            }
        }
        Ok(())
    }

    fn closed(&mut self, region: RegionId) -> Result<(), Broken> {
        let opener = self.openers.remove(&region);
        if let Some(of) = opener.and_then(|opener| self.of.get_mut(&opener)) {
            of.remove(&region);
        }
        let call = self.calls.remove(&region);
        let left = call.and_then(|call| call.losers.into_iter().next());
        match left {
            None => Ok(()),
            Some(loser) => {
                let what = format!("{region} closed before {loser}, which had lost, has ended");
                Err(Broken::new("CMB-1", what))
            }
        }
    }
}
