//! What the host is to any engine that runs tasks over it: the evaluator, or machine code.

use asr_abi::{Ret, status};

use super::{OK, SyncHost, Then, refuse};

impl SyncHost {
    /// No task has ever been.
    pub fn forget_tasks(&mut self) {
        self.small = Default::default();
        self.suspensions = 0;
        self.pending.clear();
    }

    /// A row of the tables `core`, `tasks` and `sync`, but for handlers and finalizers. `None` for
    /// another one.
    pub fn runtime_row(&mut self, name: &str, args: &[u64]) -> Option<Ret> {
        self.plain_row(name, args)
            .or_else(|| self.task_row(name, args))
    }

    /// Whether something is pending for the current task: what the flag word says.
    pub fn is_flagged(&self) -> bool {
        self.flag || self.small.is_cancelling()
    }

    /// The slow path of a probe.
    pub fn take_probe(&mut self, may_wait: bool) -> Ret {
        self.probes += 1;
        match self.actions.get(&self.probes).copied() {
            Some(ret) if ret.status == u64::from(status::PENDING) => match may_wait {
                true => self.probe_waits(),
                false => OK,
            },
            Some(ret) => ret,
            None if self.small.is_cancelling() => refuse(status::CANCELLED),
            None if self.suspends && may_wait => self.probe_waits(),
            None => OK,
        }
    }

    /// The task was suspended: cancels what [`SyncHost::at`] says. Whether all are to be dropped.
    pub fn suspended(&mut self, task: u64) -> bool {
        self.suspensions += 1;
        let Some((_, then)) = self.at.filter(|(n, _)| *n == self.suspensions) else {
            return false;
        };
        let live: Vec<u64> = self.small.live_tasks().collect();
        match then {
            Then::Cancel => self.small.cancel(task),
            Then::Stop => live.into_iter().for_each(|task| self.small.cancel(task)),
            Then::Drop => return true,
        }
        false
    }

    /// Nothing is ready: what is done about tasks that are left, for the first, the second time.
    /// Whether something was.
    pub fn unstick(&mut self, round: usize) -> bool {
        let live: Vec<u64> = self.small.live_tasks().collect();
        match round {
            _ if live.is_empty() => return false,
            0 => live.into_iter().for_each(|task| self.small.cancel(task)),
            // A masked wait sees no cancel.
            1 => self.small.free_all(),
            _ => return false,
        }
        true
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
