//! Equality and order.

use crate::error::Res;
use crate::heap::Heap;
use crate::word::Value;

use super::arith::numbers;

/// `a == b`: numbers by value, strings by content, everything else by identity.
pub fn equal(a: Value, b: Value) -> bool {
    if let (Some(x), Some(y)) = (a.as_number(), b.as_number()) {
        return x == y;
    }
    a == b
        || match (a.as_str(), b.as_str()) {
            (Some(x), Some(y)) => x.same(y),
            _ => same_function(a, b),
        }
}

/// A nested function is a value of its own each time it is named: one that captures.
fn same_function(a: Value, b: Value) -> bool {
    match (a.as_function(), b.as_function()) {
        (Some(x), Some(y)) => !x.captured().is_empty() && x.same(y),
        _ => false,
    }
}

/// `a < b`.
///
/// # Errors
/// "Operands must be numbers."
pub fn less(heap: &Heap, a: Value, b: Value) -> Res<bool> {
    numbers(heap, a, b).map(|(x, y)| x < y)
}
