//! The system: time, files, arguments, environment, exit.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::{Cx, num, text};
use crate::error::Res;
use crate::object::List;
use crate::ops::arith::to_i32;
use crate::word::Value;

/// Processor time of this process in seconds.
pub(super) fn clock(_: &Cx<'_>, _: &[Value]) -> Res {
    Ok(Value::number(crate::clock::cpu_seconds()))
}

fn path(args: &[Value]) -> Option<&Path> {
    text(args, 0).map(|bytes| Path::new(OsStr::from_bytes(bytes)))
}

pub(super) fn read_file(cx: &Cx<'_>, args: &[Value]) -> Res {
    let Some(path) = path(args) else {
        return Ok(Value::NULL);
    };
    let size = std::fs::metadata(path).map_or(0, |m| m.len());
    if size > cx.heap.limit() {
        return Err(cx.heap.exhausted());
    }
    // A file that has no size, a device for example, may not end: one byte more than the heap has
    // room for is enough to know that it does not fit.
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(size as usize + 1).is_err() {
        return Err(cx.heap.exhausted());
    }
    let read = std::fs::File::open(path).and_then(|file| {
        let mut file = std::io::Read::take(file, cx.heap.limit() + 1);
        std::io::Read::read_to_end(&mut file, &mut bytes)
    });
    match read {
        Ok(_) => cx.heap.string(&bytes),
        Err(error) if error.kind() == std::io::ErrorKind::OutOfMemory => Err(cx.heap.exhausted()),
        Err(_) => Ok(Value::NULL),
    }
}

fn written(args: &[Value], append: bool) -> Res {
    let (Some(path), Some(bytes)) = (path(args), text(args, 1)) else {
        return Ok(Value::FALSE);
    };
    let file = std::fs::OpenOptions::new()
        .create(true)
        .write(true)
        .append(append)
        .truncate(!append)
        .open(path);
    let done = file.and_then(|mut file| file.write_all(bytes));
    Ok(Value::bool(done.is_ok()))
}

pub(super) fn write_file(_: &Cx<'_>, args: &[Value]) -> Res {
    written(args, false)
}

pub(super) fn append_file(_: &Cx<'_>, args: &[Value]) -> Res {
    written(args, true)
}

pub(super) fn exists(_: &Cx<'_>, args: &[Value]) -> Res {
    Ok(Value::bool(path(args).is_some_and(Path::exists)))
}

pub(super) fn remove(_: &Cx<'_>, args: &[Value]) -> Res {
    let done = path(args).map(std::fs::remove_file);
    Ok(Value::bool(matches!(done, Some(Ok(())))))
}

pub(super) fn exit(cx: &Cx<'_>, args: &[Value]) -> Res {
    cx.heap.output().flush();
    std::process::exit(num(args, 0).map_or(0, to_i32))
}

pub(super) fn env(cx: &Cx<'_>, args: &[Value]) -> Res {
    // A name that the system does not allow is one that is not set.
    let name = text(args, 0)
        .filter(|name| !name.is_empty() && !name.contains(&b'=') && !name.contains(&0));
    match name.and_then(|name| std::env::var_os(OsStr::from_bytes(name))) {
        Some(value) => cx.heap.string(value.as_bytes()),
        None => Ok(Value::NULL),
    }
}

pub(super) fn cwd(cx: &Cx<'_>, _: &[Value]) -> Res {
    match std::env::current_dir() {
        Ok(path) => cx.heap.string(&path.into_os_string().into_vec()),
        Err(_) => Ok(Value::NULL),
    }
}

pub(super) fn args(cx: &Cx<'_>, _: &[Value]) -> Res {
    let args = cx.heap.args.borrow();
    let strings: Res<Vec<Value>> = args.iter().map(|arg| cx.heap.string(arg)).collect();
    List::of(cx.heap, &strings?)
}

pub(super) fn os_name(cx: &Cx<'_>, _: &[Value]) -> Res {
    cx.heap.string(b"Linux/Unix")
}

pub(super) fn arch(cx: &Cx<'_>, _: &[Value]) -> Res {
    cx.heap.string(b"x64")
}
