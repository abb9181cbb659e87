//! Kinds, conversions to text and truth, assertions.

use super::{Cx, text as string};
use crate::error::Res;
use crate::object::Kind;
use crate::text::{self, Style};
use crate::word::Value;

pub(super) fn to_string(cx: &Cx<'_>, args: &[Value]) -> Res {
    match args.first() {
        Some(v) if v.as_str().is_some() => Ok(*v),
        Some(v) => cx.heap.string(&text::of(*v, Style::ToString)),
        None => cx.heap.string(b""),
    }
}

pub(super) fn to_bool(_: &Cx<'_>, args: &[Value]) -> Res {
    let v = args.first().copied().unwrap_or(Value::FALSE);
    let empty = v.as_str().is_some_and(|s| s.is_empty());
    Ok(Value::bool(
        !v.is_falsey() && v.as_number() != Some(0.0) && !empty,
    ))
}

pub(super) fn type_of(cx: &Cx<'_>, args: &[Value]) -> Res {
    let v = args.first().copied().unwrap_or(Value::NULL);
    let name = match v.kind() {
        Some(Kind::Str) => "string",
        Some(Kind::Function) => "function",
        Some(Kind::Native) => "native",
        Some(_) => "object",
        None if v.as_number().is_some() => "number",
        None if v.as_bool().is_some() => "bool",
        None => "nil",
    };
    cx.heap.string(name.as_bytes())
}

/// Shows a message on stderr, after what was printed, and ends the program with exit code 1.
fn fail(cx: &Cx<'_>, message: &[u8]) -> ! {
    super::io::show(cx, message);
    std::process::exit(1)
}

pub(super) fn assert(cx: &Cx<'_>, args: &[Value]) -> Res {
    if args.first().is_some_and(|c| !c.is_falsey()) {
        return Ok(Value::NULL);
    }
    let mut message = b"Assertion failed".to_vec();
    if let Some(text) = string(args, 1) {
        message.extend_from_slice(b": ");
        message.extend_from_slice(text);
    }
    message.push(b'\n');
    fail(cx, &message)
}

pub(super) fn unwrap(cx: &Cx<'_>, args: &[Value]) -> Res {
    match args.first() {
        Some(v) if !v.is_null() => Ok(*v),
        _ => fail(cx, b"Called unwrap on a null value\n"),
    }
}
