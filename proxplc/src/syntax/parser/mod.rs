//! Recursive descent, one function per construct.
//!
//! Recovery: an error abandons its statement and goes on behind the next `;`, or before the next
//! statement keyword or brace, whichever comes first; at least one token is consumed on each round.
//! Limits: [`NESTING_MAX`] and [`NODES_MAX`] end the parse with one error each.

mod concurrency;
mod expr;
mod function;
mod operators;
mod refuse;
mod stmt;
mod template;
#[cfg(test)]
mod tests;

pub(crate) use refuse::not_yet;

use super::ast::{Program, Stmt};
use super::feature::{Feature, TRY};
use super::lexer::Lexer;
use super::token::{Kind, Token};
use super::{Interner, Span};
use crate::diag::{Diagnostic, Diagnostics, code};

/// Nesting of expressions and statements. Hand-written programs stay below 20 and generated ones
/// below 100. A level takes up to 16 KiB of stack in a build without optimization, in this pass and
/// in those behind it; [`crate::deep_stack`] has room for that.
pub const NESTING_MAX: u32 = 200;
/// Nodes of the tree. A megabyte of source has about 150 000; at this limit the tree takes about
/// half a gigabyte.
pub const NODES_MAX: u32 = 3_000_000;

/// Arguments of a call, and parameters of a function.
pub const ARGUMENTS_MAX: usize = 255;

/// An error was reported; the construct is abandoned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Abandoned;

pub(crate) type Parse<T> = Result<T, Abandoned>;

/// The state of one parse.
pub(crate) struct Parser<'s, 'd> {
    source: &'s [u8],
    lexer: Lexer<'s>,
    token: Token,
    /// A token that was looked at behind `token`.
    ahead: Option<Token>,
    previous_end: u32,
    pub(crate) diags: &'d mut Diagnostics,
    pub(crate) names: &'d mut Interner,
    depth: u32,
    nodes: u32,
    /// A limit was reached: everything unwinds.
    stopped: bool,
}

/// Parse a file. The tree is of use only if `diags` stays empty. Needs [`crate::deep_stack`].
pub fn parse(source: &[u8], names: &mut Interner, diags: &mut Diagnostics) -> Program {
    let mut parser = Parser::new(source, Lexer::new(source), names, diags);
    let mut stmts = Vec::new();
    while !parser.at(Kind::Eof) {
        if parser.at(Kind::RightBrace) {
            let _: Parse<()> = parser.fail("this brace closes nothing");
            parser.bump();
            continue;
        }
        stmts.push(parser.stmt_or_recover());
    }
    Program { stmts }
}

impl<'s, 'd> Parser<'s, 'd> {
    fn new(
        source: &'s [u8],
        mut lexer: Lexer<'s>,
        names: &'d mut Interner,
        diags: &'d mut Diagnostics,
    ) -> Self {
        let token = lexer.next_token(diags);
        Self {
            source,
            lexer,
            token,
            ahead: None,
            previous_end: token.span.start,
            diags,
            names,
            depth: 0,
            nodes: 0,
            stopped: false,
        }
    }

    fn at(&self, kind: Kind) -> bool {
        self.token.kind == kind
    }

    fn bump(&mut self) -> Token {
        let token = self.token;
        self.previous_end = token.span.end;
        self.token = match self.ahead.take() {
            Some(ahead) if !self.stopped => ahead,
            _ if self.stopped => Token {
                kind: Kind::Eof,
                span: token.span,
            },
            _ => self.lexer.next_token(self.diags),
        };
        token
    }

    fn peek(&mut self) -> Kind {
        if self.ahead.is_none() {
            self.ahead = Some(self.lexer.next_token(self.diags));
        }
        self.ahead.map_or(Kind::Eof, |t| t.kind)
    }

    fn eat(&mut self, kind: Kind) -> bool {
        let found = self.at(kind);
        if found {
            self.bump();
        }
        found
    }

    /// Consume `kind`, or say what it was for.
    fn expect(&mut self, kind: Kind, purpose: &str) -> Parse<Token> {
        if self.at(kind) {
            return Ok(self.bump());
        }
        self.refuse_if_reserved()?;
        let found = self.token.kind.describe();
        let message = format!("expected {} {purpose}, found {found}", kind.describe());
        // A missing semicolon belongs behind what came before it, not to what comes next.
        let span = if kind == Kind::Semicolon {
            Span {
                start: self.previous_end,
                end: self.previous_end,
            }
        } else {
            self.token.span
        };
        self.error(Diagnostic::new(code::SYNTAX, span, message))
    }

    fn fail<T>(&mut self, message: impl Into<String>) -> Parse<T> {
        self.error(Diagnostic::new(code::SYNTAX, self.token.span, message))
    }

    fn error<T>(&mut self, diag: Diagnostic) -> Parse<T> {
        if !self.stopped {
            self.diags.push(diag);
        }
        Err(Abandoned)
    }

    /// Report a limit and unwind the whole parse.
    fn stop<T>(&mut self, code: &'static str, message: String, help: &str) -> Parse<T> {
        if !self.stopped {
            self.diags
                .push(Diagnostic::new(code, self.token.span, message).help(help));
            self.stopped = true;
            self.token.kind = Kind::Eof;
            self.ahead = None;
        }
        Err(Abandoned)
    }

    fn not_yet<T>(&mut self, feature: Feature, span: Span) -> Parse<T> {
        self.error(refuse::not_yet(feature, span))
    }

    /// Run `inside` one level deeper.
    fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.depth += 1;
        let result = if self.depth > NESTING_MAX {
            let message = format!("more than {NESTING_MAX} levels of nesting");
            self.stop(
                code::TOO_DEEP,
                message,
                "give the inner part a name of its own",
            )
        } else {
            inside(self)
        };
        self.depth -= 1;
        result
    }

    /// Count a node of the tree.
    fn count_node(&mut self) -> Parse<()> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            let message = format!("the program has more than {NODES_MAX} parts");
            return self.stop(
                code::TOO_LARGE,
                message,
                "read large data from a file at run time",
            );
        }
        Ok(())
    }

    fn text(&self, span: Span) -> &'s str {
        let bytes = &self.source[span.start as usize..span.end as usize];
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn span_from(&self, start: Span) -> Span {
        Span {
            start: start.start,
            end: self.previous_end.max(start.end),
        }
    }

    /// A statement; after an error the rest of it is skipped.
    fn stmt_or_recover(&mut self) -> Stmt {
        let start = self.token.span;
        match self.stmt() {
            Ok(stmt) => stmt,
            Err(Abandoned) => {
                self.synchronize(start);
                let span = self.span_from(start);
                Stmt {
                    kind: super::ast::StmtKind::Error,
                    span,
                }
            }
        }
    }

    /// Skip to the next place where a statement can begin; the error's statement began at `start`.
    fn synchronize(&mut self, start: Span) {
        let mut braces = 0_u32;
        loop {
            match self.token.kind {
                Kind::Eof => return,
                Kind::Semicolon if braces == 0 => {
                    self.bump();
                    return;
                }
                Kind::LeftBrace => braces += 1,
                Kind::RightBrace if braces == 0 => return,
                Kind::RightBrace => {
                    braces -= 1;
                    self.bump();
                    if braces == 0 && self.token.kind != Kind::Reserved(TRY) {
                        return;
                    }
                    continue;
                }
                kind if braces == 0
                    && operators::begins_with_keyword(kind)
                    && self.token.span.start > start.start =>
                {
                    return;
                }
                _ => {}
            }
            self.bump();
        }
    }
}
