//! Statements.

use super::{Parse, Parser};
use crate::diag::{Diagnostic, code};
use crate::syntax::ast::{Block, Expr, For, Resilient, Stmt, StmtKind, Switch, VarDecl};
use crate::syntax::feature;
use crate::syntax::token::Kind;
use crate::syntax::{Span, Symbol};

/// Modules of the library that `use` may name; everything in them is reached through `std`.
const KNOWN_MODULES: &[&str] = &[
    "buffer",
    "collections",
    "core",
    "db",
    "encoding",
    "fs",
    "gc",
    "hash",
    "io",
    "json",
    "math",
    "net",
    "os",
    "path",
    "process",
    "reflect",
    "str",
    "sys",
    "time",
];

impl Parser<'_, '_> {
    pub(super) fn stmt(&mut self) -> Parse<Stmt> {
        self.count_node()?;
        let start = self.token.span;
        let kind = self.nested(Self::stmt_kind)?;
        Ok(Stmt {
            kind,
            span: self.span_from(start),
        })
    }

    fn stmt_kind(&mut self) -> Parse<StmtKind> {
        let lambda = self.at(Kind::Func) && matches!(self.peek(), Kind::LeftParen | Kind::Less);
        let scope = self.is_scope();
        match self.token.kind {
            Kind::LeftBrace => Ok(StmtKind::Block(self.block("to begin the block")?)),
            Kind::Let | Kind::Var | Kind::Const => {
                let decl = self.var_decl()?;
                self.end_of_stmt("after the declaration")?;
                Ok(decl)
            }
            Kind::Ident if scope => {
                self.bump();
                Ok(StmtKind::Scope(self.block("to begin the scope")?))
            }
            Kind::Defer => self.defer_stmt(),
            Kind::Func | Kind::Async if !lambda => {
                Ok(StmtKind::Func(Box::new(self.function_decl()?)))
            }
            Kind::Print => {
                self.bump();
                let value = self.expr()?;
                self.end_of_stmt("after the value to print")?;
                Ok(StmtKind::Print(value))
            }
            Kind::If => self.if_stmt(),
            Kind::While => {
                self.bump();
                let cond = self.condition("while")?;
                Ok(StmtKind::While(cond, Box::new(self.stmt()?)))
            }
            Kind::For => self.for_stmt(),
            Kind::Switch => self.switch_stmt(),
            Kind::Break | Kind::Continue => {
                let kind = self.bump().kind;
                self.end_of_stmt(&format!("after {}", kind.describe()))?;
                Ok(if kind == Kind::Break {
                    StmtKind::Break
                } else {
                    StmtKind::Continue
                })
            }
            Kind::Return => {
                self.bump();
                let value = if self.at(Kind::Semicolon) {
                    None
                } else {
                    Some(self.expr()?)
                };
                self.end_of_stmt("after 'return'")?;
                Ok(StmtKind::Return(value))
            }
            Kind::Throw => {
                self.bump();
                let value = self.expr()?;
                self.end_of_stmt("after the value to throw")?;
                Ok(StmtKind::Throw(value))
            }
            Kind::Resilient => self.resilient_stmt(),
            Kind::Recovery => self.fail("'recovery' belongs behind a 'resilient' block"),
            Kind::Case | Kind::Default => self.fail("cases belong into a 'switch'"),
            Kind::Else => self.fail("this 'else' has no 'if'"),
            Kind::Use => self.use_stmt(),
            Kind::Semicolon => self.fail("an empty statement is not allowed; remove the ';'"),
            _ => {
                let value = self.expr()?;
                self.end_of_stmt("after the expression")?;
                Ok(StmtKind::Expr(value))
            }
        }
    }

    fn end_of_stmt(&mut self, purpose: &str) -> Parse<()> {
        self.expect(Kind::Semicolon, purpose).map(|_| ())
    }

    pub(super) fn name(&mut self, what: &str) -> Parse<(Symbol, Span)> {
        self.refuse_word_as_name(what)?;
        let token = self.expect(Kind::Ident, &format!("for {what}"))?;
        let text = self.text(token.span);
        Ok((self.names.intern(text), token.span))
    }

    pub(super) fn block(&mut self, purpose: &str) -> Parse<Block> {
        let open = self.expect(Kind::LeftBrace, purpose)?.span;
        let mut stmts = Vec::new();
        while !self.at(Kind::RightBrace) && !self.at(Kind::Eof) {
            stmts.push(self.stmt_or_recover());
        }
        if self.at(Kind::Eof) {
            let diag =
                Diagnostic::new(code::SYNTAX, self.token.span, "expected '}' before the end");
            return self.error(diag.related(open, "the block begins here"));
        }
        self.bump();
        Ok(Block {
            stmts,
            span: self.span_from(open),
        })
    }

    fn condition(&mut self, of: &str) -> Parse<Expr> {
        self.expect(Kind::LeftParen, &format!("after '{of}'"))?;
        let cond = self.expr()?;
        self.expect(Kind::RightParen, "after the condition")?;
        Ok(cond)
    }

    fn var_decl(&mut self) -> Parse<StmtKind> {
        let constant = self.bump().kind == Kind::Const;
        if let Kind::Reserved(feature::TEMPORAL) = self.token.kind {
            return self.not_yet(feature::TEMPORAL, self.token.span);
        }
        let (name, name_span) = self.name("the variable")?;
        self.type_annotation(Kind::Colon)?;
        let init = if self.eat(Kind::Eq) {
            Some(self.expr()?)
        } else {
            None
        };
        if constant && init.is_none() {
            let diag = Diagnostic::new(
                code::CONST_WITHOUT_VALUE,
                name_span,
                "a constant needs a value",
            );
            return self.error(diag.help("write 'const name = value;'"));
        }
        Ok(StmtKind::Var(Box::new(VarDecl {
            name,
            name_span,
            constant,
            init,
        })))
    }

    fn if_stmt(&mut self) -> Parse<StmtKind> {
        let mut arms = Vec::new();
        loop {
            self.bump();
            let cond = self.condition("if")?;
            arms.push((cond, self.stmt()?));
            if !self.eat(Kind::Else) {
                return Ok(StmtKind::If(arms, None));
            }
            if !self.at(Kind::If) {
                return Ok(StmtKind::If(arms, Some(Box::new(self.stmt()?))));
            }
            self.count_node()?;
        }
    }

    fn for_stmt(&mut self) -> Parse<StmtKind> {
        self.bump();
        self.expect(Kind::LeftParen, "after 'for'")?;
        let start = self.token.span;
        let init = match self.token.kind {
            Kind::Semicolon => None,
            Kind::Let | Kind::Var | Kind::Const => Some(self.var_decl()?),
            _ => Some(StmtKind::Expr(self.expr()?)),
        };
        let init = init.map(|kind| Stmt {
            kind,
            span: self.span_from(start),
        });
        self.expect(Kind::Semicolon, "after the beginning of the loop")?;
        let cond = if self.at(Kind::Semicolon) {
            None
        } else {
            Some(self.expr()?)
        };
        self.expect(Kind::Semicolon, "after the condition of the loop")?;
        let step = if self.at(Kind::RightParen) {
            None
        } else {
            Some(self.expr()?)
        };
        self.expect(Kind::RightParen, "after the step of the loop")?;
        let body = self.stmt()?;
        Ok(StmtKind::For(Box::new(For {
            init,
            cond,
            step,
            body,
        })))
    }

    fn switch_stmt(&mut self) -> Parse<StmtKind> {
        self.bump();
        let subject = self.condition("switch")?;
        self.expect(Kind::LeftBrace, "to begin the cases")?;
        let mut switch = Switch {
            subject,
            cases: Vec::new(),
            default: None,
        };
        loop {
            match self.token.kind {
                Kind::Case => {
                    self.bump();
                    let value = self.expr()?;
                    self.expect(Kind::Colon, "after the value of the case")?;
                    let body = self.case_body();
                    switch.cases.push((value, body));
                }
                Kind::Default if switch.default.is_some() => {
                    return self.fail("this switch has a default already");
                }
                Kind::Default => {
                    self.bump();
                    self.expect(Kind::Colon, "after 'default'")?;
                    switch.default = Some(self.case_body());
                }
                _ => break,
            }
        }
        self.expect(Kind::RightBrace, "after the cases")?;
        Ok(StmtKind::Switch(Box::new(switch)))
    }

    fn case_body(&mut self) -> Vec<Stmt> {
        let mut stmts = Vec::new();
        while !matches!(
            self.token.kind,
            Kind::Case | Kind::Default | Kind::RightBrace | Kind::Eof
        ) {
            stmts.push(self.stmt_or_recover());
        }
        stmts
    }

    fn resilient_stmt(&mut self) -> Parse<StmtKind> {
        self.bump();
        let retries = if self.at(Kind::LeftParen) {
            self.strategy()?
        } else {
            None
        };
        let body = self.block("to begin the protected block")?;
        let recovery = if self.eat(Kind::Recovery) {
            let mut bound = None;
            if self.eat(Kind::LeftParen) {
                bound = Some(self.name("the exception")?);
                self.expect(Kind::RightParen, "after the name of the exception")?;
            }
            Some((bound, self.block("to begin the recovery")?))
        } else {
            None
        };
        Ok(StmtKind::Resilient(Box::new(Resilient {
            retries,
            body,
            recovery,
        })))
    }

    /// `(strategy=restart, retries=n)`: the retries, `None` for strategy recover.
    fn strategy(&mut self) -> Parse<Option<Expr>> {
        let open = self.bump().span;
        let (mut retries, mut strategy) = (None, None);
        while !self.at(Kind::RightParen) {
            let (option, at) = self.name("an option of 'resilient'")?;
            self.expect(Kind::Eq, "after the name of the option")?;
            match self.names.text(option) {
                "strategy" => strategy = Some(self.strategy_name()?),
                "retries" => retries = Some(self.expr()?),
                other => {
                    let message = format!("'resilient' has no option '{other}'");
                    let diag = Diagnostic::new(code::SYNTAX, at, message);
                    return self.error(diag.help("the options are 'strategy' and 'retries'"));
                }
            }
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.expect(Kind::RightParen, "after the options")?;
        match (strategy.as_deref(), retries) {
            (Some("recover"), Some(retries)) => {
                let diag = Diagnostic::new(
                    code::SYNTAX,
                    retries.span,
                    "recover never runs the body again",
                );
                self.error(diag.help("use 'strategy=restart', or leave 'retries' out"))
            }
            (Some("restart"), None) => {
                let diag = Diagnostic::new(code::SYNTAX, open, "restart needs 'retries'");
                self.error(diag.help("write 'resilient(strategy=restart, retries=3)'"))
            }
            (_, retries) => Ok(retries),
        }
    }

    fn strategy_name(&mut self) -> Parse<String> {
        let token = self.bump();
        let name = self.text(token.span).trim_matches('"').to_owned();
        match (token.kind, name.as_str()) {
            (Kind::Ident | Kind::Str | Kind::Reserved(_), "recover" | "restart") => Ok(name),
            (_, "rollback" | "escalate") => self.not_yet(feature::STRATEGIES, token.span),
            _ => {
                let diag = Diagnostic::new(code::SYNTAX, token.span, "this is no strategy");
                self.error(diag.help("the strategies are recover and restart"))
            }
        }
    }

    fn use_stmt(&mut self) -> Parse<StmtKind> {
        self.bump();
        loop {
            let start = self.token.span;
            let mut parts = Vec::new();
            loop {
                if !self.token.kind.is_word() {
                    return self.fail("expected the name of a module");
                }
                parts.push(self.bump().span);
                if !(self.eat(Kind::Dot) || self.eat(Kind::Slash)) {
                    break;
                }
            }
            let span = self.span_from(start);
            let words: Vec<&str> = parts.iter().map(|p| self.text(*p)).collect();
            match words[..] {
                ["std", "ui" | "UI"] | ["UI"] => return self.not_yet(feature::UI, span),
                ["std", module] if KNOWN_MODULES.contains(&module) => {}
                ["std", "native", module]
                    if module != "core" && KNOWN_MODULES.contains(&module) => {}
                _ => return self.not_yet(feature::MODULES, span),
            }
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.end_of_stmt("after the module")?;
        Ok(StmtKind::Use)
    }
}
