//! Awaits and spawns: what they are of, and where they stand.

use super::{Checker, Here};
use crate::air::code;
use crate::air::entity::*;
use crate::air::inst::*;
use crate::air::types::{Signature, Type};

impl Checker<'_> {
    pub(super) fn concurrent(&mut self, here: Here<'_>, op: &Op) {
        let module = self.module;
        match op {
            Op::Await { dst, func, args } => {
                self.waits(here, "await");
                if self.in_range(here, func.index(), module.funcs.len(), "function") {
                    self.colour(here, *func, true);
                    self.call(here, &module.funcs[func.index()].signature(), *dst, args);
                }
            }
            Op::AwaitIndirect {
                dst,
                sig,
                callee,
                args,
            } => {
                self.waits(here, "await.indirect");
                self.operand(here, *callee, Type::Ptr);
                if self.in_range(here, sig.index(), module.sigs.len(), "signature") {
                    self.call(here, &module.sigs[sig.index()], *dst, args);
                }
            }
            Op::Spawn {
                dst,
                region,
                func,
                args,
            } => {
                self.spawned(here, *dst, *region);
                if self.in_range(here, func.index(), module.funcs.len(), "function") {
                    self.colour(here, *func, true);
                    let sig = module.funcs[func.index()].signature();
                    self.crosses(here, &sig);
                    self.call(here, &sig, None, args);
                }
            }
            Op::SpawnIndirect {
                dst,
                region,
                sig,
                callee,
                args,
            } => {
                self.spawned(here, *dst, *region);
                self.operand(here, *callee, Type::Ptr);
                if self.in_range(here, sig.index(), module.sigs.len(), "signature") {
                    self.crosses(here, &module.sigs[sig.index()]);
                    self.call(here, &module.sigs[sig.index()], None, args);
                }
            }
            _ => {}
        }
    }

    fn spawned(&mut self, here: Here<'_>, dst: LocalId, region: Option<Operand>) {
        self.dst(here, dst, Type::Task);
        if let Some(region) = region {
            self.operand(here, region, Type::Region);
        }
    }

    /// A handle belongs to its task: none goes into another, none comes out by its end.
    fn crosses(&mut self, here: Here<'_>, sig: &Signature) {
        let mut types = sig.params.iter().chain(&sig.ret);
        if let Some(ty) = types.find(|ty| ty.handle().is_some()) {
            let message =
                format!("a {ty} goes from task to task here; use `transfer`, or make it there");
            self.error(code::HANDLE_KEPT, here.place(), message);
        }
    }

    /// What waits stands in an asynchronous function.
    pub(super) fn waits(&mut self, here: Here<'_>, what: &str) {
        if !here.func.is_async {
            let message = format!(
                "`{what}` waits, but `{}` is not asynchronous; declare it `async fn`",
                here.func.name
            );
            self.error(code::BAD_ASYNC, here.place(), message);
        }
    }

    /// A function is called if it is synchronous, awaited or spawned if it is not.
    pub(super) fn colour(&mut self, here: Here<'_>, func: FuncId, is_async: bool) {
        let callee = &self.module.funcs[func.index()];
        if callee.is_async == is_async {
            return;
        }
        let name = &callee.name;
        let message = match is_async {
            true => format!("`{name}` is not asynchronous; call it"),
            false => format!("`{name}` is asynchronous; await or spawn it"),
        };
        self.error(code::BAD_ASYNC, here.place(), message);
    }
}
