//! Printing and reading.

use std::io::{BufRead, Write};

use super::Cx;
use crate::error::Res;
use crate::text::{self, Style};
use crate::word::Value;

/// Longest line of `input`, as the language has it.
const INPUT_MAX: usize = 1023;

/// Shows bytes on stderr, after everything that was printed.
pub(crate) fn show(cx: &Cx<'_>, bytes: &[u8]) {
    cx.heap.output().flush();
    // Nobody could be told of a failure.
    let _ = std::io::stderr().write_all(bytes);
}

fn print(cx: &Cx<'_>, args: &[Value], end: &[u8]) -> Res {
    let mut line = Vec::new();
    if let Some(v) = args.first() {
        text::push(&mut line, *v, Style::Print);
    }
    line.extend_from_slice(end);
    cx.heap.output().write(&line);
    Ok(Value::NULL)
}

pub(super) fn println(cx: &Cx<'_>, args: &[Value]) -> Res {
    print(cx, args, b"\n")
}

pub(super) fn write(cx: &Cx<'_>, args: &[Value]) -> Res {
    print(cx, args, b"")
}

pub(super) fn eprint_raw(cx: &Cx<'_>, args: &[Value]) -> Res {
    let bytes = super::text(args, 0).unwrap_or(b"<value>");
    show(cx, bytes);
    Ok(Value::NULL)
}

pub(super) fn flush_raw(cx: &Cx<'_>, _: &[Value]) -> Res {
    cx.heap.output().flush();
    Ok(Value::NULL)
}

pub(super) fn input(cx: &Cx<'_>, args: &[Value]) -> Res {
    if !args.is_empty() {
        print(cx, args, b"")?;
    }
    cx.heap.output().flush();
    let mut line = Vec::new();
    let mut stdin = std::io::stdin().lock();
    // At most `INPUT_MAX` bytes; the rest of a longer line is the next input.
    while line.len() < INPUT_MAX && line.last() != Some(&b'\n') {
        let Ok(found) = stdin.fill_buf() else { break };
        let room = found.len().min(INPUT_MAX - line.len());
        let part = &found[..room];
        let part = match part.iter().position(|b| *b == b'\n') {
            Some(end) => &part[..=end],
            None => part,
        };
        if part.is_empty() {
            break;
        }
        line.extend_from_slice(part);
        let taken = part.len();
        stdin.consume(taken);
    }
    if line.is_empty() {
        return Ok(Value::NULL);
    }
    while let [rest @ .., b'\r' | b'\n'] = &line[..] {
        line.truncate(rest.len());
    }
    cx.heap.string(&line)
}
