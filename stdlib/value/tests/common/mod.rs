//! A heap on this test's thread, and short ways to call what programs call.

#![allow(dead_code, reason = "each test file uses its part of this")]

use asr_kernel::thread;
use asr_value::natives::{self, Cx};
use asr_value::{Heap, Res, Value};

/// A fresh heap of this many bytes.
pub(crate) fn heap(limit: u64) -> Cx<'static> {
    let th = thread::adopt();
    let heap = Heap::attach(th, limit);
    *heap.output() = asr_value::output::Output::memory();
    Cx { th, heap }
}

/// A fresh heap with room enough.
pub(crate) fn cx() -> Cx<'static> {
    heap(64 << 20)
}

/// A string value.
pub(crate) fn string(cx: &Cx<'_>, text: &str) -> Value {
    cx.heap.string(text.as_bytes()).unwrap()
}

/// The text of a string value.
pub(crate) fn text(v: Value) -> String {
    match v.as_str() {
        Some(s) => s.to_text().into_owned(),
        None => format!("not a string: {v:?}"),
    }
}

/// The message of an error.
pub(crate) fn message<T: std::fmt::Debug>(res: Res<T>) -> String {
    match res {
        Ok(v) => format!("no error: {v:?}"),
        Err(thrown) => text(thrown.0),
    }
}

/// Calls a native by its name.
pub(crate) fn native(cx: &Cx<'_>, name: &str, args: &[Value]) -> Value {
    let id = natives::by_name(name).unwrap_or_else(|| panic!("no native {name}"));
    natives::call(cx, id, args).unwrap_or_else(|e| panic!("{name}: {}", text(e.0)))
}

/// How many cases of a property, without a file of failures.
pub(crate) fn config(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config {
        cases,
        failure_persistence: None,
        ..Default::default()
    }
}
