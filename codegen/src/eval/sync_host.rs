//! A small synchronous host: byte memory and the core table, everything it did on record.
//!
//! It answers the rows of the core plainly: intents and traces are lists, a handler runs at once
//! when its object is reported, a probe answers what the test asked for. Rows of other tables and
//! foreign functions are closures.

use std::collections::HashMap;

use asr_abi::{Ret, status};
use asr_intrinsics::Row;

use super::host::{Host, Trap};
use super::machine::Machine;
use super::memory::Memory;
use crate::air::{FuncId, ProbeKind, Signature};

/// Where the addresses of functions begin. Far from all memory.
const CODE: u64 = 0x7f00_0000_0000;
/// Bytes between two functions.
const CODE_STEP: u64 = 16;
/// Intents that may be open.
const INTENTS_MAX: usize = 64;
/// Sites of an error that are kept.
const TRACES_MAX: usize = 64;
/// Bytes of the repair context (rule ABI-43).
const CONTEXT_BYTES: u64 = 64;

/// A fault that was reported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Its site.
    pub site: u64,
    /// Its code.
    pub code: u32,
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

    /// A row of the core, or `None`.
    fn core(
        &mut self,
        vm: &mut Machine<'_>,
        name: &str,
        args: &[u64],
    ) -> Option<Result<Ret, Trap>> {
        Some(Ok(match (name, args) {
            ("fault", &[site, code]) => return Some(self.fault(vm, site, code as u32)),
            ("trace", &[site]) => {
                self.trace(site);
                OK
            }
            ("trace_clear", []) => {
                self.traces.clear();
                self.traces_count = 0;
                OK
            }
            ("handler_register", &[type_id, handler, bound]) => {
                self.handlers.insert(type_id, (handler, bound));
                OK
            }
            ("handler_register_new", &[type_id, handler, bound]) => {
                match self.handlers.contains_key(&type_id) {
                    true => refuse(status::DUPLICATE),
                    false => {
                        self.handlers.insert(type_id, (handler, bound));
                        OK
                    }
                }
            }
            ("intent_push", _) if self.intents.len() >= INTENTS_MAX => refuse(status::FULL),
            ("intent_push", &[intent]) => {
                self.intents.push(intent);
                OK
            }
            ("intent_pop", []) => {
                self.intents.pop();
                OK
            }
            ("taint_add", &[labels]) => {
                self.taint |= labels as u32;
                OK
            }
            ("taint_sanitize", &[_, labels]) => {
                self.taint &= !labels as u32;
                OK
            }
            ("expiry_set", &[at]) => {
                self.expiry = Some(self.expiry.map_or(at, |before| before.min(at)));
                OK
            }
            ("anomaly", &[code, object]) => return Some(self.anomaly(vm, code as u32, object)),
            ("checked_access", &[object]) => return Some(self.checked(object)),
            (
                "object_retire" | "code_register" | "code_unregister" | "signal_enter"
                | "signal_leave",
                _,
            ) => OK,
            _ => return None,
        }))
    }

    /// Reports an anomaly: runs the handler of the object's type, if there is one.
    fn anomaly(&mut self, vm: &mut Machine<'_>, code: u32, object: u64) -> Result<Ret, Trap> {
        self.anomalies.push((code, object));
        if object == 0 {
            return Ok(OK);
        }
        let type_id = self.memory.load(object, 8)?;
        let Some(&(handler, bound)) = self.handlers.get(&type_id) else {
            return Ok(OK);
        };
        let Some(func) = self.func_at(handler) else {
            return Ok(OK);
        };
        let context = self.memory.push(CONTEXT_BYTES)?;
        self.memory.store(context, 4, CONTEXT_BYTES)?;
        self.memory.store(context + 4, 4, code.into())?;
        self.memory
            .store(context + 16, 8, self.intents.last().copied().unwrap_or(0))?;
        self.memory.store(context + 32, 4, self.taint.into())?;
        self.memory.store(context + 48, 8, bound)?;
        let ret = vm.call(self, func, &[object, context]);
        let ret = ret.map_err(|stopped| Trap::new(stopped.to_string()))?;
        let repaired = ret.status == OK.status && self.memory.load(context + 44, 4)? == 0;
        self.memory.pop(context);
        self.repaired += u64::from(repaired);
        Ok(OK)
    }

    fn checked(&mut self, object: u64) -> Result<Ret, Trap> {
        if object == 0 {
            return Ok(refuse(status::BAD_ARGUMENT));
        }
        let state = self.memory.load(object + 8, 8)? & asr_abi::repair_word::STATE;
        Ok(match state {
            asr_abi::repair_word::HEALTHY => OK,
            asr_abi::repair_word::QUARANTINED => refuse(status::QUARANTINED),
            _ => refuse(status::POISONED),
        })
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
            return self.core(vm, row.name, args).unwrap_or_else(|| {
                Err(Trap::new(format!(
                    "the intrinsic `{}` does nothing here",
                    row.name
                )))
            });
        };
        let ret = func(self, vm, args);
        self.rows.insert(row.name, func);
        ret
    }

    fn fault(&mut self, _vm: &mut Machine<'_>, site: u64, code: u32) -> Result<Ret, Trap> {
        self.faults.push(Fault { site, code });
        let value = 0xFFFC << 48 | site;
        Ok(Ret {
            value,
            status: status::THREW.into(),
        })
    }

    fn trace(&mut self, site: u64) {
        self.traces_count += 1;
        if self.traces.len() < TRACES_MAX {
            self.traces.push(site);
        }
    }

    fn probe(&mut self, _vm: &mut Machine<'_>, _site: u64, _kind: ProbeKind) -> Result<Ret, Trap> {
        if !self.flag {
            return Ok(OK);
        }
        self.probes += 1;
        Ok(self.actions.get(&self.probes).copied().unwrap_or(OK))
    }

    fn handler(&mut self, type_id: u64, func: FuncId, bound_ns: u64) -> Result<(), Trap> {
        let addr = self.func_addr(func);
        self.handlers.insert(type_id, (addr, bound_ns));
        Ok(())
    }
}
