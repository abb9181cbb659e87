//! What the native host has of the tasks of an evaluation: their stacks, the slots of their
//! activations, the op slot of the one that runs.

#![allow(
    unsafe_code,
    reason = "calls the runtime with frames and op slots of tasks"
)]

use std::collections::HashMap;

use asr_abi::{OpSlot, Ret, Thread, status};
use asr_codegen::air::FuncId;
use asr_codegen::eval::{Machine, Task, Trap};
use asr_intrinsics::Row;

use super::host::{NativeHost, canonical};
use super::{native, task};

/// See the module.
#[derive(Default)]
pub(super) struct Tasks {
    suspended: HashMap<u64, Task>,
    made: u64,
    /// Stack slots of asynchronous activations by address.
    kept: HashMap<u64, Box<[u128]>>,
    /// Address of the op slot of the task that runs.
    slot: Option<u64>,
}

impl Tasks {
    /// Zeroed memory that others may outlive.
    pub(super) fn keep(&mut self, bytes: u32) -> u64 {
        let mut units = vec![0_u128; bytes.div_ceil(16) as usize].into_boxed_slice();
        let addr = units.as_mut_ptr().expose_provenance() as u64;
        self.kept.insert(addr, units);
        addr
    }

    pub(super) fn forget(&mut self, addr: u64) {
        self.kept.remove(&addr);
    }

    /// The op slot for a row that takes one.
    pub(super) fn slot(&self, row: &Row) -> Result<Option<u64>, Trap> {
        match (row.waits(), self.slot) {
            (false, _) => Ok(None),
            (true, Some(slot)) => Ok(Some(slot)),
            (true, None) => Err(Trap::new(format!("'{}' waits outside of a task", row.name))),
        }
    }
}

impl NativeHost {
    /// A task that will be resumed by this number.
    pub(super) fn add_task(&mut self, task: Task) -> u64 {
        self.tasks.made += 1;
        self.tasks.suspended.insert(self.tasks.made, task);
        self.tasks.made
    }

    pub(super) fn remove_task(&mut self, number: u64) -> Option<Task> {
        self.tasks.suspended.remove(&number)
    }

    pub(super) fn put_task(&mut self, number: u64, task: Task) {
        self.tasks.suspended.insert(number, task);
    }

    pub(super) fn take_tasks(&mut self) -> Vec<Task> {
        self.tasks.suspended.drain().map(|(_, task)| task).collect()
    }

    /// A poll begins; what was there before.
    pub(super) fn enter_poll(
        &mut self,
        th: *const Thread,
        slot: *mut OpSlot,
    ) -> (*const Thread, Option<u64>) {
        let slot = slot.expose_provenance() as u64;
        let outer = (self.th, self.tasks.slot);
        (self.th, self.tasks.slot) = (th, Some(slot));
        outer
    }

    pub(super) fn leave_poll(&mut self, outer: (*const Thread, Option<u64>)) {
        (self.th, self.tasks.slot) = outer;
    }

    /// What the operation in the slot came to.
    pub(super) fn poll_slot(
        &mut self,
        vm: &mut Machine<'_>,
        row: &'static Row,
    ) -> Result<Ret, Trap> {
        let (th, slot) = (self.th, self.tasks.slot(row)?);
        let slot = slot.ok_or_else(|| Trap::new("no operation is waited for"))?;
        let code = self.symbol("asr_i_op_poll")?;
        // SAFETY: it takes the thread state and the slot, in which the row put its operation.
        let ret = self.call_out(vm, || unsafe { native::call_words(th, code, &[slot]) })?;
        Ok(canonical(row, ret))
    }

    /// Starts a task of the kernel that is evaluated.
    pub(super) fn start_task(
        &mut self,
        vm: &mut Machine<'_>,
        region: Option<u64>,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Trap> {
        if self.session.is_null() {
            return Err(Trap::new("no task can be started here"));
        }
        let (make, start) = (
            self.symbol("asr_i_task_new")?,
            self.symbol("asr_i_task_start")?,
        );
        let begun = vm.task(self, func, args)?;
        let number = self.add_task(begun);
        let (poll, size) = task::frame_kind();
        let (th, session) = (self.th, self.session);
        let region = region.unwrap_or(0);
        let ret = self.call_out(vm, || {
            // SAFETY: both take these words; the frame is new, of the kind that is filled, and
            // given on.
            unsafe {
                let frame = native::call_words(th, make, &[poll, size])?.value;
                task::fill(frame, session, number);
                native::call_words(th, start, &[region, frame])
            }
        })?;
        if ret.status != u64::from(status::OK)
            && let Some(mut refused) = self.remove_task(number)
        {
            vm.discard(self, &mut refused);
        }
        Ok(ret)
    }
}
