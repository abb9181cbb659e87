//! The implementations of the rows of the value table.
//!
//! `th` is the state of the calling thread; null when C calls on a thread that has none, which is
//! adopted then. On a thread that is being torn down every row that can refuse answers `SHUTDOWN`.
#![allow(unsafe_code, reason = "takes the raw arguments of compiled code and C")]

use asr_abi::{Thread, status};
use asr_intrinsics::Refusal;
use asr_kernel::thread::{adopt_ptr, trace};

use crate::error::{Res, Thrown, message};
use crate::exception;
use crate::heap::Heap;
use crate::natives::{self, Cx};
use crate::object::{Boxed, Dict, Function, List, Native};
use crate::ops::arith::{self, Binary};
use crate::ops::{compare, index};
use crate::text::{self, Style};
use crate::word::Value;

pub(crate) use crate::concurrent::isolate::*;
pub(crate) use crate::concurrent::rows::*;

type Answer<T> = Result<T, Refusal>;

/// The state of the calling thread and its heap.
fn cx<'a>(th: *const Thread) -> Option<Cx<'a>> {
    let th = if th.is_null() { adopt_ptr() } else { th };
    // SAFETY: the state of the calling thread, which lives as long as the thread.
    let th = unsafe { th.as_ref() }?;
    Some(Cx {
        th,
        heap: Heap::of(th),
    })
}

/// Runs a row that may refuse.
fn with<T>(th: *const Thread, run: impl FnOnce(&Cx<'_>) -> Res<T>) -> Answer<T> {
    match cx(th) {
        Some(cx) => run(&cx).map_err(Refusal::from),
        None => Err(Refusal::status(status::SHUTDOWN)),
    }
}

/// A value word of compiled code.
fn val(word: u64) -> Value {
    // SAFETY: the rows' contract: words of type `value` were made by this library, for the heap of
    // this thread.
    unsafe { Value::from_word(word) }
}

/// The bytes of module data.
///
/// # Safety
/// `ptr` is null or points to `len` bytes that stay during the call.
unsafe fn bytes<'a>(ptr: *const u8, len: u64) -> &'a [u8] {
    if ptr.is_null() || len == 0 {
        return b"";
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(ptr, len as usize) }
}

fn word(v: Value) -> u64 {
    v.word()
}

pub(crate) unsafe fn value_string(th: *const Thread, ptr: *mut u8, len: u64) -> Answer<u64> {
    // SAFETY: forwarded.
    let text = unsafe { bytes(ptr, len) };
    with(th, |cx| {
        cx.heap.constant(|heap| heap.string(text)).map(word)
    })
}

pub(crate) unsafe fn value_function(
    th: *const Thread,
    code: *const u8,
    arity: u32,
    name: *mut u8,
    len: u64,
) -> Answer<u64> {
    // SAFETY: forwarded; the code is as the row says.
    let made = |heap: &Heap| unsafe { Function::make(heap, code, arity, bytes(name, len)) };
    with(th, |cx| cx.heap.constant(made).map(word))
}

pub(crate) unsafe fn value_closure(
    th: *const Thread,
    code: *const u8,
    arity: u32,
    name: *mut u8,
    len: u64,
    captured: *mut u8,
    count: u64,
) -> Answer<u64> {
    // SAFETY: forwarded; the row's contract: `count` value words, which `Value` is transparent
    // over; the code is as the row says.
    let made = |cx: &Cx<'_>| unsafe {
        let words: &[Value] = match count {
            0 => &[],
            _ => std::slice::from_raw_parts(captured.cast::<Value>(), count as usize),
        };
        Function::closure(cx.heap, code, arity, bytes(name, len), words)
    };
    with(th, |cx| made(cx).map(word))
}

pub(crate) unsafe fn value_box(th: *const Thread, v: u64) -> Answer<u64> {
    with(th, |cx| Boxed::make(cx.heap, val(v)).map(word))
}

pub(crate) unsafe fn value_native(th: *const Thread, id: u32) -> Answer<u64> {
    with(th, |cx| {
        cx.heap.constant(|heap| Native::make(heap, id)).map(word)
    })
}

pub(crate) unsafe fn value_native_call(
    th: *const Thread,
    id: u32,
    argv: *mut u8,
    argc: u32,
) -> Answer<u64> {
    let argv = argv.cast::<Value>().cast_const();
    let args: &[Value] = if argc == 0 || argv.is_null() || !argv.is_aligned() {
        &[]
    } else {
        // SAFETY: the row's contract: `argc` value words, which `Value` is transparent over.
        unsafe { std::slice::from_raw_parts(argv, argc as usize) }
    };
    with(th, |cx| natives::call(cx, id, args).map(word))
}

pub(crate) unsafe fn value_callee(th: *const Thread, f: u64, argc: u32) -> Answer<*const u8> {
    with(th, |cx| crate::call::callee(cx, val(f), argc))
}

pub(crate) unsafe fn value_add(th: *const Thread, a: u64, b: u64) -> Answer<u64> {
    with(th, |cx| arith::add(cx.heap, val(a), val(b)).map(word))
}

macro_rules! binary {
    ($($name:ident = $op:ident;)*) => { $(
        pub(crate) unsafe fn $name(th: *const Thread, a: u64, b: u64) -> Answer<u64> {
            with(th, |cx| arith::binary(cx.heap, Binary::$op, val(a), val(b)).map(word))
        }
    )* };
}

binary! {
    value_sub = Sub;
    value_mul = Mul;
    value_div = Div;
    value_rem = Rem;
    value_pow = Pow;
    value_bit_and = And;
    value_bit_or = Or;
    value_bit_xor = Xor;
    value_shl = Shl;
    value_shr = Shr;
}

pub(crate) unsafe fn value_neg(th: *const Thread, a: u64) -> Answer<u64> {
    with(th, |cx| arith::neg(cx.heap, val(a)).map(word))
}

pub(crate) unsafe fn value_bit_not(th: *const Thread, a: u64) -> Answer<u64> {
    with(th, |cx| arith::bit_not(cx.heap, val(a)).map(word))
}

pub(crate) unsafe fn value_eq(_: *const Thread, a: u64, b: u64) -> bool {
    compare::equal(val(a), val(b))
}

pub(crate) unsafe fn value_lt(th: *const Thread, a: u64, b: u64) -> Answer<bool> {
    with(th, |cx| compare::less(cx.heap, val(a), val(b)))
}

pub(crate) unsafe fn value_le(th: *const Thread, a: u64, b: u64) -> Answer<bool> {
    with(th, |cx| {
        compare::less(cx.heap, val(b), val(a)).map(|above| !above)
    })
}

pub(crate) unsafe fn value_gt(th: *const Thread, a: u64, b: u64) -> Answer<bool> {
    with(th, |cx| compare::less(cx.heap, val(b), val(a)))
}

pub(crate) unsafe fn value_ge(th: *const Thread, a: u64, b: u64) -> Answer<bool> {
    with(th, |cx| {
        compare::less(cx.heap, val(a), val(b)).map(|below| !below)
    })
}

pub(crate) unsafe fn value_to_f64(th: *const Thread, a: u64) -> Answer<f64> {
    match val(a).as_number() {
        Some(x) => Ok(x),
        None => with(th, |cx| Err(cx.heap.thrown(message::NUMBERS))),
    }
}

pub(crate) unsafe fn value_rem_f64(_: *const Thread, a: f64, b: f64) -> f64 {
    a % b
}

pub(crate) unsafe fn value_pow_f64(_: *const Thread, a: f64, b: f64) -> f64 {
    a.powf(b)
}

pub(crate) unsafe fn value_list(th: *const Thread, capacity: u64) -> Answer<u64> {
    with(th, |cx| List::make(cx.heap, capacity).map(word))
}

pub(crate) unsafe fn value_list_push(th: *const Thread, l: u64, v: u64) -> Answer<()> {
    with(th, |cx| match val(l).as_list() {
        Some(list) => list.push(cx.heap, val(v)),
        None => Err(cx.heap.thrown(message::NOT_A_LIST)),
    })
}

pub(crate) unsafe fn value_list_extend(
    th: *const Thread,
    l: u64,
    items: *mut u8,
    count: u64,
) -> Answer<()> {
    with(th, |cx| {
        let Some(list) = val(l).as_list() else {
            return Err(cx.heap.thrown(message::NOT_A_LIST));
        };
        for at in 0..count as usize {
            // SAFETY: compiled code passes the address of `count` words that are values.
            let word = unsafe { items.cast::<u64>().add(at).read() };
            list.push(cx.heap, val(word))?;
        }
        Ok(())
    })
}

pub(crate) unsafe fn value_dict(th: *const Thread) -> Answer<u64> {
    with(th, |cx| Dict::make(cx.heap).map(word))
}

pub(crate) unsafe fn value_dict_init(th: *const Thread, d: u64, k: u64, v: u64) -> Answer<()> {
    with(th, |cx| index::init(cx.heap, val(d), val(k), val(v)))
}

pub(crate) unsafe fn value_index(th: *const Thread, o: u64, i: u64) -> Answer<u64> {
    with(th, |cx| index::get(cx.heap, val(o), val(i)).map(word))
}

pub(crate) unsafe fn value_index_set(th: *const Thread, o: u64, i: u64, v: u64) -> Answer<()> {
    with(th, |cx| index::set(cx.heap, val(o), val(i), val(v)))
}

pub(crate) unsafe fn value_member(th: *const Thread, o: u64, name: u64) -> Answer<u64> {
    with(th, |cx| index::member(cx.heap, val(o), val(name)).map(word))
}

pub(crate) unsafe fn value_member_set(th: *const Thread, o: u64, name: u64, v: u64) -> Answer<()> {
    with(th, |cx| {
        index::set_member(cx.heap, val(o), val(name), val(v))
    })
}

pub(crate) unsafe fn value_print(th: *const Thread, v: u64) {
    if let Some(cx) = cx(th) {
        let mut line = text::of(val(v), Style::Print);
        line.push(b'\n');
        cx.heap.output().write(&line);
    }
}

pub(crate) unsafe fn value_fail(
    th: *const Thread,
    kind: u32,
    a: i64,
    b: i64,
    name: *mut u8,
    len: u64,
) -> Answer<()> {
    // SAFETY: forwarded.
    let name = unsafe { bytes(name, len) };
    with(th, |cx| {
        let thrown: Thrown = match kind {
            0 => {
                let name = String::from_utf8_lossy(name);
                cx.heap
                    .thrown_text(&format!("Undefined variable '{name}'."))
            }
            1 => crate::call::wrong_count(cx, a, b),
            2 => cx.heap.thrown(message::DIVISION_BY_ZERO),
            3 => cx.heap.thrown(message::MODULO_BY_ZERO),
            4 => cx.heap.thrown(message::NUMBERS),
            _ => cx.heap.thrown(message::INTERNAL),
        };
        Err(thrown)
    })
}

pub(crate) unsafe fn value_exception(th: *const Thread, exception: u64) -> u64 {
    match cx(th) {
        Some(cx) => {
            trace::clear(cx.th);
            exception::bind(cx.heap, val(exception)).word()
        }
        None => Value::NULL.word(),
    }
}

pub(crate) unsafe fn value_recovered(th: *const Thread, _: u64) {
    if let Some(cx) = cx(th) {
        trace::clear(cx.th);
    }
}
