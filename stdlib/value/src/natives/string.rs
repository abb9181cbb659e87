//! Strings: parts, case, padding.

use super::{Cx, num, text};
use crate::error::Res;
use crate::heap::Heap;
use crate::object::build_string;
use crate::word::Value;

/// A string of these bytes; those of one byte are shared.
pub(super) fn make(heap: &Heap, bytes: &[u8]) -> Res {
    match bytes {
        [one] => heap.byte_string(*one),
        _ => heap.string(bytes),
    }
}

pub(super) fn substr(cx: &Cx<'_>, args: &[Value]) -> Res {
    let (Some(s), Some(start), Some(len)) = (text(args, 0), num(args, 1), num(args, 2)) else {
        return Ok(Value::NULL);
    };
    let (start, len) = (start.trunc(), len.trunc());
    if !(start >= 0.0 && start < s.len() as f64) {
        return cx.heap.string(b"");
    }
    let rest = &s[start as usize..];
    // A float cast saturates: a negative length, or none, is 0.
    make(cx.heap, &rest[..(len as usize).min(rest.len())])
}

pub(super) fn char_at(cx: &Cx<'_>, args: &[Value]) -> Res {
    let (Some(s), Some(at)) = (text(args, 0), num(args, 1)) else {
        return Ok(Value::NULL);
    };
    let byte = (at > -1.0).then(|| s.get(at as usize)).flatten();
    byte.map_or(Ok(Value::NULL), |b| cx.heap.byte_string(*b))
}

/// A string of the same length, changed where it lies: large texts need no second copy outside of
/// the heap, whose limit could not hold there.
fn map(cx: &Cx<'_>, args: &[Value], change: fn(&mut [u8])) -> Res {
    let Some(s) = text(args, 0) else {
        return Ok(Value::NULL);
    };
    if let [one] = *s {
        let mut one = [one];
        change(&mut one);
        return cx.heap.byte_string(one[0]);
    }
    build_string(cx.heap, s.len(), |to| {
        to.copy_from_slice(s);
        change(to);
    })
}

pub(super) fn upper(cx: &Cx<'_>, args: &[Value]) -> Res {
    map(cx, args, <[u8]>::make_ascii_uppercase)
}

pub(super) fn lower(cx: &Cx<'_>, args: &[Value]) -> Res {
    map(cx, args, <[u8]>::make_ascii_lowercase)
}

pub(super) fn str_reverse(cx: &Cx<'_>, args: &[Value]) -> Res {
    map(cx, args, <[u8]>::reverse)
}

/// C's `isspace`.
fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn trimmed(cx: &Cx<'_>, args: &[Value], left: bool, right: bool) -> Res {
    let Some(mut s) = text(args, 0) else {
        return Ok(Value::NULL);
    };
    while let [b, rest @ ..] = s
        && left
        && is_space(*b)
    {
        s = rest;
    }
    while let [rest @ .., b] = s
        && right
        && is_space(*b)
    {
        s = rest;
    }
    make(cx.heap, s)
}

pub(super) fn trim(cx: &Cx<'_>, args: &[Value]) -> Res {
    trimmed(cx, args, true, true)
}

pub(super) fn trim_left(cx: &Cx<'_>, args: &[Value]) -> Res {
    trimmed(cx, args, true, false)
}

pub(super) fn trim_right(cx: &Cx<'_>, args: &[Value]) -> Res {
    trimmed(cx, args, false, true)
}

pub(super) fn repeat(cx: &Cx<'_>, args: &[Value]) -> Res {
    let (Some(s), Some(n)) = (text(args, 0), num(args, 1)) else {
        return Ok(Value::NULL);
    };
    // A float cast saturates: a negative count, or none, is 0.
    let len = s.len().saturating_mul(n as usize);
    build_string(cx.heap, len, |to| {
        for piece in to.chunks_exact_mut(s.len().max(1)) {
            piece.copy_from_slice(s);
        }
    })
}

fn padded(cx: &Cx<'_>, args: &[Value], left: bool) -> Res {
    let whole = args.first().copied().unwrap_or(Value::NULL);
    let (Some(s), Some(width)) = (text(args, 0), num(args, 1)) else {
        return Ok(whole);
    };
    let width = width as usize;
    if width <= s.len() {
        return Ok(whole);
    }
    let fill = text(args, 2).and_then(|c| c.first()).unwrap_or(&b' ');
    build_string(cx.heap, width, |to| {
        to.fill(*fill);
        let at = if left { width - s.len() } else { 0 };
        to[at..at + s.len()].copy_from_slice(s);
    })
}

pub(super) fn pad_left(cx: &Cx<'_>, args: &[Value]) -> Res {
    padded(cx, args, true)
}

pub(super) fn pad_right(cx: &Cx<'_>, args: &[Value]) -> Res {
    padded(cx, args, false)
}
