//! Templates: text with holes. Escapes are decoded here, as nowhere else.

use super::{Parse, Parser};
use crate::diag::{Diagnostic, code};
use crate::syntax::Span;
use crate::syntax::ast::{Expr, ExprKind};
use crate::syntax::lexer::Lexer;
use crate::syntax::token::Kind;

impl Parser<'_, '_> {
    /// The parts of the template at `span`, backticks included.
    pub(super) fn template(&mut self, span: Span) -> Parse<Vec<Expr>> {
        let (mut at, end) = (span.start as usize + 1, span.end as usize - 1);
        let mut parts = Vec::new();
        let mut text = Vec::new();
        let mut text_start = at;
        while at < end {
            let next = self.source.get(at + 1).copied();
            match (self.source[at], next) {
                (b'\\', Some(escaped)) if at + 1 < end => {
                    match escaped {
                        b'n' => text.push(b'\n'),
                        b't' => text.push(b'\t'),
                        b'r' => text.push(b'\r'),
                        b'\\' | b'`' | b'$' => text.push(escaped),
                        other => text.extend([b'\\', other]),
                    }
                    at += 2;
                }
                (b'$', Some(b'{')) => {
                    if !text.is_empty() {
                        let span = Span::new(text_start, at);
                        parts.push(Expr {
                            kind: ExprKind::Str(std::mem::take(&mut text)),
                            span,
                        });
                    }
                    let close = self.hole_end(at + 2, end)?;
                    parts.push(self.hole(Span::new(at + 2, close))?);
                    at = close + 1;
                    text_start = at;
                }
                (byte, _) => {
                    text.push(byte);
                    at += 1;
                }
            }
        }
        if !text.is_empty() || parts.is_empty() {
            parts.push(Expr {
                kind: ExprKind::Str(text),
                span: Span::new(text_start, end),
            });
        }
        Ok(parts)
    }

    /// Where the brace is that closes the hole: braces are counted, quoted strings skipped.
    fn hole_end(&mut self, start: usize, end: usize) -> Parse<usize> {
        let (mut at, mut open, mut quoted) = (start, 0_u32, false);
        while at < end {
            match self.source[at] {
                b'\\' if quoted => at += 1,
                b'"' => quoted = !quoted,
                b'{' if !quoted => open += 1,
                b'}' if !quoted && open == 0 => return Ok(at),
                b'}' if !quoted => open -= 1,
                _ => {}
            }
            at += 1;
        }
        let span = Span::new(start - 2, start);
        self.error(Diagnostic::new(
            code::UNTERMINATED,
            span,
            "this hole never ends; close it with '}'",
        ))
    }

    fn hole(&mut self, span: Span) -> Parse<Expr> {
        let lexer = Lexer::part(self.source, span);
        let mut inner = Parser::new(self.source, lexer, self.names, self.diags);
        inner.depth = self.depth;
        inner.nodes = self.nodes;
        let value = inner.expr();
        let rest = inner.token;
        let (nodes, stopped) = (inner.nodes, inner.stopped);
        self.nodes = nodes;
        if stopped {
            self.stopped = true;
            self.token.kind = Kind::Eof;
            self.ahead = None;
        }
        let value = value?;
        if rest.kind != Kind::Eof {
            let message = format!(
                "expected '}}' after the expression, found {}",
                rest.kind.describe()
            );
            return self.error(Diagnostic::new(code::SYNTAX, rest.span, message));
        }
        Ok(value)
    }
}
