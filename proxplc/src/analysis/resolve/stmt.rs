//! Statements.

use super::super::globals::Global;
use super::super::hir::{Resilient, Stmt, StmtKind, VarId};
use super::super::scope::Binding;
use super::Resolver;
use crate::diag::{Diagnostic, code};
use crate::syntax::ast::{self, ExprKind as Tree, Function, VarDecl};

impl Resolver<'_> {
    pub(super) fn stmts(&mut self, trees: &[ast::Stmt]) -> Vec<Stmt> {
        let mut list = Vec::with_capacity(trees.len());
        for tree in trees {
            if let Some(kind) = self.stmt(tree) {
                list.push(Stmt {
                    kind,
                    span: tree.span,
                });
            }
        }
        list
    }

    /// Statements in a block of their own.
    pub(super) fn block(&mut self, trees: &[ast::Stmt]) -> Vec<Stmt> {
        self.scopes.enter_block();
        let list = self.stmts(trees);
        self.scopes.leave_block();
        list
    }

    /// One statement as the body of something: a block of its own.
    pub(super) fn body(&mut self, tree: &ast::Stmt) -> Vec<Stmt> {
        match &tree.kind {
            ast::StmtKind::Block(block) => self.block(&block.stmts),
            _ => self.block(std::slice::from_ref(tree)),
        }
    }

    fn loop_body(&mut self, tree: &ast::Stmt) -> Vec<Stmt> {
        self.loops += 1;
        let body = self.body(tree);
        self.loops -= 1;
        body
    }

    fn stmt(&mut self, tree: &ast::Stmt) -> Option<StmtKind> {
        Some(match &tree.kind {
            ast::StmtKind::Expr(e) => StmtKind::Expr(self.expr(e)),
            ast::StmtKind::Print(e) => StmtKind::Print(self.expr(e)),
            ast::StmtKind::Throw(e) => StmtKind::Throw(self.expr(e)),
            ast::StmtKind::Return(_) if self.in_defer => return self.leaves_defer(tree.span),
            ast::StmtKind::Break | ast::StmtKind::Continue if self.loops == 0 && self.in_defer => {
                return self.leaves_defer(tree.span);
            }
            ast::StmtKind::Return(e) => StmtKind::Return(e.as_ref().map(|e| self.expr(e))),
            ast::StmtKind::Var(decl) => self.var_decl(decl),
            ast::StmtKind::Func(function) => return self.func_decl(function),
            ast::StmtKind::Block(block) => StmtKind::Block(self.block(&block.stmts)),
            ast::StmtKind::If(arms, other) => {
                let arms = arms
                    .iter()
                    .map(|(c, s)| (self.expr(c), self.body(s)))
                    .collect();
                StmtKind::If(arms, other.as_ref().map(|s| self.body(s)))
            }
            ast::StmtKind::While(cond, body) => {
                let cond = self.expr(cond);
                StmtKind::Loop(Some(cond), self.loop_body(body), None)
            }
            ast::StmtKind::For(parts) => self.for_loop(parts, tree),
            ast::StmtKind::Switch(switch) => {
                let subject = self.expr(&switch.subject);
                let cases = switch
                    .cases
                    .iter()
                    .map(|(v, b)| (self.expr(v), self.block(b)))
                    .collect();
                let default = switch.default.as_ref().map(|b| self.block(b));
                StmtKind::Switch(subject, cases, default)
            }
            ast::StmtKind::Break | ast::StmtKind::Continue if self.loops == 0 => {
                let word = if tree.kind == ast::StmtKind::Break {
                    "break"
                } else {
                    "continue"
                };
                let message = format!("'{word}' is not in a loop");
                self.diags
                    .push(Diagnostic::new(code::OUTSIDE_LOOP, tree.span, message));
                return None;
            }
            ast::StmtKind::Break => StmtKind::Break,
            ast::StmtKind::Continue => StmtKind::Continue,
            ast::StmtKind::Resilient(parts) => self.resilient(parts),
            ast::StmtKind::Scope(block) => self.scope(block, tree.span),
            ast::StmtKind::Defer(stmt) => self.defer(stmt),
            ast::StmtKind::Use | ast::StmtKind::Error => return None,
        })
    }

    fn var_decl(&mut self, decl: &VarDecl) -> StmtKind {
        // The value is resolved first: in `let x = x;` the right side means an outer variable.
        let init = decl.init.as_ref().map(|e| self.expr(e));
        let literal = match decl.init.as_ref().map(|e| &e.kind) {
            Some(Tree::Number(number)) => Some(*number),
            _ => None,
        };
        let top_level = self
            .scopes
            .at_top_level()
            .then(|| self.globals.get(decl.name))
            .flatten();
        let var = match top_level {
            Some(Global::Var(var)) => {
                let first = self.declared.insert(var);
                let ready = !self.called;
                let var_data = &mut self.program.vars[var.0 as usize];
                var_data.ready |= ready;
                var_data.literal = literal.filter(|_| first);
                var
            }
            _ => {
                let var = self.new_var(decl.name, decl.name_span);
                self.program.vars[var.0 as usize].literal = literal;
                self.scopes.bind(decl.name, Binding::Var(var));
                var
            }
        };
        if decl.constant {
            self.constants.insert(var);
        }
        StmtKind::Let(var, init)
    }

    fn func_decl(&mut self, function: &Function) -> Option<StmtKind> {
        let name = function.name?;
        self.concurrent(function.is_async);
        if self.scopes.at_top_level() {
            match self.globals.get(name) {
                Some(Global::Func(func)) => self.function(func, function),
                Some(Global::Var(var)) => return Some(self.func_variable(var, function)),
                None => {}
            }
            return None;
        }
        let assigned = self.assigned.contains(&name);
        if assigned {
            let var = self.new_var(name, function.name_span);
            self.scopes.bind(name, Binding::Var(var));
            // Its body may use it before it has its value: it is not captured by value.
            self.program.vars[var.0 as usize].assigned = true;
            return Some(self.func_variable(var, function));
        }
        let func = self.new_func(function);
        self.scopes.bind(name, Binding::Func(func));
        self.function(func, function);
        None
    }

    /// A function whose name is a variable: the declaration assigns it.
    fn func_variable(&mut self, var: VarId, function: &Function) -> StmtKind {
        let func = self.new_func(function);
        let first = self.declared.insert(var);
        self.program.vars[var.0 as usize].assigned |= !first;
        self.program.vars[var.0 as usize].ready |= !self.called && first;
        self.function(func, function);
        let kind = self.func_value(func);
        StmtKind::Let(var, Some(super::expr(kind, function.name_span, false)))
    }

    fn for_loop(&mut self, parts: &ast::For, tree: &ast::Stmt) -> StmtKind {
        self.scopes.enter_block();
        let mut list = match &parts.init {
            Some(init) => self.stmts(std::slice::from_ref(init)),
            None => Vec::new(),
        };
        let cond = parts.cond.as_ref().map(|e| self.expr(e));
        let body = self.loop_body(&parts.body);
        let step = parts.step.as_ref().map(|e| self.expr(e));
        self.scopes.leave_block();
        list.push(Stmt {
            kind: StmtKind::Loop(cond, body, step),
            span: tree.span,
        });
        StmtKind::Block(list)
    }

    fn resilient(&mut self, parts: &ast::Resilient) -> StmtKind {
        let retries = parts.retries.as_ref().map(|e| self.expr(e));
        let body = self.block(&parts.body.stmts);
        let recovery = parts.recovery.as_ref().map(|(bound, block)| {
            self.scopes.enter_block();
            let var = bound.map(|(name, span)| {
                let var = self.new_var(name, span);
                self.scopes.bind(name, Binding::Var(var));
                var
            });
            let body = self.block(&block.stmts);
            self.scopes.leave_block();
            (var, body)
        });
        StmtKind::Resilient(Box::new(Resilient {
            retries,
            body,
            recovery,
        }))
    }
}
