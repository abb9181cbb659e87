//! The words of concurrency: `await`, `spawn`, `scope`, `defer`, `channel`.
//!
//! `spawn` and `scope` are words only where a name cannot stand: `spawn` before another name,
//! `scope` before a brace. Everywhere else they are names, as they always were.

use super::{Parse, Parser};
use crate::diag::{Diagnostic, code};
use crate::syntax::ast::{Expr, ExprKind, StmtKind};
use crate::syntax::token::Kind;

impl Parser<'_, '_> {
    /// `scope {`
    pub(super) fn is_scope(&mut self) -> bool {
        self.text(self.token.span) == "scope" && self.peek() == Kind::LeftBrace
    }

    /// `spawn name`, `spawn func`
    pub(super) fn is_spawn(&mut self) -> bool {
        self.text(self.token.span) == "spawn"
            && matches!(self.peek(), Kind::Ident | Kind::Func | Kind::Async)
    }

    /// `channel(`
    pub(super) fn is_channel(&mut self) -> bool {
        self.text(self.token.span) == "channel" && self.peek() == Kind::LeftParen
    }

    /// `await e`, which binds as the other unary operators do.
    pub(super) fn await_expr(&mut self) -> Parse<Expr> {
        let start = self.bump().span;
        let operand = self.nested(Self::unary)?;
        self.make(ExprKind::Await(Box::new(operand)), start)
    }

    /// `spawn f(a)`
    pub(super) fn spawn_expr(&mut self) -> Parse<Expr> {
        let start = self.bump().span;
        let call = self.nested(Self::postfix)?;
        if !matches!(call.kind, ExprKind::Call(..)) {
            let message = "'spawn' starts a call in an isolate of its own, and this is no call";
            let diag = Diagnostic::new(code::SPAWN_CALL, call.span, message);
            return self.error(diag.help("write 'spawn f(a)'"));
        }
        self.make(ExprKind::Spawn(Box::new(call)), start)
    }

    /// `defer s`: an expression, a `print` or a block.
    pub(super) fn defer_stmt(&mut self) -> Parse<StmtKind> {
        self.bump();
        let stmt = self.nested(Self::stmt)?;
        match stmt.kind {
            StmtKind::Expr(_) | StmtKind::Print(_) | StmtKind::Block(_) => {
                Ok(StmtKind::Defer(Box::new(stmt)))
            }
            _ => {
                let message = "'defer' takes an expression, a 'print' or a block";
                let diag = Diagnostic::new(code::SYNTAX, stmt.span, message);
                self.error(diag.help("write 'defer { ... }'"))
            }
        }
    }
}
