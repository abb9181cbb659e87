//! Arithmetic, bit operations and `+`.

use crate::error::{Res, Thrown, message};
use crate::heap::Heap;
use crate::object;
use crate::text::{self, Style};
use crate::word::Value;

/// A number of C's cast to a 32-bit integer: truncated, the least one when it does not fit.
pub fn to_i32(x: f64) -> i32 {
    if x > -2_147_483_649.0 && x < 2_147_483_648.0 {
        x as i32
    } else {
        i32::MIN
    }
}

/// Both operands as numbers.
///
/// # Errors
/// "Operands must be numbers."
pub fn numbers(heap: &Heap, a: Value, b: Value) -> Res<(f64, f64)> {
    match (a.as_number(), b.as_number()) {
        (Some(a), Some(b)) => Ok((a, b)),
        _ => Err(heap.thrown(message::NUMBERS)),
    }
}

/// `a + b`: the sum of numbers, or text when one side is a string.
///
/// # Errors
/// "Operands must be numbers or strings.", out of memory.
pub fn add(heap: &Heap, a: Value, b: Value) -> Res {
    if let (Some(a), Some(b)) = (a.as_int(), b.as_int())
        && let Some(sum) = a.checked_add(b)
    {
        return Ok(Value::int(sum));
    }
    if let (Some(a), Some(b)) = (a.as_number(), b.as_number()) {
        return Ok(Value::number(a + b));
    }
    match (a.as_str(), b.as_str()) {
        (Some(_), Some(b)) if b.is_empty() => Ok(a),
        (Some(x), Some(_)) if x.is_empty() => Ok(b),
        (Some(a), Some(b)) => object::join(heap, a, b.bytes()),
        (Some(a), None) => object::join(heap, a, &text::of(b, Style::Join)),
        (None, Some(b)) => object::make_string(heap, &text::of(a, Style::Join), b.bytes()),
        (None, None) => Err(heap.thrown(message::NUMBERS_OR_STRINGS)),
    }
}

/// The operations on two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binary {
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Rem,
    /// `**`
    Pow,
    /// `&`
    And,
    /// `|`
    Or,
    /// `^`
    Xor,
    /// `<<`
    Shl,
    /// `>>`
    Shr,
}

/// An operation on two numbers.
///
/// # Errors
/// The messages of the operation.
pub fn binary(heap: &Heap, op: Binary, a: Value, b: Value) -> Res {
    let (x, y) = numbers(heap, a, b)?;
    let bits = |f: fn(i32, i32) -> i32| f64::from(f(to_i32(x), to_i32(y)));
    Ok(Value::number(match op {
        Binary::Sub => x - y,
        Binary::Mul => x * y,
        Binary::Div if y == 0.0 => return Err(heap.thrown(message::DIVISION_BY_ZERO)),
        Binary::Div => x / y,
        Binary::Rem if y == 0.0 => return Err(heap.thrown(message::MODULO_BY_ZERO)),
        Binary::Rem => x % y,
        Binary::Pow => x.powf(y),
        Binary::And => bits(|a, b| a & b),
        Binary::Or => bits(|a, b| a | b),
        Binary::Xor => bits(|a, b| a ^ b),
        Binary::Shl => f64::from((to_i32(x) as u32) << shift_count(heap, y)?),
        Binary::Shr => f64::from(to_i32(x) as u32 >> shift_count(heap, y)?),
    }))
}

fn shift_count(heap: &Heap, y: f64) -> Result<u32, Thrown> {
    match to_i32(y) {
        n @ 0..=31 => Ok(n as u32),
        _ => Err(heap.thrown(message::SHIFT)),
    }
}

/// `-a`.
///
/// # Errors
/// "Operand must be a number or implement operator-."
pub fn neg(heap: &Heap, a: Value) -> Res {
    match a.as_number() {
        Some(x) => Ok(Value::number(-x)),
        None => Err(heap.thrown(message::NEGATE)),
    }
}

/// `~a`.
///
/// # Errors
/// "Operand must be a number."
pub fn bit_not(heap: &Heap, a: Value) -> Res {
    match a.as_number() {
        Some(x) => Ok(Value::int(!to_i32(x))),
        None => Err(heap.thrown(message::NUMBER)),
    }
}
