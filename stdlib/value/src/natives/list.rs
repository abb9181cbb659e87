//! Lists, and the length of things.

use super::Cx;
use crate::error::Res;
use crate::word::Value;

pub(super) fn len(_: &Cx<'_>, args: &[Value]) -> Res {
    let v = args.first().copied().unwrap_or(Value::NULL);
    let len = v
        .as_str()
        .map(|s| s.len())
        .or_else(|| v.as_list().map(|l| l.len()))
        .or_else(|| v.as_dict().map(|d| d.len()))
        .or_else(|| v.as_record()?.fields().map(|d| d.len()));
    Ok(Value::count(len.unwrap_or(0)))
}

pub(super) fn push(cx: &Cx<'_>, args: &[Value]) -> Res {
    match (args.first().and_then(|l| l.as_list()), args.get(1)) {
        (Some(list), Some(v)) => list.push(cx.heap, *v).map(|()| *v),
        _ => Ok(Value::NULL),
    }
}

pub(super) fn pop(_: &Cx<'_>, args: &[Value]) -> Res {
    let list = args.first().and_then(|l| l.as_list());
    Ok(list.and_then(|l| l.pop()).unwrap_or(Value::NULL))
}
