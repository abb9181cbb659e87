//! The rows of the core.

use asr_abi::{Ret, status};

use super::{Fault, OK, SyncHost, refuse};
use crate::eval::host::{Host, Trap};
use crate::eval::machine::Machine;

/// Intents that may be open.
const INTENTS_MAX: usize = 64;
/// Bytes of the repair context (rule ABI-43).
const CONTEXT_BYTES: u64 = 64;

impl SyncHost {
    /// A row of the core, or `None`.
    pub(super) fn core(
        &mut self,
        vm: &mut Machine<'_>,
        name: &str,
        args: &[u64],
    ) -> Option<Result<Ret, Trap>> {
        match (name, args) {
            ("anomaly", &[code, object]) => Some(self.anomaly(vm, code as u32, object)),
            ("checked_access", &[object]) => Some(self.checked(object)),
            _ => self.plain_row(name, args).map(Ok),
        }
    }

    /// The same of the rows that look at no object.
    pub(super) fn plain_row(&mut self, name: &str, args: &[u64]) -> Option<Ret> {
        Some(match (name, args) {
            ("fault", &[site, code]) => self.faulted(site, code as u32),
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
            ("anomaly", &[code, 0]) => {
                self.anomalies.push((code as u32, 0));
                OK
            }
            (
                "object_retire" | "code_register" | "code_unregister" | "signal_enter"
                | "signal_leave",
                _,
            ) => OK,
            _ => return None,
        })
    }

    pub(super) fn faulted(&mut self, site: u64, code: u32) -> Ret {
        self.faults.push(Fault { site, code });
        Ret {
            value: 0xFFFC << 48 | site,
            status: status::THREW.into(),
        }
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
