//! Which names are assigned anywhere. A function whose name is not among them, and that is declared
//! once in its scope, can be called directly.
//!
//! By name, not by variable: an unrelated variable of the same name costs a direct call, which is
//! rare and never wrong.

use std::collections::HashSet;

use crate::syntax::Symbol;
use crate::syntax::ast::{Expr, ExprKind, Program, Stmt, StmtKind};

/// The names that some assignment in `program` has as its target.
pub(super) fn assigned_names(program: &Program) -> HashSet<Symbol> {
    let mut walk = Walk {
        found: HashSet::new(),
    };
    walk.stmts(&program.stmts);
    walk.found
}

struct Walk {
    found: HashSet<Symbol>,
}

impl Walk {
    fn stmts(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Expr(e) | StmtKind::Print(e) | StmtKind::Throw(e) => self.expr(e),
            StmtKind::Return(e) => self.exprs(e),
            StmtKind::Var(decl) => self.exprs(&decl.init),
            StmtKind::Func(function) => self.stmts(&function.body.stmts),
            StmtKind::Block(block) | StmtKind::Scope(block) => self.stmts(&block.stmts),
            StmtKind::Defer(stmt) => self.stmt(stmt),
            StmtKind::If(arms, other) => {
                for (cond, body) in arms {
                    self.expr(cond);
                    self.stmt(body);
                }
                if let Some(other) = other {
                    self.stmt(other);
                }
            }
            StmtKind::While(cond, body) => {
                self.expr(cond);
                self.stmt(body);
            }
            StmtKind::For(parts) => {
                if let Some(init) = &parts.init {
                    self.stmt(init);
                }
                self.exprs(parts.cond.iter().chain(&parts.step));
                self.stmt(&parts.body);
            }
            StmtKind::Switch(switch) => {
                self.expr(&switch.subject);
                for (value, body) in &switch.cases {
                    self.expr(value);
                    self.stmts(body);
                }
                self.stmts(switch.default.as_deref().unwrap_or_default());
            }
            StmtKind::Resilient(parts) => {
                self.exprs(&parts.retries);
                self.stmts(&parts.body.stmts);
                if let Some((_, recovery)) = &parts.recovery {
                    self.stmts(&recovery.stmts);
                }
            }
            StmtKind::Break | StmtKind::Continue | StmtKind::Use | StmtKind::Error => {}
        }
    }

    fn exprs<'a>(&mut self, exprs: impl IntoIterator<Item = &'a Expr>) {
        for expr in exprs {
            self.expr(expr);
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Null
            | ExprKind::Name(_) => {}
            ExprKind::Template(parts) | ExprKind::List(parts) | ExprKind::Logic(_, parts) => {
                self.exprs(parts);
            }
            ExprKind::Dict(entries) => {
                self.exprs(entries.iter().flat_map(|(k, v)| [k, v]));
            }
            ExprKind::Chain(first, links) => {
                self.expr(first);
                self.exprs(links.iter().map(|l| &l.right));
            }
            ExprKind::Unary(_, operand)
            | ExprKind::Member(operand, _)
            | ExprKind::Await(operand)
            | ExprKind::Spawn(operand) => self.expr(operand),
            ExprKind::Ternary(parts) => self.exprs(parts.iter()),
            ExprKind::Call(callee, args) => {
                self.expr(callee);
                self.exprs(args);
            }
            ExprKind::Index(parts) => self.exprs(parts.iter()),
            ExprKind::Assign(assign) => {
                match assign.target.kind {
                    ExprKind::Name(name) => {
                        self.found.insert(name);
                    }
                    _ => self.expr(&assign.target),
                }
                self.expr(&assign.value);
            }
            ExprKind::Lambda(function) => self.stmts(&function.body.stmts),
        }
    }
}
