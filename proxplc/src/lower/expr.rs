//! Expressions.

use asr_codegen::air::{CmpOp, Operand, Type};

use super::func::FuncLower;
use super::rows::Failure;
use super::{Val, rows, word};
use crate::analysis::hir::{Expr, ExprKind, StrId, VarId};
use crate::analysis::infer::{Ty, is_small_int};
use crate::analysis::natives;
use crate::syntax::ast::{BinaryOp, Logic};

impl FuncLower<'_, '_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Val {
        if !self.count() {
            return self.null();
        }
        let span = expr.span;
        match &expr.kind {
            ExprKind::Number(number) => self.number(*number),
            ExprKind::Str(id) => self.string(*id),
            ExprKind::Bool(truth) => Val::bool(*truth),
            ExprKind::Null => self.null(),
            ExprKind::Var(var) => {
                self.set_span(span);
                self.variable(*var)
            }
            ExprKind::Undefined(name, value) => {
                value.iter().for_each(|e| {
                    self.expr(e);
                });
                self.set_span(span);
                let name = self.shared.names.text(*name).as_bytes();
                self.fail_here(Failure::UndefinedVariable, [0, 0], name)
            }
            ExprKind::Func(func) => self.function_value(*func),
            ExprKind::Start(func, args) => self.start(*func, args, span),
            ExprKind::AwaitCall(func, args) => self.await_call(*func, args, span),
            ExprKind::AwaitNative(op, args) => self.operation(*op, args, span),
            ExprKind::Await(operand) => self.await_value(operand, span),
            ExprKind::Spawn(callee, args) => self.spawn(callee, args, span),
            ExprKind::Native(id) => {
                Val::value(self.b.global_get(self.shared.natives[id.0 as usize]))
            }
            ExprKind::List(items) => self.list(items, expr.span),
            ExprKind::Dict(entries) => self.dict(entries, expr),
            ExprKind::Chain(first, links) => {
                let mut left = self.expr(first);
                for link in links {
                    if !self.count() {
                        break;
                    }
                    left = self.link(left, link);
                }
                left
            }
            ExprKind::Logic(op, terms) => self.maybe(|this| this.logic(*op, terms)),
            ExprKind::Unary(op, operand) => self.unary(*op, operand),
            ExprKind::Ternary(parts) => self.ternary(parts),
            ExprKind::Call(func, args) => self.call(*func, args, span),
            ExprKind::CallNative(native, args) if natives::get(*native).op.is_some() => {
                self.operation(*native, args, span)
            }
            ExprKind::CallNative(native, args) => self.call_native(*native, args, span),
            ExprKind::CallValue(callee, args) => self.call_value(callee, args, span),
            ExprKind::WrongArity(func, args) => {
                args.iter().for_each(|e| {
                    self.expr(e);
                });
                self.set_span(span);
                let expected = self.shared.program.func(*func).arity.into();
                self.fail_here(Failure::Arity, [expected, args.len() as u64], b"")
            }
            ExprKind::Index(parts) => {
                let [object, index] = &**parts;
                let object_val = self.expr(object);
                let object_val = self.pin(object_val, index.assigns);
                let index = self.expr(index);
                self.set_span(span);
                self.element(object_val, index)
            }
            ExprKind::Member(object, name) => {
                let object = self.expr(object);
                let word = self.word_of(object);
                let name = self.string(*name).op;
                self.set_span(span);
                Val::value(self.call_row(rows::MEMBER, &[word, name]))
            }
            ExprKind::SetVar(var, value) => {
                if let Some(val) = self.count_up(*var, value) {
                    return val;
                }
                let val = self.expr(value);
                self.set_span(span);
                self.assign(*var, val);
                val
            }
            ExprKind::SetIndex(parts, op) => self.set_index(parts, *op, expr),
            ExprKind::SetMember(parts, name, op) => self.set_member(parts, *name, *op, expr),
        }
    }

    pub(super) fn number(&mut self, number: f64) -> Val {
        if is_small_int(number) {
            Val::int(number as i64)
        } else {
            Val::num(number)
        }
    }

    fn string(&mut self, id: StrId) -> Val {
        let op = self.b.global_get(self.shared.strings[id.0 as usize]).into();
        Val { ty: Ty::Str, op }
    }

    pub(super) fn variable(&mut self, var: VarId) -> Val {
        let data = self.shared.program.var(var);
        if data.boxed {
            return self.unboxed(var);
        }
        let ty = self.shared.types.var(var);
        if let Some(number) = data.literal {
            let val = self.number(number);
            return Val {
                ty,
                op: self.coerce(val, ty),
            };
        }
        let Some(cell) = self.shared.globals[var.0 as usize] else {
            return Val {
                ty,
                op: self.local(var).into(),
            };
        };
        let val = Val {
            ty,
            op: self.cell(cell).into(),
        };
        if !data.ready {
            let (undefined, fine) = (self.cold_block("undefined"), self.b.new_block("defined"));
            let test = self.b.cmp(
                CmpOp::Eq,
                Type::Value,
                val.op,
                Operand::Imm(word::UNDEFINED),
            );
            self.b.branch(test, undefined, fine);
            self.b.switch_to_block(undefined);
            let name = self.shared.names.text(data.name).as_bytes();
            self.fail(Failure::UndefinedVariable, [0, 0], name);
            self.b.switch_to_block(fine);
        }
        val
    }

    /// Throw; what comes behind is not reached.
    fn fail_here(&mut self, failure: Failure, numbers: [u64; 2], name: &[u8]) -> Val {
        self.fail(failure, numbers, name);
        let rest = self.b.new_block("never");
        self.b.switch_to_block(rest);
        self.null()
    }

    fn dict(&mut self, entries: &[(Expr, Expr)], expr: &Expr) -> Val {
        self.set_span(expr.span);
        let dict = self.call_row(rows::DICT, &[]);
        for (key, value) in entries {
            let key_val = self.expr(key);
            let key_val = self.pin(key_val, value.assigns);
            let val = self.expr(value);
            let (k, v) = (self.word_of(key_val), self.word_of(val));
            self.set_span(key.span);
            self.b.intrinsic_into(None, rows::DICT_INIT, &[dict, k, v]);
        }
        Val::value(dict)
    }

    fn logic(&mut self, op: Logic, terms: &[Expr]) -> Val {
        let ty = terms
            .iter()
            .fold(Ty::Never, |ty, e| ty.join(self.shared.types.expr(e)));
        let result = self.merge(ty);
        let end = self.b.new_block("decided");
        for (at, term) in terms.iter().enumerate() {
            let val = self.expr(term);
            let op_of_term = self.coerce(val, ty);
            self.b.copy_into(result, op_of_term);
            if at + 1 < terms.len() {
                let next = self.b.new_block("next");
                let truth = self.truth(val);
                match op {
                    Logic::And => self.b.branch(truth, next, end),
                    Logic::Or => self.b.branch(truth, end, next),
                }
                self.b.switch_to_block(next);
            }
        }
        self.b.jump(end);
        self.b.switch_to_block(end);
        Val {
            ty,
            op: result.into(),
        }
    }

    fn ternary(&mut self, parts: &[Expr; 3]) -> Val {
        let [cond, then, other] = parts;
        let ty = self
            .shared
            .types
            .expr(then)
            .join(self.shared.types.expr(other));
        let result = self.merge(ty);
        let (yes, no, end) = (
            self.b.new_block("then"),
            self.b.new_block("else"),
            self.b.new_block("either"),
        );
        self.branch(cond, yes, no);
        for (block, part) in [(yes, then), (no, other)] {
            self.b.switch_to_block(block);
            self.maybe(|this| {
                let val = this.expr(part);
                let op = this.coerce(val, ty);
                this.b.copy_into(result, op);
            });
            self.b.jump(end);
        }
        self.b.switch_to_block(end);
        Val {
            ty,
            op: result.into(),
        }
    }

    fn set_index(&mut self, parts: &[Expr; 3], op: Option<BinaryOp>, expr: &Expr) -> Val {
        let [object, index, value] = parts;
        let object_val = self.expr(object);
        let object_val = self.pin(object_val, index.assigns || value.assigns);
        let index_val = self.expr(index);
        let index_val = self.pin(index_val, value.assigns);
        let old = op.map(|op| {
            self.set_span(expr.span);
            (op, self.element(object_val, index_val))
        });
        let mut val = self.expr(value);
        self.set_span(expr.span);
        if let Some((op, old)) = old {
            val = self.binary(op, old, val);
        }
        self.set_element(object_val, index_val, val);
        val
    }

    fn set_member(
        &mut self,
        parts: &[Expr; 2],
        name: StrId,
        op: Option<BinaryOp>,
        expr: &Expr,
    ) -> Val {
        let [object, value] = parts;
        let object_val = self.expr(object);
        let object_val = self.pin(object_val, value.assigns);
        let object = self.word_of(object_val);
        let name = self.string(name).op;
        let old = op.map(|op| {
            self.set_span(expr.span);
            (op, Val::value(self.call_row(rows::MEMBER, &[object, name])))
        });
        let mut val = self.expr(value);
        self.set_span(expr.span);
        if let Some((op, old)) = old {
            val = self.binary(op, old, val);
        }
        let word = self.word_of(val);
        self.b
            .intrinsic_into(None, rows::MEMBER_SET, &[object, name, word]);
        val
    }
}
