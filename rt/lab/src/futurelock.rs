//! Futurelocks (OBL-19, LAB-13): a task that holds a pending obligation and is not polled for many
//! steps keeps others from what it holds.
//!
//! A fold over the events, with the step beside it. Looking costs a comparison a step: nobody can
//! be idle too long before the earliest last poll among the holders plus the limit.

use std::collections::BTreeMap;

use asr_base::{RegionId, TaskId};
use asr_trace::{Event, Kind, Resource};

/// A task that is idle for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Idle {
    pub(crate) task: TaskId,
    pub(crate) region: RegionId,
    pub(crate) held: u64,
    pub(crate) steps: u64,
}

#[derive(Debug)]
struct Holder {
    region: RegionId,
    held: u64,
    polled: u64,
    told: bool,
}

/// The tasks that hold something.
#[derive(Debug)]
pub(crate) struct Watch {
    limit: u64,
    step: u64,
    tokens: BTreeMap<u64, TaskId>,
    polled: BTreeMap<TaskId, (RegionId, u64)>,
    holders: BTreeMap<TaskId, Holder>,
    next_look: u64,
}

impl Watch {
    pub(crate) fn new(limit: u64) -> Watch {
        Watch {
            limit,
            step: 0,
            tokens: BTreeMap::new(),
            polled: BTreeMap::new(),
            holders: BTreeMap::new(),
            next_look: u64::MAX,
        }
    }

    /// Takes an event in.
    pub(crate) fn event(&mut self, event: &Event) {
        if !event.is_semantic() {
            return;
        }
        match (event.kind, event.task) {
            (Kind::TaskPoll, Some(task)) => {
                if let Some(region) = event.region {
                    self.polled.insert(task, (region, self.step));
                }
                if let Some(holder) = self.holders.get_mut(&task) {
                    (holder.polled, holder.told) = (self.step, false);
                    self.next_look = self.next_look.min(self.step + self.limit + 1);
                }
            }
            (Kind::TaskComplete, Some(task)) => {
                self.polled.remove(&task);
                self.holders.remove(&task);
            }
            (Kind::ObligationReserve, Some(task)) => self.hold(task, event.a),
            (Kind::ObligationCommit | Kind::ObligationAbort, _) => self.release(event.a),
            (Kind::ObligationTransfer, _) => {
                self.release(event.a);
                for object in event.objects.iter() {
                    if let Resource::Task(task) = object.resource {
                        self.hold(task, event.a);
                    }
                }
            }
            _ => {}
        }
    }

    fn hold(&mut self, task: TaskId, token: u64) {
        let Some(&(region, polled)) = self.polled.get(&task) else {
            return;
        };
        if token == 0 || self.tokens.insert(token, task).is_some() {
            return;
        }
        let holder = self.holders.entry(task).or_insert(Holder {
            region,
            held: 0,
            polled,
            told: false,
        });
        holder.held += 1;
        self.next_look = self.next_look.min(holder.polled + self.limit + 1);
    }

    fn release(&mut self, token: u64) {
        let Some(task) = self.tokens.remove(&token) else {
            return;
        };
        if let Some(holder) = self.holders.get_mut(&task) {
            holder.held -= 1;
            if holder.held == 0 {
                self.holders.remove(&task);
            }
        }
    }

    /// A step ended. Who is idle too long, each once until its next poll.
    pub(crate) fn step(&mut self, step: u64) -> Vec<Idle> {
        self.step = step;
        if step < self.next_look {
            return Vec::new();
        }
        let mut found = Vec::new();
        self.next_look = u64::MAX;
        for (&task, holder) in &mut self.holders {
            let steps = step - holder.polled;
            if holder.told {
                continue;
            }
            if steps > self.limit {
                holder.told = true;
                found.push(Idle {
                    task,
                    region: holder.region,
                    held: holder.held,
                    steps,
                });
            } else {
                self.next_look = self.next_look.min(holder.polled + self.limit + 1);
            }
        }
        found
    }
}
