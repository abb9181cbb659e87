//! The walk of type inference over one function ([`super::infer`]).

use super::hir::*;
use super::infer::{Ty, Types};
use super::proven::{Proven, proves};

/// One function: raises types along its assignments, calls and returns.
pub(super) struct Walk<'a> {
    pub(super) types: &'a mut Types,
    pub(super) program: &'a Program,
    pub(super) func: FuncId,
    pub(super) proven: Proven,
}

impl Walk<'_> {
    pub(super) fn result(&mut self, ty: Ty) {
        let old = &mut self.types.results[self.func.0 as usize];
        let new = old.join(ty);
        self.types.changed |= new != std::mem::replace(old, new);
    }

    /// The type of what a function returns.
    fn returned(&self, value: &Expr) -> Ty {
        match (&value.kind, self.types.expr(value)) {
            (ExprKind::Var(var), Ty::Value) if self.proven.contains(*var) => Ty::Num,
            (_, ty) => ty,
        }
    }

    /// An operator that throws unless its operands are numbers has had this operand.
    fn prove(&mut self, operand: &Expr) {
        if let ExprKind::Var(var) = operand.kind {
            self.proven.add(self.program, var);
        }
    }

    /// Walk what may be skipped.
    fn maybe(&mut self, walk: impl FnOnce(&mut Self)) {
        let before = self.proven.len();
        walk(self);
        self.proven.forget(before);
    }

    pub(super) fn stmts(&mut self, stmts: &[Stmt]) {
        for stmt in stmts {
            self.stmt(stmt);
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Expr(e) | StmtKind::Print(e) | StmtKind::Throw(e) => self.expr(e),
            StmtKind::Let(var, init) => {
                let ty = match init {
                    Some(init) => {
                        self.expr(init);
                        self.types.expr(init)
                    }
                    None => Ty::Value,
                };
                self.types.raise(*var, ty);
            }
            StmtKind::Block(body) | StmtKind::Scope(body) => self.stmts(body),
            StmtKind::Defer(body) => self.maybe(|this| this.stmts(body)),
            StmtKind::If(arms, other) => {
                // The first condition is always evaluated, all else may be skipped.
                self.exprs(arms.first().map(|(cond, _)| cond));
                self.maybe(|this| {
                    for (at, (cond, body)) in arms.iter().enumerate() {
                        this.exprs((at > 0).then_some(cond));
                        this.maybe(|this| this.stmts(body));
                    }
                    this.stmts(other.as_deref().unwrap_or_default());
                });
            }
            StmtKind::Loop(cond, body, step) => {
                cond.iter().for_each(|e| self.expr(e));
                self.maybe(|this| this.stmts(body));
                self.maybe(|this| step.iter().for_each(|e| this.expr(e)));
            }
            StmtKind::Switch(subject, cases, default) => {
                self.expr(subject);
                self.maybe(|this| {
                    for (value, body) in cases {
                        this.expr(value);
                        this.maybe(|this| this.stmts(body));
                    }
                    this.stmts(default.as_deref().unwrap_or_default());
                });
            }
            StmtKind::Return(value) => {
                value.iter().for_each(|e| self.expr(e));
                let ty = value.as_ref().map_or(Ty::Value, |e| self.returned(e));
                self.result(ty);
            }
            StmtKind::Resilient(parts) => {
                parts.retries.iter().for_each(|e| self.expr(e));
                self.maybe(|this| this.stmts(&parts.body));
                if let Some((bound, body)) = &parts.recovery {
                    bound
                        .iter()
                        .for_each(|var| self.types.raise(*var, Ty::Value));
                    self.maybe(|this| this.stmts(body));
                }
            }
            StmtKind::Break | StmtKind::Continue => {}
        }
    }

    /// A direct call: the parameters get what the call hands over.
    fn call(&mut self, func: FuncId, args: &[Expr]) {
        self.exprs(args);
        let program = self.program;
        let callee = program.func(func);
        for (param, arg) in callee.params.iter().zip(args) {
            let ty = self.types.expr(arg);
            self.types.raise(*param, ty);
        }
        for capture in &callee.captures {
            let ty = self.types.var(program.view(self.func, capture.root));
            self.types.raise(capture.alias, ty);
        }
    }

    fn exprs<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) {
        exprs.into_iter().for_each(|e| self.expr(e));
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Number(_)
            | ExprKind::Str(_)
            | ExprKind::Bool(_)
            | ExprKind::Null
            | ExprKind::Var(_)
            | ExprKind::Func(_)
            | ExprKind::Native(_) => {}
            ExprKind::Undefined(_, value) => value.iter().for_each(|e| self.expr(e)),
            ExprKind::List(items) => self.exprs(items),
            ExprKind::Logic(_, terms) => self.maybe(|this| this.exprs(terms)),
            ExprKind::Dict(entries) => self.exprs(entries.iter().flat_map(|(k, v)| [k, v])),
            ExprKind::Chain(first, links) => {
                self.expr(first);
                let mut left = Some(&**first);
                for link in links {
                    self.expr(&link.right);
                    if proves(link.op) {
                        let operands = left.into_iter().chain([&link.right]);
                        operands.for_each(|operand| self.prove(operand));
                    }
                    left = None;
                }
            }
            ExprKind::Unary(_, operand)
            | ExprKind::Member(operand, _)
            | ExprKind::Await(operand) => self.expr(operand),
            ExprKind::Ternary(parts) => {
                self.expr(&parts[0]);
                parts[1..]
                    .iter()
                    .for_each(|e| self.maybe(|this| this.expr(e)));
            }
            ExprKind::Call(func, args)
            | ExprKind::Start(func, args)
            | ExprKind::AwaitCall(func, args) => self.call(*func, args),
            ExprKind::CallNative(_, args)
            | ExprKind::AwaitNative(_, args)
            | ExprKind::WrongArity(_, args) => self.exprs(args),
            ExprKind::CallValue(callee, args) | ExprKind::Spawn(callee, args) => {
                self.expr(callee);
                self.exprs(args);
            }
            ExprKind::Index(parts) => self.exprs(parts.iter()),
            ExprKind::SetVar(var, value) => {
                self.expr(value);
                let ty = self.types.expr(value);
                self.types.raise(*var, ty);
            }
            ExprKind::SetIndex(parts, _) => self.exprs(parts.iter()),
            ExprKind::SetMember(parts, ..) => self.exprs(parts.iter()),
        }
    }
}

/// Whether the end of the statements can be reached, so that the function returns null there.
pub(super) fn falls_through(stmts: &[Stmt]) -> bool {
    stmts.iter().all(|stmt| match &stmt.kind {
        StmtKind::Return(_) | StmtKind::Throw(_) => false,
        StmtKind::Block(body) => falls_through(body),
        StmtKind::If(arms, Some(other)) => {
            arms.iter().any(|(_, body)| falls_through(body)) || falls_through(other)
        }
        StmtKind::Switch(_, cases, Some(default)) => {
            cases.iter().any(|(_, body)| falls_through(body)) || falls_through(default)
        }
        // A body that fails goes on in the recovery, or behind the block.
        StmtKind::Resilient(parts) => {
            falls_through(&parts.body)
                || parts
                    .recovery
                    .as_ref()
                    .is_none_or(|(_, body)| falls_through(body))
        }
        StmtKind::Break | StmtKind::Continue => true,
        _ => true,
    })
}
