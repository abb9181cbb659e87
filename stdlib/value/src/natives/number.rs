//! Numbers.

use super::{Cx, num, text};
use crate::error::Res;
use crate::ops::arith::to_i32;
use crate::word::Value;

macro_rules! real {
    ($($name:ident = $f:expr;)*) => { $(
        pub(super) fn $name(_: &Cx<'_>, args: &[Value]) -> Res {
            let f: fn(f64) -> f64 = $f;
            Ok(num(args, 0).map_or(Value::int(0), |x| Value::number(f(x))))
        }
    )* };
}

real! {
    ceil = f64::ceil;
    floor = f64::floor;
    sqrt = f64::sqrt;
    sin = f64::sin;
    cos = f64::cos;
    tan = f64::tan;
    asin = f64::asin;
    acos = f64::acos;
    atan = f64::atan;
    exp = f64::exp;
    tanh = f64::tanh;
}

pub(super) fn abs(_: &Cx<'_>, args: &[Value]) -> Res {
    Ok(match num(args, 0) {
        Some(x) => Value::number(x.abs()),
        None => args.first().copied().unwrap_or(Value::int(0)),
    })
}

pub(super) fn round(_: &Cx<'_>, args: &[Value]) -> Res {
    let Some(x) = num(args, 0) else {
        return Ok(Value::int(0));
    };
    let Some(digits) = num(args, 1) else {
        return Ok(Value::number(x.round()));
    };
    let scale = 10f64.powf(digits.trunc());
    Ok(Value::number((x * scale).round() / scale))
}

fn extreme(args: &[Value], better: fn(f64, f64) -> bool) -> Res {
    if args.is_empty() {
        return Ok(Value::NULL);
    }
    let first = num(args, 0).unwrap_or(0.0);
    let best = (args.iter().skip(1).filter_map(|v| v.as_number()))
        .fold(first, |best, x| if better(x, best) { x } else { best });
    Ok(Value::number(best))
}

pub(super) fn max(_: &Cx<'_>, args: &[Value]) -> Res {
    extreme(args, |x, best| x > best)
}

pub(super) fn min(_: &Cx<'_>, args: &[Value]) -> Res {
    extreme(args, |x, best| x < best)
}

pub(super) fn pow(_: &Cx<'_>, args: &[Value]) -> Res {
    Ok(match (num(args, 0), num(args, 1)) {
        (Some(x), Some(y)) => Value::number(x.powf(y)),
        _ => Value::int(0),
    })
}

pub(super) fn log(_: &Cx<'_>, args: &[Value]) -> Res {
    Ok(match (num(args, 0), num(args, 1)) {
        (Some(x), Some(base)) => Value::number(x.ln() / base.ln()),
        (Some(x), None) => Value::number(x.ln()),
        _ => Value::int(0),
    })
}

/// The longest prefix that C's `strtol` with base 10 reads, cast to a 32-bit integer.
fn int_prefix(text: &[u8]) -> f64 {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1.0, rest),
        [b'+', rest @ ..] => (1.0, rest),
        _ => (1.0, text),
    };
    let digits = digits.iter().take_while(|b| b.is_ascii_digit());
    let value = digits.fold(0.0, |n: f64, d| n * 10.0 + f64::from(d - b'0'));
    sign * value
}

pub(super) fn to_int(_: &Cx<'_>, args: &[Value]) -> Res {
    let v = args.first().copied().unwrap_or(Value::NULL);
    let x = v
        .as_number()
        .or_else(|| v.as_bool().map(f64::from))
        .or_else(|| v.as_str().map(|s| int_prefix(s.bytes())));
    Ok(Value::int(x.map_or(0, to_i32)))
}

/// The longest prefix that is a number, as C's `strtod` reads it (without hexadecimal forms).
fn float_prefix(text: &[u8]) -> f64 {
    let text = text.trim_ascii_start();
    let ends = |at: &usize| {
        let part = std::str::from_utf8(&text[..*at]).ok()?;
        let plain = part
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
        let named = part.trim_start_matches(['+', '-']).to_ascii_lowercase();
        if plain || matches!(named.as_str(), "inf" | "infinity" | "nan") {
            part.parse::<f64>().ok()
        } else {
            None
        }
    };
    let longest = text
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
        .count()
        .min(400);
    (1..=longest).rev().find_map(|at| ends(&at)).unwrap_or(0.0)
}

pub(super) fn to_float(_: &Cx<'_>, args: &[Value]) -> Res {
    let v = args.first().copied().unwrap_or(Value::NULL);
    let x = v
        .as_number()
        .or_else(|| v.as_bool().map(f64::from))
        .or_else(|| text(args, 0).map(float_prefix));
    Ok(Value::number(x.unwrap_or(0.0)))
}

pub(super) fn to_hex(cx: &Cx<'_>, args: &[Value]) -> Res {
    let text = format!("0x{:x}", num(args, 0).map_or(0, to_i32));
    cx.heap.string(text.as_bytes())
}

pub(super) fn to_bin(cx: &Cx<'_>, args: &[Value]) -> Res {
    let text = format!("0b{:b}", num(args, 0).map_or(0, to_i32));
    cx.heap.string(text.as_bytes())
}
