//! Two tokens of lookahead, expectations, errors.

use super::lex::{At, Lexer, Token};
use super::{ERRORS_MAX, TextError};
use crate::air::code;
use crate::air::span::Span;

/// An error was noted; the caller goes on at the next line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failed;

/// What a step of the parser gives.
pub(super) type Step<T> = Result<T, Failed>;

/// The reader of the tokens.
#[derive(Debug)]
pub(super) struct Cursor<'t> {
    lexer: Lexer<'t>,
    now: At<'t>,
    then: At<'t>,
    /// Where the token before this one stood.
    last: Span,
    pub(super) errors: Vec<TextError>,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(mut lexer: Lexer<'t>) -> Self {
        let (now, then) = (lexer.next(), lexer.next());
        Cursor {
            lexer,
            now,
            then,
            last: Span::default(),
            errors: Vec::new(),
        }
    }

    /// Another reader at the same place, without the errors.
    pub(super) fn fork(&self) -> Self {
        Cursor {
            lexer: self.lexer.clone(),
            errors: Vec::new(),
            ..*self
        }
    }

    /// The current token.
    pub(super) fn peek(&self) -> Token<'t> {
        self.now.token
    }

    /// The token after it.
    pub(super) fn peek_second(&self) -> Token<'t> {
        self.then.token
    }

    /// Where the current token stands.
    pub(super) fn span(&self) -> Span {
        self.now.span
    }

    /// Takes the current token.
    pub(super) fn bump(&mut self) -> Token<'t> {
        self.last = self.now.span;
        let token = self.now.token;
        self.now = std::mem::replace(&mut self.then, self.lexer.next());
        token
    }

    /// Whether enough errors were noted.
    pub(super) fn is_full(&self) -> bool {
        self.errors.len() >= ERRORS_MAX
    }

    /// Notes an error at the current token.
    pub(super) fn fail<T>(&mut self, code: &'static str, message: impl Into<String>) -> Step<T> {
        self.fail_at(self.now.span, code, message)
    }

    /// Notes an error somewhere.
    pub(super) fn fail_at<T>(
        &mut self,
        span: Span,
        code: &'static str,
        message: impl Into<String>,
    ) -> Step<T> {
        if !self.is_full() {
            self.errors.push(TextError {
                code,
                span,
                message: message.into(),
            });
        }
        Err(Failed)
    }

    /// Notes that something else was expected here.
    pub(super) fn expected<T>(&mut self, what: &str) -> Step<T> {
        let found = describe(self.now.token);
        self.fail(code::AIR_SYNTAX, format!("expected {what}, found {found}"))
    }

    /// Whether the current token is this mark.
    pub(super) fn at(&self, mark: char) -> bool {
        self.now.token == Token::Punct(mark)
    }

    /// Takes this mark if it is next.
    pub(super) fn eat(&mut self, mark: char) -> bool {
        let found = self.at(mark);
        if found {
            self.bump();
        }
        found
    }

    /// Takes this mark.
    pub(super) fn expect(&mut self, mark: char) -> Step<()> {
        match self.eat(mark) {
            true => Ok(()),
            false => self.expected(&format!("`{mark}`")),
        }
    }

    /// Whether this keyword is next, and not the label of a block.
    pub(super) fn at_word(&self, word: &str) -> bool {
        self.now.token == Token::Ident(word) && self.then.token != Token::Punct(':')
    }

    /// Takes this keyword if it is next.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        if found {
            self.bump();
        }
        found
    }

    /// Skips what is left of the line on which the last taken token stands.
    pub(super) fn skip_line(&mut self) {
        while self.now.span.line == self.last.line && self.now.token != Token::End {
            self.bump();
        }
    }
}

/// A token as it is called in an error.
fn describe(token: Token<'_>) -> String {
    /// Longer ones are cut: the error shows the place anyway.
    const SHOWN: usize = 40;
    let cut = |text: &str| match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}...`", &text[..end]),
        None => format!("`{text}`"),
    };
    match token {
        Token::Ident(text) | Token::Number(text) => cut(text),
        Token::Str(text) => format!("the string {}", cut(text)),
        Token::Arrow => "`->`".into(),
        Token::Punct(mark) => format!("`{mark}`"),
        Token::Bad(why) => format!("something else: {why}"),
        Token::End => "the end of the text".into(),
    }
}
