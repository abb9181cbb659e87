//! Names, strings and immediates of the text form.

use std::borrow::Cow;
use std::fmt::{self, Write};

use super::super::types::Type;

/// Whether `name` needs no quotes.
fn is_plain(name: &str) -> bool {
    let symbol = |c: u8| c.is_ascii_alphabetic() || matches!(c, b'_' | b'.' | b'$');
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|&c| symbol(c))
        && bytes.iter().all(|&c| symbol(c) || c.is_ascii_digit())
}

/// A symbol, label or name of a local: plain, or in quotes.
pub(super) fn name(name: &str) -> Cow<'_, str> {
    if is_plain(name) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(quoted(name))
    }
}

/// Text in quotes. Printable characters stand as they are, whatever their script.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if c.is_ascii() || c.is_control() {
            let mut utf8 = [0; 4];
            c.encode_utf8(&mut utf8)
                .bytes()
                .for_each(|byte| escape(&mut out, byte));
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}

fn escape(out: &mut String, byte: u8) {
    match byte {
        b'\n' => out.push_str("\\n"),
        b'\t' => out.push_str("\\t"),
        b'"' => out.push_str("\\\""),
        b'\\' => out.push_str("\\\\"),
        b' '..=b'~' => out.push(byte as char),
        _ => {
            let digit = |n: u8| char::from_digit(n.into(), 16).unwrap_or('0');
            out.extend(['\\', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

/// Bytes in quotes; what is not printable ASCII is escaped.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::with_capacity(self.0.len() + 2);
        self.0.iter().for_each(|&byte| escape(&mut out, byte));
        f.write_char('"')?;
        f.write_str(&out)?;
        f.write_char('"')
    }
}

/// An immediate of a type, or of one that only an intrinsic table knows: those print as integers.
pub(super) fn immediate(ty: Option<Type>, bits: u64) -> String {
    match ty {
        Some(Type::I8 | Type::I16 | Type::I32 | Type::I64) => (bits as i64).to_string(),
        Some(Type::Bool) if bits <= 1 => (bits == 1).to_string(),
        Some(Type::F64) => f64_literal(bits),
        Some(Type::F32) => f32_literal(bits),
        None if (bits as i64).unsigned_abs() < 1 << 32 => (bits as i64).to_string(),
        _ if bits == 0 => "0".into(),
        _ => format!("{bits:#x}"),
    }
}

fn f64_literal(bits: u64) -> String {
    let x = f64::from_bits(bits);
    match x.is_nan() {
        true if bits == f64::NAN.to_bits() => "nan".into(),
        true => format!("{bits:#x}"),
        false => format!("{x:?}"),
    }
}

fn f32_literal(bits: u64) -> String {
    let x = f32::from_bits(bits as u32);
    match x.is_nan() || bits >> 32 != 0 {
        true if bits == u64::from(f32::NAN.to_bits()) => "nan".into(),
        true => format!("{bits:#x}"),
        false => format!("{x:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_when_they_must_be() {
        for plain in ["a", "_x1", "std.io", "$tmp", "."] {
            assert_eq!(name(plain), plain);
        }
        assert_eq!(name("1a"), "\"1a\"");
        assert_eq!(name(""), "\"\"");
        assert_eq!(name("größe"), "\"größe\"");
        assert_eq!(name("a\"b\\\n\u{1}"), r#""a\"b\\\n\01""#);
    }

    #[test]
    fn floats_keep_their_bits() {
        assert_eq!(immediate(Some(Type::F64), 1.5f64.to_bits()), "1.5");
        assert_eq!(immediate(Some(Type::F64), (-0.0f64).to_bits()), "-0.0");
        assert_eq!(
            immediate(Some(Type::F64), f64::NEG_INFINITY.to_bits()),
            "-inf"
        );
        assert_eq!(immediate(Some(Type::F64), f64::NAN.to_bits()), "nan");
        assert_eq!(
            immediate(Some(Type::F64), (-f64::NAN).to_bits()),
            "0xfff8000000000000"
        );
        assert_eq!(immediate(Some(Type::F32), 0.1f32.to_bits().into()), "0.1");
        assert_eq!(immediate(None, -5i64 as u64), "-5");
        assert_eq!(immediate(None, 1 << 60), "0x1000000000000000");
    }
}
