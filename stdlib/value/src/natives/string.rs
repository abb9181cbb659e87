//! Strings: parts, case, padding.

use super::{Cx, num, text};
use crate::error::Res;
use crate::heap::Heap;
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

fn map(cx: &Cx<'_>, args: &[Value], f: impl FnOnce(&[u8]) -> Vec<u8>) -> Res {
    match text(args, 0) {
        Some(s) => make(cx.heap, &f(s)),
        None => Ok(Value::NULL),
    }
}

pub(super) fn upper(cx: &Cx<'_>, args: &[Value]) -> Res {
    map(cx, args, |s| s.to_ascii_uppercase())
}

pub(super) fn lower(cx: &Cx<'_>, args: &[Value]) -> Res {
    map(cx, args, |s| s.to_ascii_lowercase())
}

pub(super) fn str_reverse(cx: &Cx<'_>, args: &[Value]) -> Res {
    map(cx, args, |s| s.iter().rev().copied().collect())
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

/// Longest text that is built outside of the heap before it is put there.
fn fits(heap: &Heap, len: usize) -> Res<usize> {
    if len as u64 > heap.limit() {
        Err(heap.exhausted())
    } else {
        Ok(len)
    }
}

pub(super) fn repeat(cx: &Cx<'_>, args: &[Value]) -> Res {
    let (Some(s), Some(n)) = (text(args, 0), num(args, 1)) else {
        return Ok(Value::NULL);
    };
    let n = n as usize;
    let len = s.len().saturating_mul(n);
    fits(cx.heap, len)?;
    make(cx.heap, &s.repeat(if len == 0 { 0 } else { n }))
}

fn padded(cx: &Cx<'_>, args: &[Value], left: bool) -> Res {
    let whole = args.first().copied().unwrap_or(Value::NULL);
    let (Some(s), Some(width)) = (text(args, 0), num(args, 1)) else {
        return Ok(whole);
    };
    let missing = (width as usize).saturating_sub(s.len());
    if missing == 0 {
        return Ok(whole);
    }
    fits(cx.heap, s.len().saturating_add(missing))?;
    let fill = text(args, 2).and_then(|c| c.first()).unwrap_or(&b' ');
    let fill = vec![*fill; missing];
    make(
        cx.heap,
        &if left {
            [&fill, s].concat()
        } else {
            [s, &fill].concat()
        },
    )
}

pub(super) fn pad_left(cx: &Cx<'_>, args: &[Value]) -> Res {
    padded(cx, args, true)
}

pub(super) fn pad_right(cx: &Cx<'_>, args: &[Value]) -> Res {
    padded(cx, args, false)
}
