//! Variables of enclosing functions: boxes, the values of functions that capture, their calls.
//!
//! The local of a boxed variable holds the box; each execution of its declaration makes a new one.
//! A captured variable is a parameter of the function behind its own: the box, or the value of a
//! variable that is never assigned.

use asr_codegen::air::{BinOp, ConvOp, FunctionBuilder, LocalId, Operand, Type};

use super::func::FuncLower;
use super::{Val, rows, word};
use crate::analysis::hir::{Expr, ExprKind, FuncId, VarId};

/// The address of an object that is known to be one.
pub(super) fn address(b: &mut FunctionBuilder<'_>, object: impl Into<Operand>) -> LocalId {
    let bits = b.convert(ConvOp::Bitcast, Type::Value, Type::I64, object.into());
    let tag = Operand::Imm(word::OBJECT_TAG);
    let untagged = b.binary(BinOp::Xor, Type::I64, bits, tag);
    b.convert(ConvOp::Bitcast, Type::I64, Type::Ptr, untagged)
}

impl FuncLower<'_, '_> {
    /// What is in the box of a variable.
    pub(super) fn unboxed(&mut self, var: VarId) -> Val {
        let holder = self.local(var);
        let at = address(&mut self.b, holder);
        Val::value(self.b.load(Type::Value, at, word::BOX_VALUE))
    }

    /// Assign a boxed variable.
    pub(super) fn set_boxed(&mut self, var: VarId, val: Val) {
        let word = self.word_of(val);
        let holder = self.local(var);
        let at = address(&mut self.b, holder);
        self.b.store(Type::Value, word, at, word::BOX_VALUE);
    }

    /// A new box for a variable.
    pub(super) fn make_box(&mut self, var: VarId, val: Val) {
        let word = self.word_of(val);
        let made = self.call_row(rows::BOX, &[word]);
        let holder = self.local(var);
        self.b.copy_into(holder, made);
    }

    /// The declaration of a variable is executed.
    pub(super) fn declare(&mut self, var: VarId, init: Option<&Expr>) {
        let boxed = self.shared.program.var(var).boxed;
        if boxed && matches!(init.map(|e| &e.kind), Some(ExprKind::Func(_))) {
            // The function may use the variable that it is assigned to.
            self.make_box(var, self.null());
            let val = init.map_or(self.null(), |init| self.expr(init));
            return self.set_boxed(var, val);
        }
        let val = init.map_or(self.null(), |init| self.expr(init));
        self.declare_as(var, val);
    }

    /// The declaration of a variable with this value is executed.
    pub(super) fn declare_as(&mut self, var: VarId, val: Val) {
        match self.shared.program.var(var).boxed {
            true => self.make_box(var, val),
            false => self.assign(var, val),
        }
    }

    /// What a function captures, for its parameters behind those of its own.
    pub(super) fn captured(&mut self, func: FuncId) -> Vec<Operand> {
        let program = self.shared.program;
        let captures = program.func(func).captures.iter();
        captures
            .map(|capture| {
                let view = program.view(self.id, capture.root);
                if program.var(view).boxed {
                    return self.local(view).into();
                }
                let val = self.variable(view);
                self.coerce(val, self.shared.types.var(capture.alias))
            })
            .collect()
    }

    /// A function as a value.
    pub(super) fn function_value(&mut self, func: FuncId) -> Val {
        let Some((wrapper, cell)) = self.shared.wrappers[func.0 as usize] else {
            return self.null();
        };
        let data = self.shared.program.func(func);
        if data.captures.is_empty() {
            return Val::value(self.b.global_get(cell));
        }
        let captured: Vec<Val> = self.captured(func).into_iter().map(Val::value).collect();
        let count = Operand::Imm(captured.len() as u64);
        let name = data.name.map_or("", |name| self.shared.names.text(name));
        let [name, len] = self.constant_bytes(name.as_bytes());
        let code = self.b.func_addr(wrapper);
        let words = self.in_memory(&captured);
        let arity = self.shared.arity(data);
        let args = [code.into(), arity, name, len, words, count];
        Val::value(self.call_row(rows::CLOSURE, &args))
    }
}
