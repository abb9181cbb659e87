//! `await`, calls that start tasks, `spawn`, `scope` and `defer`.

use super::super::hir::{ExprKind, MAIN, NativeId, Stmt, StmtKind};
use super::super::natives;
use super::{Meaning, Resolver};
use crate::diag::{Diagnostic, code};
use crate::syntax::Span;
use crate::syntax::ast::{self, ExprKind as Tree};

impl Resolver<'_> {
    /// The program uses concurrency, if `yes`: its main function is async then.
    pub(super) fn concurrent(&mut self, yes: bool) {
        self.program.funcs[MAIN.0 as usize].is_async |= yes;
    }

    /// Whether what waits may stand here; an error is reported if not.
    fn may_wait(&mut self, what: &str, span: Span) -> bool {
        self.concurrent(true);
        let func = self.program.func(self.scopes.function());
        if func.is_async {
            return true;
        }
        let message = format!("'{what}' is in a function that is not async");
        let declared = func.span;
        let diag = Diagnostic::new(code::NOT_ASYNC, span, message)
            .related(declared, "this function")
            .help("declare it with 'async func', and await its calls");
        self.diags.push(diag);
        false
    }

    /// `await operand`
    pub(super) fn await_expr(&mut self, operand: &ast::Expr, span: Span) -> (ExprKind, bool) {
        let word = Span {
            start: span.start,
            end: span.start + "await".len() as u32,
        };
        if !self.may_wait("await", word) {
            return (ExprKind::Null, false);
        }
        if let Tree::Call(callee, args) = &operand.kind
            && let Tree::Name(name) = callee.kind
            && let Meaning::Native(native) = self.meaning(name)
            && natives::get(native).waits()
        {
            let (args, assigns) = self.exprs(args);
            self.called = true;
            return (ExprKind::AwaitNative(native, args), assigns);
        }
        let operand = self.expr(operand);
        self.called = true;
        let assigns = operand.assigns;
        let kind = match operand.kind {
            ExprKind::Start(func, args) => ExprKind::AwaitCall(func, args),
            _ => ExprKind::Await(Box::new(operand)),
        };
        (kind, assigns)
    }

    /// An operation that waits stands without `await`.
    pub(super) fn not_awaited(&mut self, native: NativeId, span: Span) -> ExprKind {
        let name = natives::get(native).name;
        let message = format!("'{name}' waits, and nothing awaits it");
        let help = format!("write 'await {name}(...)'");
        self.diags
            .push(Diagnostic::new(code::NOT_AWAITED, span, message).help(help));
        ExprKind::Null
    }

    /// An operation of concurrency is used as a value.
    pub(super) fn not_a_value(&mut self, native: NativeId, span: Span) -> ExprKind {
        let name = natives::get(native).name;
        let message = format!("'{name}' is called; it is no value");
        let help = format!("write a function that calls '{name}'");
        self.diags
            .push(Diagnostic::new(code::NOT_AWAITED, span, message).help(help));
        ExprKind::Null
    }

    /// `spawn f(a)`
    pub(super) fn spawn(&mut self, call: &ast::Expr) -> (ExprKind, bool) {
        self.concurrent(true);
        let Tree::Call(callee, args) = &call.kind else {
            return (ExprKind::Null, false);
        };
        let callee = self.expr(callee);
        let (args, assigns) = self.exprs(args);
        self.called = true;
        self.program.isolates.insert(args.len() as u32);
        let assigns = assigns || callee.assigns;
        (ExprKind::Spawn(Box::new(callee), args), assigns)
    }

    /// `scope { }`
    pub(super) fn scope(&mut self, block: &ast::Block, span: Span) -> StmtKind {
        let word = Span {
            start: span.start,
            end: span.start + "scope".len() as u32,
        };
        self.may_wait("scope", word);
        StmtKind::Scope(self.block(&block.stmts))
    }

    /// `defer stmt`
    pub(super) fn defer(&mut self, stmt: &ast::Stmt) -> StmtKind {
        let loops = std::mem::take(&mut self.loops);
        let in_defer = std::mem::replace(&mut self.in_defer, true);
        let body: Vec<Stmt> = self.body(stmt);
        self.loops = loops;
        self.in_defer = in_defer;
        StmtKind::Defer(body)
    }

    /// A deferred statement goes where it may not.
    pub(super) fn leaves_defer(&mut self, span: Span) -> Option<StmtKind> {
        let message = "a deferred statement cannot leave its block";
        let diag = Diagnostic::new(code::LEAVES_DEFER, span, message);
        self.diags
            .push(diag.help("it runs while the block is being left"));
        None
    }
}
