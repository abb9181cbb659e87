//! Calls, awaits and spawns.

use super::super::code::*;
use super::{Decoder, result, source};
use crate::air::*;

impl Decoder<'_, '_> {
    pub(super) fn call(&mut self, dst: Option<LocalId>, func: FuncId, args: &[Operand]) -> Kind {
        let ret = self.verified.module().funcs[func.index()].ret;
        let args = self.args_of(func, args);
        Kind::Call {
            dst: result(dst, ret),
            func: func.0,
            args,
        }
    }

    pub(super) fn call_indirect(
        &mut self,
        dst: Option<LocalId>,
        (sig, callee): (SigId, Operand),
        args: &[Operand],
        is_async: bool,
    ) -> Kind {
        let args = self.args_like(sig, args);
        Kind::CallIndirect {
            dst: result(dst, self.verified.module().sigs[sig.index()].ret),
            sig: sig.0,
            callee: source(callee, Type::Ptr),
            args,
            is_async,
        }
    }

    pub(super) fn spawn(
        &mut self,
        dst: LocalId,
        region: Option<Operand>,
        func: FuncId,
        args: &[Operand],
    ) -> Kind {
        Kind::Spawn {
            dst: dst.0,
            region: region.map(|region| source(region, Type::Region)),
            task: Callee::Func(func.0),
            args: self.args_of(func, args),
        }
    }

    pub(super) fn spawn_indirect(
        &mut self,
        dst: LocalId,
        region: Option<Operand>,
        (sig, callee): (SigId, Operand),
        args: &[Operand],
    ) -> Kind {
        Kind::Spawn {
            dst: dst.0,
            region: region.map(|region| source(region, Type::Region)),
            task: Callee::At(source(callee, Type::Ptr), sig.0),
            args: self.args_like(sig, args),
        }
    }

    /// Arguments of a function of the module.
    fn args_of(&mut self, func: FuncId, args: &[Operand]) -> Args {
        let callee = &self.verified.module().funcs[func.index()];
        self.args(args, callee.locals.iter().map(|local| local.ty))
    }

    /// Arguments by a signature.
    fn args_like(&mut self, sig: SigId, args: &[Operand]) -> Args {
        let params = &self.verified.module().sigs[sig.index()].params;
        self.args(args, params.iter().copied())
    }
}
