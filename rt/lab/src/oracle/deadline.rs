//! Exhaustion is seen at the first poll boundary after it (VAL-19): once its deadline has passed, a
//! task that nobody asked to cancel is polled at most once more; once it used its quota, not at
//! all. A region that was opened under a mask keeps outer cancels out, so its tasks are not
//! looked at, nor are those that run finalizers, which have a budget each.

use std::collections::{BTreeMap, BTreeSet};

use asr_base::{RegionId, TaskId};
use asr_trace::{Event, Kind, Resource};

use super::{Broken, Oracle};

#[derive(Debug)]
struct Watched {
    deadline: u64,
    /// Polls that began after the deadline.
    late: u32,
    /// The last poll was the last of the quota.
    used_up: bool,
}

/// The tasks that nobody asked to cancel.
#[derive(Debug, Default)]
pub struct Deadline {
    tasks: BTreeMap<TaskId, Watched>,
    shielded: BTreeSet<RegionId>,
}

const FINALIZER: u64 = asr_kernel::task::Tier::Finalizer as u64;
const SHIELDED: u64 = 1 << 8;

impl Oracle for Deadline {
    fn name(&self) -> &'static str {
        "deadline"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        if !event.is_semantic() {
            return Ok(());
        }
        match event.kind {
            Kind::RegionOpen => {
                let parent = RegionId::from_bits(event.a);
                let inherited = parent.is_some_and(|parent| self.shielded.contains(&parent));
                if inherited || event.b & SHIELDED != 0 {
                    self.shielded.extend(event.region);
                }
            }
            Kind::RegionClosed => {
                event.region.map(|region| self.shielded.remove(&region));
            }
            Kind::TaskSpawn if event.b == FINALIZER => {}
            Kind::TaskSpawn if event.region.is_some_and(|at| self.shielded.contains(&at)) => {}
            Kind::TaskSpawn => {
                if let Some(task) = TaskId::from_bits(event.a) {
                    let watched = Watched {
                        deadline: event.c,
                        late: 0,
                        used_up: false,
                    };
                    self.tasks.insert(task, watched);
                }
            }
            Kind::CancelRequest => {
                if let Some(Resource::Task(task)) = event.objects.first().map(|o| o.resource) {
                    self.tasks.remove(&task);
                }
            }
            Kind::TaskComplete => {
                event.task.and_then(|task| self.tasks.remove(&task));
            }
            Kind::TaskPoll => return self.polled(event),
            _ => {}
        }
        Ok(())
    }
}

impl Deadline {
    fn polled(&mut self, event: &Event) -> Result<(), Broken> {
        let found = event.task.and_then(|task| self.tasks.get_mut(&task));
        let Some(watched) = found else { return Ok(()) };
        let task = event.task.map(|task| task.to_string()).unwrap_or_default();
        if watched.used_up {
            let what = format!("{task} is polled although its quota is used up");
            return Err(Broken::new("VAL-19", what));
        }
        watched.used_up = event.a == 0;
        if event.time.as_nanos() >= watched.deadline {
            watched.late += 1;
        }
        if watched.late > 1 {
            let (late, deadline) = (watched.late, watched.deadline);
            let what = format!("{task} is polled {late} times after its deadline {deadline} ns");
            return Err(Broken::new("VAL-19", what));
        }
        Ok(())
    }
}
