//! Text to tokens. No allocation: a token borrows from the text.

use crate::air::span::Span;

/// One token.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Token<'t> {
    /// A symbol, label, keyword or operator name.
    Ident(&'t str),
    /// A number, unchecked, with its sign.
    Number(&'t str),
    /// What stands between quotes, escapes unchecked.
    Str(&'t str),
    /// `->`
    Arrow,
    /// One of `( ) { } [ ] , : = + - ! @ %`
    Punct(char),
    /// What no token begins with, or a string without end.
    Bad(&'static str),
    /// The end of the text.
    End,
}

/// A token and where it stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct At<'t> {
    pub(super) token: Token<'t>,
    pub(super) span: Span,
}

/// Where the next token is looked for. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    line_start: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Lexer {
            text,
            at: 0,
            line: 1,
            line_start: 0,
        }
    }

    pub(super) fn next(&mut self) -> At<'t> {
        self.skip_blank();
        let span = Span {
            line: self.line,
            col: (self.at - self.line_start + 1) as u32,
        };
        At {
            token: self.token(),
            span,
        }
    }

    fn token(&mut self) -> Token<'t> {
        let rest = &self.text.as_bytes()[self.at..];
        let Some(&first) = rest.first() else {
            return Token::End;
        };
        match first {
            c if is_symbol(c) => Token::Ident(self.take(|c| is_symbol(c) || c.is_ascii_digit())),
            b'0'..=b'9' => self.number(),
            b'-' if rest.get(1) == Some(&b'>') => {
                self.at += 2;
                Token::Arrow
            }
            b'-' if rest.get(1).is_some_and(u8::is_ascii_alphanumeric) => self.number(),
            b'"' => self.string(),
            c if b"(){}[],:=+-!@%".contains(&c) => {
                self.at += 1;
                Token::Punct(c as char)
            }
            _ => {
                let c = self.text[self.at..].chars().next();
                self.at += c.map_or(1, char::len_utf8);
                Token::Bad("this character begins nothing here")
            }
        }
    }

    /// A sign, then letters, digits and points; a sign also after the `e` of an exponent.
    fn number(&mut self) -> Token<'t> {
        let mut before = b'-';
        let hex = self.text[self.at..].starts_with("0x") || self.text[self.at..].starts_with("-0x");
        Token::Number(self.take(|c| {
            let exponent = matches!(before, b'e' | b'E') && !hex;
            let sign = matches!(c, b'+' | b'-') && exponent;
            let first = c == b'-' && before == b'-';
            before = if first { b'0' } else { c };
            c.is_ascii_alphanumeric() || c == b'.' || sign || first
        }))
    }

    fn string(&mut self) -> Token<'t> {
        self.at += 1;
        let mut escaped = false;
        let inner = self.take(|c| {
            let goes_on = c != b'\n' && (escaped || c != b'"');
            escaped = !escaped && c == b'\\';
            goes_on
        });
        match self.text.as_bytes().get(self.at) {
            Some(b'"') => {
                self.at += 1;
                Token::Str(inner)
            }
            _ => Token::Bad("this string does not end on its line"),
        }
    }

    /// The bytes from here on for which `more` holds; they end on a character boundary, because
    /// `more` only ever refuses ASCII or the first byte of a character.
    fn take(&mut self, mut more: impl FnMut(u8) -> bool) -> &'t str {
        let bytes = &self.text.as_bytes()[self.at..];
        let n = bytes.iter().position(|&c| !more(c)).unwrap_or(bytes.len());
        let taken = self.text.get(self.at..self.at + n).unwrap_or("");
        self.at += n;
        taken
    }

    fn skip_blank(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(&c) = bytes.get(self.at) {
            match c {
                b'\n' => {
                    self.line = self.line.saturating_add(1);
                    self.line_start = self.at + 1;
                }
                b' ' | b'\t' | b'\r' => {}
                b';' => {
                    self.take(|c| c != b'\n');
                    continue;
                }
                _ => return,
            }
            self.at += 1;
        }
    }
}

fn is_symbol(c: u8) -> bool {
    c.is_ascii_alphabetic() || matches!(c, b'_' | b'.' | b'$')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        let mut lexer = Lexer::new(text);
        let all = std::iter::from_fn(|| Some(lexer.next().token));
        all.take_while(|token| *token != Token::End).collect()
    }

    #[test]
    fn numbers_take_their_signs() {
        use Token::*;
        assert_eq!(tokens("-1.5e-7"), [Number("-1.5e-7")]);
        assert_eq!(tokens("-inf"), [Number("-inf")]);
        assert_eq!(tokens("0x1e-5"), [Number("0x1e"), Number("-5")]);
        assert_eq!(
            tokens("%p - 8"),
            [Punct('%'), Ident("p"), Punct('-'), Number("8")]
        );
        assert_eq!(tokens("->-"), [Arrow, Punct('-')]);
        assert_eq!(tokens("1:2"), [Number("1"), Punct(':'), Number("2")]);
    }

    #[test]
    fn strings_and_comments_end_where_they_should() {
        use Token::*;
        assert_eq!(tokens(r#""a\"b" ; "c"#), [Str(r#"a\"b"#)]);
        assert_eq!(tokens("\"\\\\\" x"), [Str("\\\\"), Ident("x")]);
        assert!(matches!(tokens("\"open\nx")[..], [Bad(_), Ident("x")]));
        assert!(matches!(tokens("é x")[..], [Bad(_), Ident("x")]));
    }

    #[test]
    fn lines_and_columns_count_from_one() {
        let mut lexer = Lexer::new("a\n  ; c\n  b");
        assert_eq!(lexer.next().span, Span { line: 1, col: 1 });
        assert_eq!(lexer.next().span, Span { line: 3, col: 3 });
    }
}
