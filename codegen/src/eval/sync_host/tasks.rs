//! The executor: tasks of the program over [`Small`](crate::eval::Small).

use asr_abi::Ret;

use super::{OK, SyncHost, refuse};
use crate::air::FuncId;
use crate::eval::host::Trap;
use crate::eval::machine::{Machine, Stopped, Why};
use crate::eval::task::Step;

impl SyncHost {
    /// Runs an asynchronous function as the root task, and all that it starts to their ends: how
    /// the root task ended. Tasks that nobody can wake any more are
    /// cancelled; then what those that are masked wait at is freed.
    ///
    /// # Errors
    /// The evaluation stopped, or tasks wait for ever; all tasks are discarded.
    pub fn run_task(
        &mut self,
        vm: &mut Machine<'_>,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Stopped> {
        self.forget_tasks();
        let result = self.run_all(vm, func, args);
        for (_, mut task) in std::mem::take(&mut self.stacks) {
            vm.discard(self, &mut task);
        }
        result
    }

    fn run_all(
        &mut self,
        vm: &mut Machine<'_>,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Stopped> {
        let stop = |vm: &Machine<'_>, trap| vm.stopped(Why::Trap(trap), func);
        let root = self.start_task(vm, None, func, args);
        let root = root.map_err(|trap| stop(vm, trap))?.value;
        for round in 0.. {
            self.drive(vm, func)?;
            if !self.unstick(round) {
                break;
            }
        }
        match self.small.outcome(root) {
            Some(ret) if self.small.live_tasks().next().is_none() => Ok(ret),
            _ => Err(stop(vm, Trap::new("tasks wait for ever"))),
        }
    }

    /// Runs whatever is ready until nothing is.
    fn drive(&mut self, vm: &mut Machine<'_>, root: FuncId) -> Result<(), Stopped> {
        let stop = |vm: &Machine<'_>, trap| vm.stopped(Why::Trap(trap), root);
        while let Some(id) = self.small.next_task() {
            let Some(mut task) = self.stacks.remove(&id) else {
                continue;
            };
            self.finalize(vm).map_err(|trap| stop(vm, trap))?;
            match vm.resume(self, &mut task)? {
                Step::Ready(ret) => self.small.ended(ret),
                Step::Pending => {
                    self.stacks.insert(id, task);
                    if self.suspended(id) {
                        self.drop_all(vm);
                    }
                }
            }
        }
        Ok(())
    }

    fn drop_all(&mut self, vm: &mut Machine<'_>) {
        let live: Vec<u64> = self.small.live_tasks().collect();
        for id in live {
            if let Some(mut task) = self.stacks.remove(&id) {
                vm.discard(self, &mut task);
            }
            self.small.dropped(id);
        }
    }

    /// Runs the finalizers of the region that the current task waits for, if they are due.
    fn finalize(&mut self, vm: &mut Machine<'_>) -> Result<(), Trap> {
        for (run, argument) in self.small.due_finalizers() {
            let func = crate::eval::Host::func_at(self, run);
            let func = func.ok_or_else(|| Trap::new("a finalizer is no function"))?;
            vm.call(self, func, &[argument])
                .map_err(|stopped| Trap::new(stopped.to_string()))?;
        }
        Ok(())
    }

    pub(super) fn start_task(
        &mut self,
        vm: &mut Machine<'_>,
        region: Option<u64>,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Trap> {
        let handle = match self.small.spawn(region) {
            Ok(handle) => handle,
            Err(status) => return Ok(refuse(status)),
        };
        let task = vm.task(self, func, args)?;
        self.stacks.insert(handle, task);
        Ok(Ret {
            value: handle,
            ..OK
        })
    }
}
