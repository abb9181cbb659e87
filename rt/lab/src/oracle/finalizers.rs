//! Finalizers run exactly once, the last registered first (REG-15): each run takes the top of its
//! owner's stack, and the stack is empty when the owner ends.

use std::collections::BTreeMap;

use asr_trace::{Event, Kind, Resource};

use super::{Broken, Oracle};

/// The stacks of finalizers that wait.
#[derive(Debug, Default)]
pub struct Finalizers {
    stacks: BTreeMap<Resource, Vec<u64>>,
}

impl Oracle for Finalizers {
    fn name(&self) -> &'static str {
        "finalizer"
    }

    fn step(&mut self, event: &Event) -> Result<(), Broken> {
        if !event.is_semantic() {
            return Ok(());
        }
        let owner = event.objects.first().map(|object| object.resource);
        match (event.kind, owner) {
            (Kind::FinalizerRegister, Some(owner)) => {
                self.stacks.entry(owner).or_default().push(event.a);
                Ok(())
            }
            (Kind::FinalizerRun, Some(owner)) => self.run(owner, event.a),
            (Kind::RegionClosed, _) => self.ended(event.region.map(Resource::Region)),
            (Kind::TaskComplete, _) => self.ended(event.task.map(Resource::Task)),
            _ => Ok(()),
        }
    }
}

impl Finalizers {
    fn run(&mut self, owner: Resource, number: u64) -> Result<(), Broken> {
        let stack = self.stacks.get_mut(&owner);
        let top = stack.and_then(|stack| stack.pop_if(|top| *top == number));
        if top.is_some() {
            return Ok(());
        }
        let waiting = self.stacks.get(&owner).map_or(&[][..], Vec::as_slice);
        let what = format!("finalizer {number} of {owner:?} runs, waiting are {waiting:?}");
        Err(Broken::new("REG-15", what))
    }

    fn ended(&mut self, owner: Option<Resource>) -> Result<(), Broken> {
        match owner.and_then(|owner| self.stacks.remove(&owner)) {
            Some(left) if !left.is_empty() => {
                let what = format!("{owner:?} ended before its finalizers {left:?}");
                Err(Broken::new("REG-15", what))
            }
            _ => Ok(()),
        }
    }
}
