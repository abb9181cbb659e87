//! The scanner: bytes in, one token at a time out.
//!
//! Strings hold raw bytes: a backslash protects the next byte from ending the string and nothing is
//! decoded. Everything outside strings and templates must be UTF-8; invalid bytes are an error with
//! their place, and the scanner goes on behind them.

use super::Span;
use super::feature;
use super::token::{Kind, Token};
use crate::diag::{Diagnostic, Diagnostics, code};

/// Reads tokens of one part of a file.
#[derive(Debug)]
pub struct Lexer<'s> {
    source: &'s [u8],
    at: usize,
    end: usize,
}

impl<'s> Lexer<'s> {
    /// A scanner of the whole of `source`.
    pub fn new(source: &'s [u8]) -> Self {
        Self::part(source, Span::new(0, source.len()))
    }

    /// A scanner of one part of `source`: the hole of a template.
    pub fn part(source: &'s [u8], span: Span) -> Self {
        Self {
            source,
            at: span.start as usize,
            end: span.end as usize,
        }
    }

    /// The next token. At the end, and once the errors are too many, it is [`Kind::Eof`] for ever.
    pub fn next_token(&mut self, diags: &mut Diagnostics) -> Token {
        loop {
            self.skip_blanks(diags);
            let start = self.at;
            if start >= self.end || diags.full() {
                return Token {
                    kind: Kind::Eof,
                    span: Span::new(self.end, self.end),
                };
            }
            if let Some(kind) = self.scan(diags) {
                return Token {
                    kind,
                    span: Span::new(start, self.at),
                };
            }
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        let at = self.at + ahead;
        if at < self.end { self.source[at] } else { 0 }
    }

    fn skip_blanks(&mut self, diags: &mut Diagnostics) {
        while self.at < self.end {
            match self.source[self.at] {
                b' ' | b'\t' | b'\r' | b'\n' => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    let start = self.at;
                    while self.at < self.end && self.source[self.at] != b'\n' {
                        self.at += 1;
                    }
                    self.check_utf8(start, diags);
                }
                b'/' if self.peek(1) == b'*' => self.block_comment(diags),
                _ => return,
            }
        }
    }

    fn block_comment(&mut self, diags: &mut Diagnostics) {
        let start = self.at;
        let body = &self.source[start + 2..self.end];
        match body.windows(2).position(|w| w == b"*/") {
            Some(found) => self.at = start + 2 + found + 2,
            None => {
                self.at = self.end;
                diags.push(Diagnostic::new(
                    code::UNTERMINATED,
                    Span::new(start, start + 2),
                    "this comment never ends; close it with '*/'",
                ));
            }
        }
        self.check_utf8(start, diags);
    }

    /// Report the first invalid byte between `start` and here.
    fn check_utf8(&self, start: usize, diags: &mut Diagnostics) {
        if let Err(error) = std::str::from_utf8(&self.source[start..self.at]) {
            let bad = start + error.valid_up_to();
            diags.push(invalid_utf8(bad, error.error_len().unwrap_or(1)));
        }
    }

    /// One token at `self.at`, which is no blank. `None`: an error was reported and skipped.
    fn scan(&mut self, diags: &mut Diagnostics) -> Option<Kind> {
        let first = self.source[self.at];
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Some(self.word()),
            b'0'..=b'9' => Some(self.number()),
            b'"' => self.quoted(Kind::Str, "string", diags),
            b'`' => self.quoted(Kind::Template, "template", diags),
            _ => self.punctuation().or_else(|| {
                self.unexpected(diags);
                None
            }),
        }
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        while matches!(self.peek(0), b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9') {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.source[start..self.at]).unwrap_or_default();
        match Kind::keyword(text) {
            Some(kind) => kind,
            None => feature::of_word(text).map_or(Kind::Ident, Kind::Reserved),
        }
    }

    fn number(&mut self) -> Kind {
        while self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            self.at += 1;
            while self.peek(0).is_ascii_digit() {
                self.at += 1;
            }
        }
        Kind::Number
    }

    fn quoted(&mut self, kind: Kind, what: &str, diags: &mut Diagnostics) -> Option<Kind> {
        let start = self.at;
        let quote = self.source[start];
        self.at += 1;
        while self.at < self.end {
            match self.source[self.at] {
                b'\\' => self.at += 2,
                byte => {
                    self.at += 1;
                    if byte == quote {
                        return Some(kind);
                    }
                }
            }
        }
        self.at = self.end;
        diags.push(Diagnostic::new(
            code::UNTERMINATED,
            Span::new(start, start + 1),
            format!("this {what} never ends; close it with {}", quote as char),
        ));
        None
    }

    fn punctuation(&mut self) -> Option<Kind> {
        use Kind::*;
        let (kind, len) = match [self.peek(0), self.peek(1), self.peek(2)] {
            [b'*', b'*', b'='] => (StarStarEq, 3),
            [b'<', b'<', b'='] => (ShlEq, 3),
            [b'>', b'>', b'='] => (ShrEq, 3),
            [b'.', b'.', _] => (DotDot, 2),
            [b'?', b'.', _] => (QuestionDot, 2),
            [b'?', b'?', _] => (QuestionQuestion, 2),
            [b'-', b'>', _] => (Arrow, 2),
            [b'=', b'>', _] => (FatArrow, 2),
            [b'+', b'+', _] => (PlusPlus, 2),
            [b'+', b'=', _] => (PlusEq, 2),
            [b'-', b'-', _] => (MinusMinus, 2),
            [b'-', b'=', _] => (MinusEq, 2),
            [b'*', b'*', _] => (StarStar, 2),
            [b'*', b'=', _] => (StarEq, 2),
            [b'/', b'=', _] => (SlashEq, 2),
            [b'%', b'=', _] => (PercentEq, 2),
            [b'!', b'=', _] => (BangEq, 2),
            [b'=', b'=', _] => (EqEq, 2),
            [b'<', b'=', _] => (LessEq, 2),
            [b'<', b'<', _] => (Shl, 2),
            [b'>', b'=', _] => (GreaterEq, 2),
            [b'>', b'>', _] => (Shr, 2),
            [b'&', b'&', _] => (AmpAmp, 2),
            [b'&', b'=', _] => (AmpEq, 2),
            [b'|', b'|', _] => (PipePipe, 2),
            [b'|', b'=', _] => (PipeEq, 2),
            [b'^', b'=', _] => (CaretEq, 2),
            [b'(', ..] => (LeftParen, 1),
            [b')', ..] => (RightParen, 1),
            [b'{', ..] => (LeftBrace, 1),
            [b'}', ..] => (RightBrace, 1),
            [b'[', ..] => (LeftBracket, 1),
            [b']', ..] => (RightBracket, 1),
            [b',', ..] => (Comma, 1),
            [b'.', ..] => (Dot, 1),
            [b';', ..] => (Semicolon, 1),
            [b':', ..] => (Colon, 1),
            [b'?', ..] => (Question, 1),
            [b'~', ..] => (Tilde, 1),
            [b'@', ..] => (At, 1),
            [b'+', ..] => (Plus, 1),
            [b'-', ..] => (Minus, 1),
            [b'*', ..] => (Star, 1),
            [b'/', ..] => (Slash, 1),
            [b'%', ..] => (Percent, 1),
            [b'!', ..] => (Bang, 1),
            [b'=', ..] => (Eq, 1),
            [b'<', ..] => (Less, 1),
            [b'>', ..] => (Greater, 1),
            [b'&', ..] => (Amp, 1),
            [b'|', ..] => (Pipe, 1),
            [b'^', ..] => (Caret, 1),
            _ => return None,
        };
        self.at += len;
        Some(kind)
    }

    /// Report what stands here and step over it: one character, or one invalid sequence.
    fn unexpected(&mut self, diags: &mut Diagnostics) {
        let here = &self.source[self.at..self.end.min(self.at + 4)];
        let valid = match std::str::from_utf8(here) {
            Ok(text) => text,
            Err(error) if error.valid_up_to() > 0 => {
                std::str::from_utf8(&here[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(error) => {
                let len = error.error_len().unwrap_or(here.len());
                diags.push(invalid_utf8(self.at, len));
                self.at += len;
                return;
            }
        };
        let first = valid.chars().next().unwrap_or('\0');
        let span = Span::new(self.at, self.at + first.len_utf8());
        self.at = span.end as usize;
        let mut diag = Diagnostic::new(
            code::UNEXPECTED_CHARACTER,
            span,
            format!("{first:?} means nothing here"),
        );
        if first == '\'' {
            diag = diag.help("strings stand between double quotes");
        }
        diags.push(diag);
    }
}

fn invalid_utf8(at: usize, len: usize) -> Diagnostic {
    Diagnostic::new(
        code::INVALID_UTF8,
        Span::new(at, at + len),
        "outside of strings a program must be UTF-8, and this byte is not",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(source: &[u8]) -> (Vec<Kind>, Vec<&'static str>) {
        let mut diags = Diagnostics::default();
        let mut lexer = Lexer::new(source);
        let mut found = Vec::new();
        loop {
            let token = lexer.next_token(&mut diags);
            if token.kind == Kind::Eof {
                return (found, diags.list().iter().map(|d| d.code).collect());
            }
            found.push(token.kind);
        }
    }

    #[test]
    fn numbers_have_no_exponent_and_no_leading_dot() {
        use Kind::*;
        assert_eq!(
            kinds(b"1e5 1.5 1..5").0,
            [Number, Ident, Number, Number, DotDot, Number]
        );
    }

    #[test]
    fn a_backslash_protects_the_closing_quote() {
        assert_eq!(kinds(br#""a\"b" x"#).0, [Kind::Str, Kind::Ident]);
    }

    #[test]
    fn invalid_bytes_are_located_outside_strings_and_allowed_inside() {
        assert_eq!(kinds(b"\"\xff\" x").1, Vec::<&str>::new());
        assert_eq!(kinds(b"x \xff y").1, [code::INVALID_UTF8]);
        assert_eq!(kinds(b"x // \xff\n y").1, [code::INVALID_UTF8]);
        assert_eq!(
            kinds("x § y".as_bytes()),
            (vec![Kind::Ident; 2], vec!["E0002"])
        );
    }

    #[test]
    fn what_never_ends_is_reported_where_it_begins() {
        for source in [&b"\"abc"[..], b"`abc", b"/* abc", b"\"abc\\"] {
            assert_eq!(kinds(source), (vec![], vec![code::UNTERMINATED]));
        }
    }
}
