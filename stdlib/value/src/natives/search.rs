//! Strings: searching and splitting.

use super::string::make;
use super::{Cx, num, text};
use crate::error::Res;
use crate::object::{List, build_string};
use crate::word::Value;

/// First place of `part` in `s`. Linear in practice: the first byte is searched with `memchr`-like
/// speed, then compared.
fn find(s: &[u8], part: &[u8]) -> Option<usize> {
    let Some((first, rest)) = part.split_first() else {
        return Some(0);
    };
    let mut from = 0;
    loop {
        let tail = s.get(from..)?;
        let at = from + tail.iter().position(|b| b == first)?;
        if s[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

pub(super) fn split(cx: &Cx<'_>, args: &[Value]) -> Res {
    let (Some(s), Some(separator)) = (text(args, 0), text(args, 1)) else {
        return Ok(Value::NULL);
    };
    let value = List::make(cx.heap, 0)?;
    let Some(list) = value.as_list() else {
        return Ok(Value::NULL);
    };
    if separator.is_empty() {
        for byte in s {
            list.push(cx.heap, cx.heap.byte_string(*byte)?)?;
        }
        return Ok(value);
    }
    let mut rest = s;
    while let Some(at) = find(rest, separator) {
        list.push(cx.heap, make(cx.heap, &rest[..at])?)?;
        rest = &rest[at + separator.len()..];
    }
    list.push(cx.heap, make(cx.heap, rest)?)?;
    Ok(value)
}

pub(super) fn replace(cx: &Cx<'_>, args: &[Value]) -> Res {
    let whole = args.first().copied().unwrap_or(Value::NULL);
    let (Some(s), Some(from), Some(to)) = (text(args, 0), text(args, 1), text(args, 2)) else {
        return Ok(whole);
    };
    match find(s, from) {
        Some(at) if !from.is_empty() => {
            let (head, tail) = (&s[..at], &s[at + from.len()..]);
            let len = head
                .len()
                .saturating_add(to.len())
                .saturating_add(tail.len());
            build_string(cx.heap, len, |out| {
                out[..at].copy_from_slice(head);
                out[at..at + to.len()].copy_from_slice(to);
                out[at + to.len()..].copy_from_slice(tail);
            })
        }
        _ => Ok(whole),
    }
}

fn test(args: &[Value], f: fn(&[u8], &[u8]) -> bool) -> Res {
    Ok(Value::bool(match (text(args, 0), text(args, 1)) {
        (Some(s), Some(part)) => f(s, part),
        _ => false,
    }))
}

pub(super) fn contains(_: &Cx<'_>, args: &[Value]) -> Res {
    test(args, |s, part| find(s, part).is_some())
}

pub(super) fn startswith(_: &Cx<'_>, args: &[Value]) -> Res {
    test(args, |s, part| s.starts_with(part))
}

pub(super) fn endswith(_: &Cx<'_>, args: &[Value]) -> Res {
    test(args, |s, part| s.ends_with(part))
}

pub(super) fn count_occurrences(_: &Cx<'_>, args: &[Value]) -> Res {
    let (Some(mut s), Some(part)) = (text(args, 0), text(args, 1)) else {
        return Ok(Value::int(0));
    };
    let mut count = 0;
    if !part.is_empty() {
        while let Some(at) = find(s, part) {
            count += 1;
            s = &s[at + part.len()..];
        }
    }
    Ok(Value::count(count))
}

pub(super) fn index_of(_: &Cx<'_>, args: &[Value]) -> Res {
    let none = Ok(Value::int(-1));
    let (Some(s), Some(part)) = (text(args, 0), text(args, 1)) else {
        return none;
    };
    // A float cast saturates: a negative place is 0.
    let from = num(args, 2).unwrap_or(0.0) as usize;
    if from >= s.len() {
        return none;
    }
    match find(&s[from..], part) {
        Some(at) => Ok(Value::count(from + at)),
        None => none,
    }
}
