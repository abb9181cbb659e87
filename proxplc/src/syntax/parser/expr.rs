//! Expressions.
//!
//! Precedence from loose to tight: assignment, `?:`, `||`, `&&`, `|`, `^`, `&`, `== !=`,
//! `< <= > >=`, `<< >>`, `+ -`, `* / %`, unary, `**`, postfix. All group to the left but
//! assignment, `?:` and `**`, which has its mathematical place: `-2 ** 2` is -4, `2 ** 3 ** 2` is
//! 512.

use super::operators::{compound, operator};
use super::{Parse, Parser};
use crate::diag::{Diagnostic, code};
use crate::syntax::Span;
use crate::syntax::ast::{Assign, BinaryOp, Expr, ExprKind, Link, Logic, UnaryOp};
use crate::syntax::feature;
use crate::syntax::token::Kind;

impl Parser<'_, '_> {
    pub(super) fn expr(&mut self) -> Parse<Expr> {
        self.nested(Self::assignment)
    }

    pub(super) fn make(&mut self, kind: ExprKind, start: Span) -> Parse<Expr> {
        self.count_node()?;
        Ok(Expr {
            kind,
            span: self.span_from(start),
        })
    }

    fn assignment(&mut self) -> Parse<Expr> {
        let start = self.token.span;
        let target = self.ternary()?;
        let op = match self.token.kind {
            Kind::Eq => None,
            kind => match compound(kind) {
                Some(op) => Some(op),
                None => return Ok(target),
            },
        };
        if !matches!(
            target.kind,
            ExprKind::Name(_) | ExprKind::Index(_) | ExprKind::Member(..)
        ) {
            let diag = Diagnostic::new(code::ASSIGN_TARGET, target.span, "this cannot be assigned");
            return self.error(diag.help("a variable, an element or a member can; '==' compares"));
        }
        self.bump();
        let value = self.expr()?;
        self.make(
            ExprKind::Assign(Box::new(Assign { target, op, value })),
            start,
        )
    }

    fn ternary(&mut self) -> Parse<Expr> {
        let start = self.token.span;
        let cond = self.logic(Logic::Or)?;
        match self.token.kind {
            Kind::Bang => return self.not_yet(feature::ACTORS, self.token.span),
            Kind::Question => {}
            _ => return Ok(cond),
        }
        let question = self.bump().span;
        let then = self.expr()?;
        if !self.at(Kind::Colon) {
            // `actor ? message` asks an actor; it has no ':'.
            return self.not_yet(feature::ACTORS, question);
        }
        self.bump();
        let other = self.nested(Self::ternary)?;
        self.make(ExprKind::Ternary(Box::new([cond, then, other])), start)
    }

    fn logic(&mut self, op: Logic) -> Parse<Expr> {
        let start = self.token.span;
        let first = self.logic_operand(op)?;
        let mut terms = vec![first];
        loop {
            let found = match op {
                Logic::Or => self.eat(Kind::PipePipe) || self.eat(Kind::Or),
                Logic::And => self.eat(Kind::AmpAmp) || self.eat(Kind::And),
            };
            if !found {
                break;
            }
            terms.push(self.logic_operand(op)?);
        }
        match terms.len() {
            1 => terms
                .pop()
                .map_or_else(|| self.fail("expected an expression"), Ok),
            _ => self.make(ExprKind::Logic(op, terms), start),
        }
    }

    fn logic_operand(&mut self, op: Logic) -> Parse<Expr> {
        match op {
            Logic::Or => self.logic(Logic::And),
            Logic::And => self.binary(),
        }
    }

    /// Binary operators, by precedence and without recursion over their levels: `open` holds the
    /// chains that wait for the operand that is being read, loosest first.
    fn binary(&mut self) -> Parse<Expr> {
        let mut open: Vec<Open> = Vec::new();
        let mut operand = self.unary()?;
        loop {
            let next = operator(self.token.kind);
            // Close the chains that bind tighter than what comes next.
            while let Some(chain) = open.pop_if(|c| next.is_none_or(|(level, _)| level < c.level)) {
                let start = chain.first.span;
                let links = chain.close(operand);
                operand = self.make(links, start)?;
            }
            if self.at(Kind::At) {
                return self.not_yet(feature::TENSORS, self.token.span);
            }
            let Some((level, op)) = next else {
                return Ok(operand);
            };
            let span = self.bump().span;
            self.count_node()?;
            match open.last_mut() {
                Some(chain) if chain.level == level => {
                    let right = std::mem::replace(&mut operand, self.unary()?);
                    chain.links.push(Link {
                        op: chain.op,
                        span: chain.span,
                        right,
                    });
                    (chain.op, chain.span) = (op, span);
                }
                _ => {
                    let first = std::mem::replace(&mut operand, self.unary()?);
                    open.push(Open {
                        level,
                        first,
                        links: Vec::new(),
                        op,
                        span,
                    });
                }
            }
        }
    }

    pub(super) fn unary(&mut self) -> Parse<Expr> {
        let start = self.token.span;
        if self.is_spawn() {
            return self.spawn_expr();
        }
        let op = match self.token.kind {
            Kind::Bang => UnaryOp::Not,
            Kind::Minus => UnaryOp::Neg,
            Kind::Tilde => UnaryOp::BitNot,
            Kind::Await => return self.await_expr(),
            _ => return self.power(),
        };
        self.bump();
        let operand = self.nested(Self::unary)?;
        self.make(ExprKind::Unary(op, Box::new(operand)), start)
    }

    fn power(&mut self) -> Parse<Expr> {
        let start = self.token.span;
        let base = self.postfix()?;
        if !self.at(Kind::StarStar) {
            return Ok(base);
        }
        let span = self.bump().span;
        let right = self.nested(Self::unary)?;
        let link = Link {
            op: BinaryOp::Pow,
            span,
            right,
        };
        self.make(ExprKind::Chain(Box::new(base), vec![link]), start)
    }

    pub(super) fn postfix(&mut self) -> Parse<Expr> {
        let start = self.token.span;
        let depth = self.depth;
        let mut base = self.primary()?;
        // Each suffix makes the tree one deeper, so it counts as nesting.
        let result = loop {
            let unwraps = self.at(Kind::Question) && self.question_is_postfix();
            let next = match self.token.kind {
                Kind::LeftParen => self.call(base, start),
                Kind::LeftBracket => self.index(base, start),
                Kind::Dot => self.member(base, start),
                Kind::Question if unwraps => self.not_yet(feature::UNWRAP, self.token.span),
                _ => break Ok(base),
            };
            self.depth += 1;
            match next {
                Ok(expr) if self.depth <= super::NESTING_MAX => base = expr,
                Ok(_) => break self.nested(|_| Err(super::Abandoned)),
                Err(error) => break Err(error),
            }
        };
        self.depth = depth;
        result
    }

    fn call(&mut self, callee: Expr, start: Span) -> Parse<Expr> {
        self.bump();
        let args = self.list(Kind::RightParen, "after the arguments", Self::expr)?;
        if args.len() > super::ARGUMENTS_MAX {
            let message = format!("a call has at most {} arguments", super::ARGUMENTS_MAX);
            let diag = Diagnostic::new(code::TOO_LARGE, callee.span, message);
            return self.error(diag.help("pass a list"));
        }
        self.make(ExprKind::Call(Box::new(callee), args), start)
    }

    fn index(&mut self, base: Expr, start: Span) -> Parse<Expr> {
        self.bump();
        let index = self.expr()?;
        self.expect(Kind::RightBracket, "after the index")?;
        self.make(ExprKind::Index(Box::new([base, index])), start)
    }

    fn member(&mut self, base: Expr, start: Span) -> Parse<Expr> {
        self.bump();
        if !self.token.kind.is_word() {
            return self.fail("expected the name of a member after '.'");
        }
        let span = self.bump().span;
        let text = self.text(span);
        let name = self.names.intern(text);
        self.make(ExprKind::Member(Box::new(base), name), start)
    }

    /// `?` unwraps when no operand can follow it.
    fn question_is_postfix(&mut self) -> bool {
        use Kind::*;
        matches!(
            self.peek(),
            Semicolon
                | RightParen
                | RightBrace
                | RightBracket
                | Comma
                | Dot
                | Plus
                | Minus
                | Star
                | Slash
                | Percent
                | EqEq
                | BangEq
                | Greater
                | GreaterEq
                | Less
                | LessEq
                | Pipe
                | PipePipe
                | Amp
                | AmpAmp
                | Caret
                | QuestionDot
                | QuestionQuestion
                | Eof
        )
    }

    /// Items between commas up to `close`, which is consumed.
    fn list<T>(
        &mut self,
        close: Kind,
        purpose: &str,
        item: impl Fn(&mut Self) -> Parse<T>,
    ) -> Parse<Vec<T>> {
        let mut items = Vec::new();
        while !self.at(close) {
            items.push(item(self)?);
            if !self.eat(Kind::Comma) {
                break;
            }
        }
        self.expect(close, purpose)?;
        Ok(items)
    }

    fn primary(&mut self) -> Parse<Expr> {
        let start = self.token.span;
        let channel = self.is_channel();
        let kind = match self.token.kind {
            Kind::Number => {
                let span = self.bump().span;
                let text = self.text(span);
                ExprKind::Number(text.parse().unwrap_or(f64::INFINITY))
            }
            Kind::Str => {
                let span = self.bump().span;
                ExprKind::Str(self.source[span.start as usize + 1..span.end as usize - 1].to_vec())
            }
            Kind::Template => {
                let span = self.bump().span;
                ExprKind::Template(self.template(span)?)
            }
            Kind::True | Kind::False => ExprKind::Bool(self.bump().kind == Kind::True),
            Kind::Null => {
                self.bump();
                ExprKind::Null
            }
            Kind::Ident => {
                let span = self.bump().span;
                let text = self.text(span);
                ExprKind::Name(self.names.intern(text))
            }
            Kind::LeftParen => {
                self.bump();
                let inner = self.expr()?;
                if self.at(Kind::Comma) {
                    return self.fail("expected ')'; parentheses hold one expression here");
                }
                self.expect(Kind::RightParen, "to close the parenthesis")?;
                return Ok(Expr {
                    kind: inner.kind,
                    span: self.span_from(start),
                });
            }
            Kind::LeftBracket => {
                self.bump();
                ExprKind::List(self.list(Kind::RightBracket, "after the elements", Self::expr)?)
            }
            Kind::LeftBrace => {
                self.bump();
                ExprKind::Dict(self.list(Kind::RightBrace, "after the entries", Self::entry)?)
            }
            Kind::Func | Kind::Async => {
                let is_async = self.func_word()?;
                let mut function = self.function_rest()?;
                function.is_async = is_async;
                ExprKind::Lambda(Box::new(function))
            }
            Kind::Reserved(feature::CHANNELS) if channel => {
                let span = self.bump().span;
                let text = self.text(span);
                ExprKind::Name(self.names.intern(text))
            }
            kind => {
                self.refuse_if_reserved()?;
                return self.fail(format!("expected an expression, found {}", kind.describe()));
            }
        };
        self.make(kind, start)
    }

    fn entry(&mut self) -> Parse<(Expr, Expr)> {
        let key = self.expr()?;
        self.expect(Kind::Colon, "after the key")?;
        Ok((key, self.expr()?))
    }
}

/// A chain that waits for its next operand.
struct Open {
    level: u8,
    first: Expr,
    links: Vec<Link>,
    op: BinaryOp,
    span: Span,
}

impl Open {
    fn close(mut self, right: Expr) -> ExprKind {
        self.links.push(Link {
            op: self.op,
            span: self.span,
            right,
        });
        ExprKind::Chain(Box::new(self.first), self.links)
    }
}
