//! The executor: tasks of the program over [`Small`](crate::eval::Small).

use asr_abi::{Ret, status};

use super::{OK, SyncHost, Then, refuse};
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
        self.small = Default::default();
        self.suspensions = 0;
        self.pending.clear();
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
        self.drive(vm, func)?;
        let stuck: Vec<u64> = self.small.live_tasks().collect();
        for task in stuck {
            self.small.cancel(task);
        }
        self.drive(vm, func)?;
        // A masked wait sees no cancel.
        self.small.free_all();
        self.drive(vm, func)?;
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
                    self.suspensions += 1;
                    if let Some((_, then)) = self.at.filter(|(n, _)| *n == self.suspensions) {
                        self.interfere(vm, id, then);
                    }
                }
            }
        }
        Ok(())
    }

    fn interfere(&mut self, vm: &mut Machine<'_>, suspended: u64, then: Then) {
        let live: Vec<u64> = self.small.live_tasks().collect();
        match then {
            Then::Cancel => self.small.cancel(suspended),
            Then::Stop => live.into_iter().for_each(|task| self.small.cancel(task)),
            Then::Drop => {
                for id in live {
                    if let Some(mut task) = self.stacks.remove(&id) {
                        vm.discard(self, &mut task);
                    }
                    self.small.dropped(id);
                }
            }
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

    /// A row of the tables `tasks` and `sync`.
    pub(super) fn task_row(&mut self, name: &str, args: &[u64]) -> Option<Ret> {
        match (name, args) {
            ("region_defer", &[region, run, argument]) => {
                Some(self.small.defer(region, run, argument))
            }
            _ => self.small.row(name, args),
        }
    }

    /// A probe that may wait: PENDING, and OK when the task takes it again.
    pub(super) fn probe_waits(&mut self) -> Ret {
        let Some(task) = self.small.current() else {
            return OK;
        };
        if !self.pending.insert(task) {
            self.pending.remove(&task);
            return OK;
        }
        self.small.yields();
        refuse(status::PENDING)
    }
}
