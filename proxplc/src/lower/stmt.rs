//! Statements.

use asr_codegen::air::{BlockId, Operand};

use super::Val;
use super::func::{FuncLower, Loop};
use super::{rows, word};
use crate::analysis::hir::{Expr, Stmt, StmtKind, VarId};
use crate::analysis::infer::Ty;
use crate::syntax::ast::BinaryOp;

impl FuncLower<'_, '_> {
    pub(super) fn stmts(&mut self, stmts: &[Stmt]) {
        let depth = self.exits.len();
        for stmt in stmts {
            if !self.count() {
                break;
            }
            self.set_span(stmt.span);
            self.stmt(stmt);
        }
        self.leave_block(depth);
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Expr(expr) => {
                self.expr(expr);
            }
            StmtKind::Print(expr) => {
                let val = self.expr(expr);
                let word = self.word_of(val);
                self.set_span(stmt.span);
                self.b.intrinsic_into(None, rows::PRINT, &[word]);
            }
            StmtKind::Let(var, init) => {
                self.declare(*var, init.as_ref());
            }
            StmtKind::Block(body) => self.stmts(body),
            StmtKind::If(arms, other) => self.if_stmt(arms, other.as_deref()),
            StmtKind::Loop(cond, body, step) => {
                self.loop_stmt(cond.as_ref(), body, step.as_ref());
            }
            StmtKind::Switch(subject, cases, default) => {
                self.switch_stmt(subject, cases, default.as_deref());
            }
            StmtKind::Break => {
                if let Some((target, depth)) = self.loops.last().map(|l| (l.exit, l.depth)) {
                    self.run_exits(depth);
                    self.b.jump(target);
                }
            }
            StmtKind::Continue => {
                if let Some((target, depth)) = self.loops.last().map(|l| (l.next, l.depth)) {
                    self.run_exits(depth);
                    self.b.jump(target);
                }
            }
            StmtKind::Return(value) => {
                let value = value.as_ref().map(|e| self.expr(e));
                self.set_span(stmt.span);
                self.ret(value);
            }
            StmtKind::Throw(value) => {
                let value = self.expr(value);
                let word = self.word_of(value);
                self.set_span(stmt.span);
                self.b.throw(word);
            }
            StmtKind::Resilient(parts) => self.resilient(parts),
            StmtKind::Defer(body) => self.defer(body),
            StmtKind::Scope(body) => self.scope(body),
        }
    }

    /// Assign a variable, in the representation of its type.
    pub(super) fn assign(&mut self, var: VarId, val: Val) {
        if self.shared.program.var(var).boxed {
            return self.set_boxed(var, val);
        }
        let ty = self.shared.types.var(var);
        let op = self.coerce(val, ty);
        match self.shared.globals[var.0 as usize] {
            Some(cell) => self.set_cell(cell, op),
            None => {
                let local = self.local(var);
                self.known.declared(local);
                self.b.copy_into(local, op);
            }
        }
    }

    fn if_stmt(&mut self, arms: &[(Expr, Vec<Stmt>)], other: Option<&[Stmt]>) {
        let end = self.b.new_block("endif");
        let Some(((cond, body), rest)) = arms.split_first() else {
            return;
        };
        // The first condition is always evaluated, all else may be skipped.
        let next = self.arm(cond, body, end);
        self.maybe(|this| {
            this.b.switch_to_block(next);
            for (cond, body) in rest {
                let next = this.arm(cond, body, end);
                this.b.switch_to_block(next);
            }
            this.stmts(other.unwrap_or_default());
            this.b.jump(end);
        });
        self.b.switch_to_block(end);
    }

    /// A condition and what it guards; the block where control goes if it is false.
    fn arm(&mut self, cond: &Expr, body: &[Stmt], end: BlockId) -> BlockId {
        let (then, next) = (self.b.new_block("then"), self.b.new_block("else"));
        self.branch(cond, then, next);
        self.maybe(|this| {
            this.b.switch_to_block(then);
            this.stmts(body);
            this.b.jump(end);
        });
        next
    }

    /// Rotated: the condition is tested once before the loop and at the end of each round, which is
    /// the form that the probe pass recognizes as counted.
    fn loop_stmt(&mut self, cond: Option<&Expr>, body: &[Stmt], step: Option<&Expr>) {
        let (top, next, exit) = (
            self.b.new_block("loop"),
            self.b.new_block("next"),
            self.b.new_block("endloop"),
        );
        let test = |this: &mut Self| match cond {
            Some(cond) => this.branch(cond, top, exit),
            None => this.b.jump(top),
        };
        test(self);
        let depth = self.exits.len();
        self.loops.push(Loop { exit, next, depth });
        self.b.switch_to_block(top);
        self.maybe(|this| this.stmts(body));
        self.b.jump(next);
        self.loops.pop();
        self.b.switch_to_block(next);
        self.maybe(|this| {
            if let Some(step) = step {
                this.expr(step);
            }
            test(this);
        });
        self.b.switch_to_block(exit);
    }

    fn switch_stmt(
        &mut self,
        subject: &Expr,
        cases: &[(Expr, Vec<Stmt>)],
        default: Option<&[Stmt]>,
    ) {
        let subject = self.expr(subject);
        let subject = self.pin(subject, true);
        let end = self.b.new_block("endswitch");
        self.maybe(|this| {
            for (value, body) in cases {
                let (then, next) = (this.b.new_block("case"), this.b.new_block("next"));
                let value_of_case = this.expr(value);
                this.set_span(value.span);
                let equal = this.equality(BinaryOp::Eq, subject, value_of_case);
                this.b.branch(equal, then, next);
                this.b.switch_to_block(then);
                this.maybe(|this| this.stmts(body));
                this.b.jump(end);
                this.b.switch_to_block(next);
            }
            this.stmts(default.unwrap_or_default());
            this.b.jump(end);
        });
        self.b.switch_to_block(end);
    }

    /// Whether a value counts as true: all but null and false.
    pub(super) fn truth(&mut self, val: Val) -> Operand {
        use asr_codegen::air::{BinOp, CmpOp, Type};
        match val.ty {
            Ty::Bool => val.op,
            Ty::Int | Ty::Num | Ty::Str => Operand::Imm(1),
            Ty::Value | Ty::Never => {
                if let Some(bits) = val.constant() {
                    return Operand::Imm((bits & !word::FALSE_BIT != word::NULL).into());
                }
                let bits = self.bits(val.op);
                let masked =
                    self.b
                        .binary(BinOp::And, Type::I64, bits, Operand::Imm(!word::FALSE_BIT));
                self.b
                    .cmp(CmpOp::Ne, Type::I64, masked, Operand::Imm(word::NULL))
                    .into()
            }
        }
    }
}
