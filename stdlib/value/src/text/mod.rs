//! Values as text.
//!
//! There are three rules for numbers: `print` (C `%g`), joining (an integer in full, else `%.14g`)
//! and `to_string` (an integer in full, else `%.15g`). Joining and `to_string` agree on the rest.

use crate::object::Kind;
use crate::word::Value;

mod format;

/// Which of the three rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Style {
    /// `print`, `println`, `std.io.print`.
    Print,
    /// `+` with a string, and templates.
    Join,
    /// `to_string`.
    ToString,
}

/// A number as text.
pub fn number(x: f64, style: Style) -> Vec<u8> {
    let mut out = Vec::with_capacity(24);
    push_number(&mut out, x, style);
    out
}

/// Appends a number.
pub fn push_number(out: &mut Vec<u8>, x: f64, style: Style) {
    let digits = match style {
        Style::Print => 6,
        Style::Join => 14,
        Style::ToString => 15,
    };
    // What C does: it compares with the cast to an integer and back. Its cast gives the least
    // integer for what does not fit, so 2^63 itself, where ours saturates, is no integer there.
    let whole = x as i64;
    if style != Style::Print && x < 9_223_372_036_854_775_808.0 && whole as f64 == x {
        push_int(out, whole);
    } else if style == Style::Print && whole as f64 == x && whole.unsigned_abs() < 1_000_000 {
        if whole == 0 && x.is_sign_negative() {
            out.push(b'-');
        }
        push_int(out, whole);
    } else if x.is_nan() {
        out.extend_from_slice(b"nan");
    } else {
        format::general(out, x, digits);
    }
}

/// Appends a decimal integer: most numbers that become text are small ones, and the formatter of
/// the standard library costs five times as much.
fn push_int(out: &mut Vec<u8>, n: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if n < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends a value in one of the styles.
pub fn push(out: &mut Vec<u8>, v: Value, style: Style) {
    if let Some(x) = v.as_number() {
        return push_number(out, x, style);
    }
    if let Some(s) = v.as_str() {
        return out.extend_from_slice(s.bytes());
    }
    let word: &[u8] = match v {
        Value::NULL => b"null",
        Value::TRUE => b"true",
        Value::FALSE => b"false",
        _ if style != Style::Print && v.kind().is_some() => b"<object>",
        _ => return push_object(out, v),
    };
    out.extend_from_slice(word);
}

fn push_object(out: &mut Vec<u8>, v: Value) {
    match v.kind() {
        Some(Kind::List) => out.extend_from_slice(b"[list]"),
        Some(Kind::Dict) => out.extend_from_slice(b"{dictionary}"),
        Some(Kind::Native) => out.extend_from_slice(b"<native fn>"),
        Some(Kind::Function) => {
            let name = v.as_function().map_or(&b""[..], |f| f.name());
            out.extend_from_slice(b"<fn ");
            out.extend_from_slice(name);
            out.push(b'>');
            if name.is_empty() || name == b"<script>" {
                out.truncate(out.len() - b"<fn >".len() - name.len());
                out.extend_from_slice(b"<script>");
            }
        }
        Some(Kind::Record) => {
            out.extend_from_slice(b"<instance ");
            if let Some(record) = v.as_record() {
                push(out, record.type_name(), Style::Join);
            }
            out.push(b'>');
        }
        Some(Kind::Resource) => {
            let name = v.as_resource().map_or("<object>", |held| held.name());
            out.extend_from_slice(name.as_bytes());
        }
        Some(Kind::Buffer | Kind::Str | Kind::Box) | None => out.extend_from_slice(b"<object>"),
    }
}

/// A value in one of the styles.
pub fn of(v: Value, style: Style) -> Vec<u8> {
    // Room for any number.
    let mut out = Vec::with_capacity(24);
    push(&mut out, v, style);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the language: value, printed, joined, `to_string`.
    #[test]
    fn numbers_print_as_the_language_says() {
        let table: &[(f64, &str, &str, &str)] = &[
            (1.0, "1", "1", "1"),
            (1.5, "1.5", "1.5", "1.5"),
            (0.1 + 0.2, "0.3", "0.3", "0.3"),
            (
                1.0 / 3.0,
                "0.333333",
                "0.33333333333333",
                "0.333333333333333",
            ),
            (1e6, "1e+06", "1000000", "1000000"),
            (1234567.0, "1.23457e+06", "1234567", "1234567"),
            (123456.789, "123457", "123456.789", "123456.789"),
            (1e-7, "1e-07", "1e-07", "1e-07"),
            (1e20, "1e+20", "1e+20", "1e+20"),
            (-0.0, "-0", "0", "0"),
            (
                9007199254740993.0,
                "9.0072e+15",
                "9007199254740992",
                "9007199254740992",
            ),
            (f64::INFINITY, "inf", "inf", "inf"),
            (f64::NEG_INFINITY, "-inf", "-inf", "-inf"),
            (2f64.sqrt(), "1.41421", "1.4142135623731", "1.4142135623731"),
            (
                123456789012.125,
                "1.23457e+11",
                "123456789012.12",
                "123456789012.125",
            ),
            (
                12345678901234567.5,
                "1.23457e+16",
                "12345678901234568",
                "12345678901234568",
            ),
            (0.0001234, "0.0001234", "0.0001234", "0.0001234"),
            (0.00001234, "1.234e-05", "1.234e-05", "1.234e-05"),
            (999999.0, "999999", "999999", "999999"),
            (999999.5, "1e+06", "999999.5", "999999.5"),
            (-999999.0, "-999999", "-999999", "-999999"),
            (-1000000.0, "-1e+06", "-1000000", "-1000000"),
            (
                9223372036854775807.0,
                "9.22337e+18",
                "9.2233720368548e+18",
                "9.22337203685478e+18",
            ),
            (
                -9223372036854775808.0,
                "-9.22337e+18",
                "-9223372036854775808",
                "-9223372036854775808",
            ),
            (
                f64::MAX,
                "1.79769e+308",
                "1.7976931348623e+308",
                "1.79769313486232e+308",
            ),
            (
                5e-324,
                "4.94066e-324",
                "4.9406564584125e-324",
                "4.94065645841247e-324",
            ),
            (f64::NAN, "nan", "nan", "nan"),
        ];
        for &(x, printed, joined, text) in table {
            let is = [Style::Print, Style::Join, Style::ToString]
                .map(|style| String::from_utf8(number(x, style)).unwrap());
            assert_eq!(is, [printed, joined, text].map(String::from), "{x:e}");
        }
    }
}
