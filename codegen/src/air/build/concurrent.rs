//! Awaits and spawns.

use super::FunctionBuilder;
use crate::air::entity::*;
use crate::air::inst::{Op, Operand};
use crate::air::types::{Signature, Type};

impl FunctionBuilder<'_> {
    /// Awaits an asynchronous function of the module; the result is in a fresh local, if it has
    /// one.
    pub fn await_call(&mut self, func: FuncId, args: &[Operand]) -> Option<LocalId> {
        let ret = self.module().module().funcs[func.index()].ret;
        let dst = ret.map(|ty| self.temp(ty));
        self.emit(Op::Await {
            dst,
            func,
            args: args.into(),
        });
        dst
    }

    /// Awaits the asynchronous function at an address.
    pub fn await_indirect(
        &mut self,
        sig: &Signature,
        callee: impl Into<Operand>,
        args: &[Operand],
    ) -> Option<LocalId> {
        let dst = sig.ret.map(|ty| self.temp(ty));
        let (sig, callee) = (self.module().sig(sig), callee.into());
        self.emit(Op::AwaitIndirect {
            dst,
            sig,
            callee,
            args: args.into(),
        });
        dst
    }

    /// Starts a task that runs an asynchronous function of the module, in a region or in that of
    /// the current task.
    pub fn spawn(&mut self, region: Option<LocalId>, func: FuncId, args: &[Operand]) -> LocalId {
        let dst = self.temp(Type::Task);
        self.emit(Op::Spawn {
            dst,
            region: region.map(Operand::Local),
            func,
            args: args.into(),
        });
        dst
    }

    /// The same of the asynchronous function at an address.
    pub fn spawn_indirect(
        &mut self,
        region: Option<LocalId>,
        sig: &Signature,
        callee: impl Into<Operand>,
        args: &[Operand],
    ) -> LocalId {
        let dst = self.temp(Type::Task);
        let (sig, callee) = (self.module().sig(sig), callee.into());
        self.emit(Op::SpawnIndirect {
            dst,
            region: region.map(Operand::Local),
            sig,
            callee,
            args: args.into(),
        });
        dst
    }
}
