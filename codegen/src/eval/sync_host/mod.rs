//! A small synchronous host: byte memory and the core table, everything it did on record.
//!
//! It answers the rows of the core plainly: intents and traces are lists, a handler runs at once
//! when its object is reported, a probe answers what the test asked for. Rows of other tables and
//! foreign functions are closures, but for those of the tables of tasks and channels, which a
//! [`Small`] answers; [`SyncHost::run_task`] is its executor.

mod core;
mod seam;
mod tasks;

use std::collections::{HashMap, HashSet};

use asr_abi::{Ret, status};
use asr_intrinsics::Row;

use super::host::{Host, Trap};
use super::machine::Machine;
use super::memory::Memory;
use super::small::Small;
use super::task::Task;
use crate::air::{FuncId, ProbeKind, Signature};

/// Where the addresses of functions begin. Far from all memory.
const CODE: u64 = 0x7f00_0000_0000;
/// Bytes between two functions.
const CODE_STEP: u64 = 16;
/// Sites of an error that are kept.
const TRACES_MAX: usize = 64;

/// A fault that was reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Its site.
    pub site: u64,
    /// Its code.
    pub code: u32,
}

/// What happens at a suspension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Then {
    /// The suspended task is cancelled.
    Cancel,
    /// All tasks are cancelled.
    Stop,
    /// All tasks are discarded: each ended cancelled, without any cleanup.
    Drop,
}

/// A foreign function.
pub type Extern = Box<dyn FnMut(&mut SyncHost, &[u64]) -> Result<u64, Trap>>;

/// A row of another table.
pub type RowFn = Box<dyn FnMut(&mut SyncHost, &mut Machine<'_>, &[u64]) -> Result<Ret, Trap>>;

/// See the module.
#[derive(Default)]
pub struct SyncHost {
    /// Memory of the program.
    pub memory: Memory,
    /// Faults, in order.
    pub faults: Vec<Fault>,
    /// The first sites of the error in flight, or of the last one that left.
    pub traces: Vec<u64>,
    /// All sites of it.
    pub traces_count: u64,
    /// Open intents.
    pub intents: Vec<u64>,
    /// Taint set.
    pub taint: u32,
    /// Earliest expiry.
    pub expiry: Option<u64>,
    /// Anomalies that were reported, with their objects.
    pub anomalies: Vec<(u32, u64)>,
    /// Handlers by type: function address and bound.
    pub handlers: HashMap<u64, (u64, u64)>,
    /// Objects that a handler repaired.
    pub repaired: u64,
    /// Whether the flag is set, so that probes take their slow path.
    pub flag: bool,
    /// Slow paths of probes so far.
    pub probes: u64,
    /// What the n-th slow path answers, from 1; OK where nothing is said.
    pub actions: HashMap<u64, Ret>,
    /// Foreign functions by name.
    pub externs: HashMap<String, Extern>,
    /// Rows of other tables by name.
    pub rows: HashMap<&'static str, RowFn>,
    /// Tasks, regions, channels, time.
    pub small: Small,
    /// Whether a probe that may wait answers PENDING each other time.
    pub suspends: bool,
    /// Suspensions of all tasks so far.
    pub suspensions: u64,
    /// What happens after the n-th suspension, from 1.
    pub at: Option<(u64, Then)>,
    /// Suspended tasks by their handles.
    stacks: HashMap<u64, Task>,
    /// Bytes of the slots of asynchronous activations.
    kept_bytes: u64,
    /// Tasks that a probe has suspended.
    pending: HashSet<u64>,
}

const OK: Ret = Ret {
    value: 0,
    status: status::OK as u64,
};

fn refuse(status: u32) -> Ret {
    Ret {
        value: 0,
        status: status.into(),
    }
}

impl SyncHost {
    /// A host with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes of stack slots that asynchronous activations have: none, once all tasks have ended.
    pub fn kept_bytes(&self) -> u64 {
        self.kept_bytes
    }
}

impl Host for SyncHost {
    fn load(&mut self, addr: u64, size: u32) -> Result<u64, Trap> {
        self.memory.load(addr, size)
    }

    fn store(&mut self, addr: u64, size: u32, bits: u64) -> Result<(), Trap> {
        self.memory.store(addr, size, bits)
    }

    fn data(&mut self, bytes: &[u8]) -> Result<u64, Trap> {
        let addr = self.memory.alloc(bytes.len() as u64)?;
        self.memory
            .bytes_mut(addr, bytes.len() as u64)?
            .copy_from_slice(bytes);
        Ok(addr)
    }

    fn enter_frame(&mut self, bytes: u32) -> Result<u64, Trap> {
        self.memory.push(bytes.into())
    }

    fn leave_frame(&mut self, addr: u64, _bytes: u32) {
        self.memory.pop(addr);
    }

    fn keep_frame(&mut self, bytes: u32) -> Result<u64, Trap> {
        let addr = self.memory.take(bytes.into())?;
        self.kept_bytes += u64::from(bytes);
        Ok(addr)
    }

    fn drop_frame(&mut self, addr: u64, bytes: u32) {
        self.kept_bytes -= u64::from(bytes);
        self.memory.give(addr, bytes.into());
    }

    fn func_addr(&mut self, func: FuncId) -> u64 {
        CODE + u64::from(func.0) * CODE_STEP
    }

    fn func_at(&mut self, addr: u64) -> Option<FuncId> {
        let offset = addr.checked_sub(CODE)?;
        let known = offset.is_multiple_of(CODE_STEP);
        u32::try_from(offset / CODE_STEP)
            .ok()
            .filter(|_| known)
            .map(FuncId)
    }

    fn call_extern(
        &mut self,
        _vm: &mut Machine<'_>,
        name: &str,
        _sig: &Signature,
        args: &[u64],
    ) -> Result<u64, Trap> {
        // Taken out for the call, because it may use the host.
        let Some((name, mut func)) = self.externs.remove_entry(name) else {
            return Err(Trap::new(format!(
                "there is no foreign function `{name}` here"
            )));
        };
        let value = func(self, args);
        self.externs.insert(name, func);
        value
    }

    fn intrinsic(
        &mut self,
        vm: &mut Machine<'_>,
        row: &'static Row,
        args: &[u64],
    ) -> Result<Ret, Trap> {
        let Some(mut func) = self.rows.remove(row.name) else {
            if let Some(ret) = self.core(vm, row.name, args) {
                return ret;
            }
            return self.task_row(row.name, args).ok_or_else(|| {
                Trap::new(format!("the intrinsic `{}` does nothing here", row.name))
            });
        };
        let ret = func(self, vm, args);
        self.rows.insert(row.name, func);
        ret
    }

    fn fault(&mut self, _vm: &mut Machine<'_>, site: u64, code: u32) -> Result<Ret, Trap> {
        Ok(self.faulted(site, code))
    }

    fn trace(&mut self, site: u64) {
        self.traces_count += 1;
        if self.traces.len() < TRACES_MAX {
            self.traces.push(site);
        }
    }

    fn probe(
        &mut self,
        _vm: &mut Machine<'_>,
        _site: u64,
        _kind: ProbeKind,
        may_wait: bool,
    ) -> Result<Ret, Trap> {
        Ok(match self.is_flagged() {
            true => self.take_probe(may_wait),
            false => OK,
        })
    }

    fn op_poll(&mut self, _vm: &mut Machine<'_>, _row: &'static Row) -> Result<Ret, Trap> {
        Ok(self.small.poll())
    }

    fn spawn(
        &mut self,
        vm: &mut Machine<'_>,
        region: Option<u64>,
        func: FuncId,
        args: &[u64],
    ) -> Result<Ret, Trap> {
        self.start_task(vm, region, func, args)
    }

    fn handler(&mut self, type_id: u64, func: FuncId, bound_ns: u64) -> Result<(), Trap> {
        let addr = self.func_addr(func);
        self.handlers.insert(type_id, (addr, bound_ns));
        Ok(())
    }
}
