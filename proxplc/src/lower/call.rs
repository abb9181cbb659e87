//! Calls: of functions, natives and values.

use asr_codegen::air::{CmpOp, Operand, Type, UnOp};

use super::func::FuncLower;
use super::module::value_signature;
use super::{Val, air_type, rows, word};
use crate::analysis::hir::{Expr, FuncId, NativeId};
use crate::analysis::infer::Ty;
use crate::analysis::natives;
use crate::syntax::Span;

impl FuncLower<'_, '_> {
    /// Evaluate arguments from the left.
    pub(super) fn args(&mut self, args: &[Expr]) -> Vec<Val> {
        let mut vals = Vec::with_capacity(args.len());
        for (at, arg) in args.iter().enumerate() {
            let val = self.expr(arg);
            let later = args[at + 1..].iter().take(64).any(|e| e.assigns) || args.len() - at > 64;
            vals.push(self.pin(val, later));
        }
        vals
    }

    pub(super) fn call(&mut self, func: FuncId, args: &[Expr], span: Span) -> Val {
        let ops = self.direct_args(func, args, span);
        let ty = self.shared.types.result(func);
        let result = self.b.temp(air_type(ty));
        self.b
            .call_into(Some(result), self.shared.funcs[func.0 as usize], &ops);
        Val {
            ty,
            op: result.into(),
        }
    }

    /// A call of whatever a value is: code and arity are checked by the library.
    pub(super) fn call_value(&mut self, callee: &Expr, args: &[Expr], span: Span) -> Val {
        let callee_val = self.expr(callee);
        let callee_val = self.pin(callee_val, args.iter().any(|e| e.assigns));
        let callee = self.word_of(callee_val);
        let vals = self.args(args);
        let mut ops = vec![callee];
        for val in vals {
            ops.push(self.word_of(val));
        }
        self.set_span(span);
        let count = Operand::Imm(args.len() as u64);
        let code = self.call_row(rows::CALLEE, &[callee, count]);
        let result = self
            .b
            .call_indirect(&value_signature(args.len() as u32), code, &ops);
        Val::value(result.map_or(Operand::Imm(word::NULL), Operand::from))
    }

    pub(super) fn native_number(&mut self, native: NativeId) -> Operand {
        Operand::Imm(natives::number(native).into())
    }

    pub(super) fn call_native(&mut self, id: NativeId, args: &[Expr], span: Span) -> Val {
        let native = natives::get(id);
        let vals = self.args(args);
        self.set_span(span);
        if let [val] = vals[..]
            && val.ty.is_number()
            && let Some(op) = inline(native.name)
        {
            let number = self.double_of(val);
            return Val::num(self.b.unary(op, Type::F64, number));
        }
        if let ("len", [val]) = (native.name, &vals[..])
            && val.ty == Ty::Value
            && self.worth_inlining()
        {
            let result = self.merge(Ty::Int);
            let (slow, done) = (self.cold_block("len"), self.b.new_block("length"));
            let len = self.list_len(val.op, slow);
            self.b.copy_into(result, len);
            self.b.jump(done);
            self.b.switch_to_block(slow);
            let len = self.native_result(id, &vals).op;
            self.b.copy_into(result, len);
            self.b.jump(done);
            self.b.switch_to_block(done);
            return Val::int(result);
        }
        self.native_result(id, &vals)
    }

    /// The general call of a native, through the library.
    fn native_result(&mut self, id: NativeId, vals: &[Val]) -> Val {
        let native = natives::get(id);
        let address = self.in_memory(vals);
        let number = self.native_number(id);
        let count = Operand::Imm(vals.len() as u64);
        let word = self.call_row(rows::NATIVE_CALL, &[number, address, count]);
        match native.ret {
            Ty::Bool => {
                Val::bool(
                    self.b
                        .cmp(CmpOp::Eq, Type::Value, word, Operand::Imm(word::TRUE)),
                )
            }
            Ty::Int | Ty::Num => self.unbox_number(word, native.ret),
            Ty::Str | Ty::Value | Ty::Never => Val {
                ty: native.ret,
                op: word,
            },
        }
    }
}

/// The instruction that does what a native does for a number.
fn inline(native: &str) -> Option<UnOp> {
    Some(match native {
        "sqrt" => UnOp::FSqrt,
        "floor" => UnOp::FFloor,
        "ceil" => UnOp::FCeil,
        "abs" => UnOp::FAbs,
        _ => return None,
    })
}
