//! Whether code waits: whether an `await` or a scope is in it, but not in a function in it.

use crate::analysis::hir::{Expr, ExprKind, Stmt, StmtKind};

/// Whether statements wait.
pub(super) fn stmts(list: &[Stmt]) -> bool {
    Look::Waits.stmts(list)
}

/// Whether statements start tasks outside of scopes, by a call or perhaps by one of a value.
pub(super) fn starts(list: &[Stmt]) -> bool {
    Look::Starts.stmts(list)
}

/// What is looked for.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    Waits,
    Starts,
}

impl Look {
    fn stmts(self, list: &[Stmt]) -> bool {
        list.iter().any(|s| self.stmt(s))
    }

    fn exprs<'e>(self, list: impl IntoIterator<Item = &'e Expr>) -> bool {
        list.into_iter().any(|e| self.expr(e))
    }

    fn stmt(self, stmt: &Stmt) -> bool {
        match &stmt.kind {
            StmtKind::Expr(e) | StmtKind::Print(e) | StmtKind::Throw(e) => self.expr(e),
            StmtKind::Let(_, e) | StmtKind::Return(e) => self.exprs(e),
            StmtKind::Block(body) | StmtKind::Defer(body) => self.stmts(body),
            StmtKind::If(arms, other) => {
                arms.iter()
                    .any(|(cond, body)| self.expr(cond) || self.stmts(body))
                    || other.as_ref().is_some_and(|body| self.stmts(body))
            }
            StmtKind::Loop(cond, body, step) => {
                self.exprs(cond.iter().chain(step)) || self.stmts(body)
            }
            StmtKind::Switch(subject, cases, default) => {
                self.expr(subject)
                    || cases
                        .iter()
                        .any(|(value, body)| self.expr(value) || self.stmts(body))
                    || default.as_ref().is_some_and(|body| self.stmts(body))
            }
            StmtKind::Resilient(parts) => {
                self.exprs(&parts.retries)
                    || self.stmts(&parts.body)
                    || parts
                        .recovery
                        .as_ref()
                        .is_some_and(|(_, body)| self.stmts(body))
            }
            StmtKind::Scope(_) => self == Look::Waits,
            StmtKind::Break | StmtKind::Continue => false,
        }
    }

    fn expr(self, e: &Expr) -> bool {
        match &e.kind {
            ExprKind::AwaitCall(_, args) | ExprKind::AwaitNative(_, args) => {
                self == Look::Waits || self.exprs(args)
            }
            ExprKind::Await(operand) => self == Look::Waits || self.expr(operand),
            ExprKind::Start(_, args) => self == Look::Starts || self.exprs(args),
            ExprKind::Spawn(callee, args) => {
                self == Look::Starts || self.expr(callee) || self.exprs(args)
            }
            ExprKind::Number(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Null
            | ExprKind::Var(_)
            | ExprKind::Func(_)
            | ExprKind::Native(_) => false,
            ExprKind::Undefined(_, value) => value.iter().any(|e| self.expr(e)),
            ExprKind::List(items) | ExprKind::Logic(_, items) => self.exprs(items),
            ExprKind::Dict(entries) => entries.iter().any(|(k, v)| self.expr(k) || self.expr(v)),
            ExprKind::Chain(first, links) => {
                self.expr(first) || links.iter().any(|l| self.expr(&l.right))
            }
            ExprKind::Unary(_, operand) | ExprKind::Member(operand, _) => self.expr(operand),
            ExprKind::Ternary(parts) => self.exprs(parts.iter()),
            ExprKind::Call(_, args)
            | ExprKind::CallNative(_, args)
            | ExprKind::WrongArity(_, args) => self.exprs(args),
            ExprKind::CallValue(callee, args) => self.expr(callee) || self.exprs(args),
            ExprKind::Index(parts) => self.exprs(parts.iter()),
            ExprKind::SetVar(_, value) => self.expr(value),
            ExprKind::SetIndex(parts, _) => self.exprs(parts.iter()),
            ExprKind::SetMember(parts, ..) => self.exprs(parts.iter()),
        }
    }
}
