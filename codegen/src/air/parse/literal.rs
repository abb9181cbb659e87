//! Names, strings, numbers, types, signatures and locations.

use std::borrow::Cow;

use super::cursor::{Cursor, Step};
use super::lex::Token;
use crate::air::code;
use crate::air::loc::Loc;
use crate::air::types::{Signature, Type};

impl<'t> Cursor<'t> {
    /// A name behind its sigil: `what` says of what.
    pub(super) fn symbol(&mut self, sigil: char, what: &str) -> Step<Cow<'t, str>> {
        if !self.eat(sigil) {
            return self.expected(&format!("{what} with `{sigil}`"));
        }
        self.name(what)
    }

    /// A name: plain or in quotes.
    pub(super) fn name(&mut self, what: &str) -> Step<Cow<'t, str>> {
        match self.peek() {
            Token::Ident(name) => {
                self.bump();
                Ok(Cow::Borrowed(name))
            }
            Token::Str(_) => self.text(what),
            _ => self.expected(what),
        }
    }

    /// The name of a stack slot with its `$`.
    pub(super) fn slot_name(&mut self) -> Step<Cow<'t, str>> {
        match self.peek() {
            Token::Ident("$") => {
                self.bump();
                self.text("a name in quotes")
            }
            Token::Ident(name) if name.starts_with('$') => {
                self.bump();
                Ok(Cow::Borrowed(&name[1..]))
            }
            _ => self.expected("a stack slot with `$`"),
        }
    }

    /// Text in quotes.
    pub(super) fn text(&mut self, what: &str) -> Step<Cow<'t, str>> {
        let span = self.span();
        if let Token::Str(raw) = self.peek()
            && !raw.contains('\\')
        {
            self.bump();
            return Ok(Cow::Borrowed(raw));
        }
        match String::from_utf8(self.bytes(what)?) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(_) => self.fail_at(
                span,
                code::AIR_UTF8,
                "the escapes make bytes that are no text",
            ),
        }
    }

    /// Bytes in quotes.
    pub(super) fn bytes(&mut self, what: &str) -> Step<Vec<u8>> {
        let Token::Str(raw) = self.peek() else {
            return self.expected(what);
        };
        let mut out = Vec::with_capacity(raw.len());
        let mut rest = raw.bytes();
        while let Some(byte) = rest.next() {
            let decoded = match byte {
                b'\\' => unescape(&mut rest),
                byte => Some(byte),
            };
            match decoded {
                Some(byte) => out.push(byte),
                None => {
                    let help = "an escape is \\n, \\t, \\\", \\\\ or \\ with two hex digits";
                    return self.fail(code::AIR_SYNTAX, help);
                }
            }
        }
        self.bump();
        Ok(out)
    }

    /// A number of at most `max`.
    pub(super) fn unsigned(&mut self, what: &str, max: u64) -> Step<u64> {
        let Token::Number(text) = self.peek() else {
            return self.expected(what);
        };
        match unsigned(text) {
            Some(n) if n <= max => {
                self.bump();
                Ok(n)
            }
            _ => self.fail(
                code::AIR_NUMBER,
                format!("{what} is a whole number from 0 to {max}"),
            ),
        }
    }

    /// A signed 64-bit number.
    pub(super) fn signed(&mut self, what: &str) -> Step<i64> {
        let Token::Number(text) = self.peek() else {
            return self.expected(what);
        };
        match signed(text) {
            Some(n) => {
                self.bump();
                Ok(n)
            }
            None => self.fail(
                code::AIR_NUMBER,
                format!("{what} is a whole number of 64 bits"),
            ),
        }
    }

    /// A type.
    pub(super) fn ty(&mut self) -> Step<Type> {
        let found = match self.peek() {
            Token::Ident(name) => Type::from_name(name),
            _ => None,
        };
        match found {
            Some(ty) => {
                self.bump();
                Ok(ty)
            }
            None => self.expected("a type (i8 i16 i32 i64 f32 f64 bool ptr value)"),
        }
    }

    /// `(types) -> type throws`
    pub(super) fn signature(&mut self) -> Step<Signature> {
        let mut params = Vec::new();
        self.expect('(')?;
        while !self.eat(')') {
            if !params.is_empty() {
                self.expect(',')?;
            }
            params.push(self.ty()?);
        }
        let ret = match self.peek() {
            Token::Arrow => {
                self.bump();
                Some(self.ty()?)
            }
            _ => None,
        };
        let throws = self.eat_word("throws");
        Ok(Signature {
            params,
            ret,
            throws,
        })
    }

    /// `!line:column`, `!file:line:column`, or nothing.
    pub(super) fn loc(&mut self) -> Step<Loc> {
        if !self.eat('!') {
            return Ok(Loc::NONE);
        }
        let span = self.span();
        let max = u64::from(u32::MAX);
        let first = self.unsigned("a line", max)? as u32;
        self.expect(':')?;
        let second = self.unsigned("a column", max)? as u32;
        let loc = match self.eat(':') {
            false => Loc {
                file: 0,
                line: first,
                col: second,
            },
            true => {
                let col = self.unsigned("a column", max)? as u32;
                let Ok(file) = u16::try_from(first) else {
                    let message = "a file is a number below 65536";
                    return self.fail_at(span, code::AIR_NUMBER, message);
                };
                Loc {
                    file,
                    line: second,
                    col,
                }
            }
        };
        match loc.is_some() {
            true => Ok(loc),
            false => self.fail_at(span, code::AIR_NUMBER, "lines count from 1"),
        }
    }

    /// Whether an immediate is next.
    pub(super) fn at_immediate(&self) -> bool {
        let word = ["true", "false", "inf", "nan"]
            .iter()
            .any(|word| self.at_word(word));
        word || matches!(self.peek(), Token::Number(_))
    }

    /// An immediate of a type, or of one that only an intrinsic table knows.
    pub(super) fn immediate(&mut self, ty: Option<Type>) -> Step<u64> {
        let text = match self.peek() {
            Token::Number(text) => text,
            Token::Ident(text) if self.at_immediate() => text,
            _ => return self.expected("a local with `%` or a number"),
        };
        match immediate(ty, text) {
            Some(bits) => {
                self.bump();
                Ok(bits)
            }
            None => {
                let shown: String = text.chars().take(40).collect();
                let of = ty.map_or("immediate", Type::name);
                self.fail(code::AIR_NUMBER, format!("`{shown}` is no {of}"))
            }
        }
    }
}

fn unescape(rest: &mut std::str::Bytes<'_>) -> Option<u8> {
    let digit = |c: u8| (c as char).to_digit(16).map(|n| n as u8);
    match rest.next()? {
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'"' => Some(b'"'),
        b'\\' => Some(b'\\'),
        high => Some(digit(high)? << 4 | digit(rest.next()?)?),
    }
}

fn unsigned(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(hex) => digits(hex, 16),
        None => digits(text, 10),
    }
}

/// Like `from_str_radix`, but without a sign.
fn digits(text: &str, radix: u32) -> Option<u64> {
    let clean = text.bytes().all(|c| c.is_ascii_hexdigit());
    clean.then(|| u64::from_str_radix(text, radix).ok())?
}

fn signed(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) => 0i64.checked_sub_unsigned(unsigned(digits)?),
        None => i64::try_from(unsigned(text)?).ok(),
    }
}

fn immediate(ty: Option<Type>, text: &str) -> Option<u64> {
    match (ty, text) {
        (Some(Type::Bool) | None, "true") => Some(1),
        (Some(Type::Bool) | None, "false") => Some(0),
        (Some(Type::Bool), _) => unsigned(text).filter(|&n| n <= 1),
        (Some(Type::F64), _) => float64(text),
        (Some(Type::F32), _) => float32(text),
        (Some(ty @ (Type::I8 | Type::I16 | Type::I32)), _) => {
            let n = signed(text)?;
            let bits = 8 * ty.size();
            (-(1 << (bits - 1))..1 << bits)
                .contains(&n)
                .then(|| ty.immediate(n as u64))
        }
        (None, _) => integer64(text).or_else(|| float64(text)),
        _ => integer64(text),
    }
}

fn integer64(text: &str) -> Option<u64> {
    signed(text).map(|n| n as u64).or_else(|| unsigned(text))
}

fn float64(text: &str) -> Option<u64> {
    match text {
        "nan" => Some(f64::NAN.to_bits()),
        _ if text.starts_with("0x") => unsigned(text),
        "-inf" | "inf" => text.parse().ok().map(f64::to_bits),
        _ => text
            .ends_with(|c: char| c.is_ascii_digit())
            .then(|| text.parse().ok().map(f64::to_bits))?,
    }
}

fn float32(text: &str) -> Option<u64> {
    let bits = match text {
        "nan" => Some(f32::NAN.to_bits()),
        _ if text.starts_with("0x") => unsigned(text).and_then(|n| u32::try_from(n).ok()),
        "-inf" | "inf" => text.parse().ok().map(f32::to_bits),
        _ => text
            .ends_with(|c: char| c.is_ascii_digit())
            .then(|| text.parse().ok().map(f32::to_bits))?,
    };
    bits.map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_wrap_into_their_type_and_no_further() {
        assert_eq!(immediate(Some(Type::I8), "255"), Some(u64::MAX));
        assert_eq!(immediate(Some(Type::I8), "-128"), Some(-128i64 as u64));
        assert_eq!(immediate(Some(Type::I8), "256"), None);
        assert_eq!(
            immediate(Some(Type::I64), "0xffffffffffffffff"),
            Some(u64::MAX)
        );
        assert_eq!(
            immediate(Some(Type::I64), "-9223372036854775808"),
            Some(1 << 63)
        );
        assert_eq!(immediate(Some(Type::I64), "18446744073709551616"), None);
        assert_eq!(immediate(Some(Type::I32), "1.0"), None);
        assert_eq!(immediate(Some(Type::I64), "+1"), None);
        assert_eq!(immediate(Some(Type::I64), "0x"), None);
    }

    #[test]
    fn floats_are_read_exactly() {
        assert_eq!(immediate(Some(Type::F64), "0.1"), Some(0.1f64.to_bits()));
        assert_eq!(
            immediate(Some(Type::F32), "-inf"),
            Some(f32::NEG_INFINITY.to_bits().into())
        );
        assert_eq!(immediate(Some(Type::F32), "0x1ffffffff"), None);
        assert_eq!(immediate(Some(Type::F64), "infinity"), None);
        assert_eq!(
            immediate(Some(Type::F64), "1e400"),
            Some(f64::INFINITY.to_bits())
        );
        assert_eq!(immediate(None, "1.5"), Some(1.5f64.to_bits()));
        assert_eq!(immediate(None, "15"), Some(15));
    }
}
