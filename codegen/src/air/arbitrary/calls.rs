//! Calls and awaits: of earlier functions, or of the function itself.

use super::expr::Expr;
use super::stmt::{CALLS_MAX, Callee, Gen};
use super::tasks::Tasks;
use crate::air::*;

impl Gen<'_, '_, '_> {
    /// A call of an earlier function, directly or by address, or of itself.
    pub(super) fn call(&mut self) {
        self.calls += 1;
        let n = self.choices.below(self.callees.len() + 1);
        let Some(callee) = self.callees.get(n) else {
            return self.recurse();
        };
        if callee.is_async && !self.is_async {
            return;
        }
        let args = self.arguments(callee);
        let result = match callee.is_async {
            true => self.awaited(callee, &args),
            false if self.choices.chance(3) => {
                let addr = self.f.func_addr(callee.func);
                self.f.call_indirect(&callee.sig, addr, &args)
            }
            false => self.f.call(callee.func, &args),
        };
        self.keep(result);
    }

    /// `if depth > 0 { itself(depth - 1) }`
    fn recurse(&mut self) {
        // One such call only: two would double with each level.
        self.calls = CALLS_MAX;
        let (go, join) = (self.f.new_block("deeper"), self.f.new_block("join"));
        let depth = self.f.param(0);
        let small = self.f.cmp(CmpOp::Ult, Type::I8, depth, 8);
        let deep = self.f.cmp(CmpOp::Sgt, Type::I8, depth, 0);
        let both = self.f.and(Type::Bool, small, deep);
        self.f.branch(both, go, join);
        self.f.switch_to_block(go);
        let sig = self.sig;
        let mut args: Vec<_> = sig.params.iter().map(|&ty| self.operand(ty)).collect();
        args[0] = self.f.sub(Type::I8, depth, 1).into();
        let id = self.f.id();
        let result = match self.is_async {
            true => {
                args[1] = self.f.param(1).into();
                args[2] = self.f.param(2).into();
                self.f.await_call(id, &args)
            }
            false => self.f.call(id, &args),
        };
        self.keep(result);
        self.f.jump(join);
        self.f.switch_to_block(join);
    }

    /// Arguments of a call: the depth, what is shared, and whatever.
    pub(super) fn arguments(&mut self, callee: &Callee) -> Vec<Operand> {
        let params = &callee.sig.params;
        let mut args: Vec<_> = params.iter().map(|&ty| self.operand(ty)).collect();
        args[0] = Operand::from(self.choices.below(3) as i64);
        if callee.is_async {
            args[1] = self.f.param(1).into();
            args[2] = self.f.param(2).into();
        }
        args
    }
}
