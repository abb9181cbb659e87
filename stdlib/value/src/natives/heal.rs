//! `asr.*`: repairable records, their handlers, reports and the account of them.
#![allow(
    unsafe_code,
    reason = "hands records to the healer and handlers to compiled code"
)]

use asr_abi::{ObjectHeader, RepairContext, Thread, repair_result, status};
use asr_heal::{Func, handlers, home::Home, ledger};
use asr_kernel::thread::{self, trace};

use super::{Cx, num};
use crate::error::{Res, Thrown};
use crate::heap::Heap;
use crate::object::{Dict, Record};
use crate::word::Value;

/// Bound of a handler in ns: generous, as it runs on the thread that waits for it anyway, and one
/// that is treated as slow after some delays of a busy machine would repair later than it reports.
const BOUND_NS: u64 = 1_000_000_000;

/// The number of a type: that of its name (FNV-1a, 64 bits), or itself if it is a number.
pub(crate) fn type_id(v: Value) -> Option<u64> {
    if let Some(name) = v.as_str() {
        let step = |h: u64, b: &u8| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
        return Some(name.bytes().iter().fold(0xcbf2_9ce4_8422_2325, step));
    }
    let x = v.as_number()?;
    (x >= 0.0 && x.trunc() == x && x < 18_446_744_073_709_551_615.0).then_some(x as u64)
}

/// Whether a record may be used.
pub(crate) fn is_sound(record: &Record) -> bool {
    // SAFETY: a record lives as long as its heap.
    unsafe { asr_heal::checked_access(record.heal_ptr()) == status::OK }
}

fn wrong(cx: &Cx<'_>, what: &str) -> Thrown {
    cx.heap.thrown_text(what)
}

pub(super) fn object(cx: &Cx<'_>, args: &[Value]) -> Res {
    let [name, fields, ..] = args else {
        return Err(wrong(cx, "asr.object takes a type and a dictionary."));
    };
    match (type_id(*name), fields.as_dict()) {
        (Some(id), Some(fields)) => Record::make(cx.heap, id, *name, fields),
        _ => Err(wrong(cx, "asr.object takes a type and a dictionary.")),
    }
}

/// Runs a handler of the program: a function of one argument, the record.
fn run(function: u64, object: *mut ObjectHeader, ctx: &mut RepairContext) {
    ctx.result = repair_result::FAILED;
    // SAFETY: the calling thread's own state, or null.
    let Some(th) = (unsafe { thread::current().as_ref() }) else {
        return;
    };
    // SAFETY: `handler` gave this word; it is only compared until a heap is found that knows it.
    let function = unsafe { Value::from_word(function) };
    // Between two polls of the isolate whose function it is, nothing of it can be repaired.
    Heap::of_function(th, function, |heap| {
        run_in(th, heap, function, object, ctx);
    });
}

/// Runs a handler in its heap, which is that of the thread now.
fn run_in(
    th: &Thread,
    heap: &Heap,
    function: Value,
    object: *mut ObjectHeader,
    ctx: &mut RepairContext,
) {
    let record = if object.is_null() {
        // A report without an object, of type 0.
        Some(Value::NULL)
    } else if heap.contains(object.cast()) {
        // SAFETY: in this heap, records alone hold headers of the healer.
        unsafe { Record::of_heal(object) }
    } else {
        // Made by another library under the same type.
        None
    };
    let (Some(record), Some(code)) = (record, function.as_function()) else {
        return;
    };
    let call = heap.call_code.get();
    let ret = call(th, code.code(), function, &[record]);
    if ret.status != u64::from(status::OK) {
        // The failure ends here: its trace is not that of the reporter.
        trace::clear(th);
    } else if ret.value != Value::FALSE.word() {
        ctx.result = repair_result::REPAIRED;
    }
}

pub(super) fn handler(cx: &Cx<'_>, args: &[Value]) -> Res {
    let usage = "asr.handler takes a type and a function of one argument.";
    let [name, function, ..] = args else {
        return Err(wrong(cx, usage));
    };
    let Some(id) = type_id(*name) else {
        return Err(wrong(cx, usage));
    };
    let done = if function.is_null() {
        handlers::unregister(id)
    } else {
        let code = function.as_function();
        if code.is_none_or(|f| f.arity() != 1 || f.code().is_null()) {
            return Err(wrong(cx, usage));
        }
        if !cx.heap.is_main() {
            // It would outlive the isolate, and the thread may have another one then.
            return Err(wrong(cx, "Handlers belong to the main isolate."));
        }
        let func = Func::Language {
            home: Home::here(cx.th),
            run,
            data: function.word(),
        };
        handlers::register(id, func, BOUND_NS)
    };
    match done {
        Ok(()) => Ok(Value::NULL),
        Err(_) => Err(wrong(cx, "This type cannot have a handler.")),
    }
}

pub(super) fn report(cx: &Cx<'_>, args: &[Value]) -> Res {
    let usage = "asr.report takes a code and a record.";
    let object = args.get(1).copied().unwrap_or(Value::NULL);
    let code = num(args, 0).filter(|c| *c >= 0.0 && *c <= f64::from(u32::MAX));
    let target = match object.as_record() {
        Some(record) => record.heal_ptr(),
        None if object.is_null() => std::ptr::null_mut(),
        None => return Err(wrong(cx, usage)),
    };
    let Some(code) = code else {
        return Err(wrong(cx, usage));
    };
    if !target.is_null() && !cx.heap.is_main() {
        // Handlers are those of the main isolate: this record would wait for one, and its isolate
        // for it.
        return Err(wrong(cx, "Records are repaired in the main isolate."));
    }
    // SAFETY: the state of this thread; a record lives as long as its heap.
    let outcome = unsafe { asr_heal::report(cx.th, code as u32, target) };
    Ok(Value::bool(outcome == asr_heal::Outcome::Repaired))
}

pub(super) fn check(cx: &Cx<'_>, args: &[Value]) -> Res {
    let object = args.first().copied().unwrap_or(Value::NULL);
    let Some(record) = object.as_record() else {
        return Err(wrong(cx, "asr.check takes a record."));
    };
    // SAFETY: a record lives as long as its heap.
    match unsafe { asr_heal::checked_access(record.heal_ptr()) } {
        status::OK => Ok(object),
        status::QUARANTINED => Err(wrong(cx, "The record is in quarantine.")),
        _ => Err(wrong(cx, "The record is damaged.")),
    }
}

pub(super) fn stats(cx: &Cx<'_>, _: &[Value]) -> Res {
    let value = Dict::make(cx.heap)?;
    let Some(dict) = value.as_dict() else {
        return Ok(Value::NULL);
    };
    let now = ledger::read().entries();
    let heap = [
        ("heap_used", cx.heap.used()),
        ("heap_limit", cx.heap.limit()),
    ];
    for (name, count) in now.into_iter().chain(heap) {
        if let Some(key) = cx.heap.string(name.as_bytes())?.as_str() {
            dict.insert(cx.heap, key, Value::number(count as f64), true)?;
        }
    }
    Ok(value)
}
