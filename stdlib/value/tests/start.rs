//! Rows as compiled code calls them, and whole programs from start to exit code.
#![allow(unsafe_code, reason = "stands for compiled code")]

mod common;

use std::collections::HashMap;

use asr_abi::{Ret, Thread, status};
use asr_value::object::Function;
use asr_value::start::{Options, run_captured};
use asr_value::{TABLE, Value, symbols};
use common::{cx, native, string, text};

type Row2 = unsafe extern "C" fn(*const Thread, u64, u64) -> Ret;
type Fail = unsafe extern "C" fn(*const Thread, u32, i64, i64, *const u8, u64) -> Ret;
type Callee = unsafe extern "C" fn(*const Thread, u64, u32) -> Ret;

fn symbol(name: &str) -> *const u8 {
    let all: HashMap<_, _> = symbols().into_iter().collect();
    all[name]
}

fn call2(th: *const Thread, name: &str, a: Value, b: Value) -> Ret {
    // SAFETY: a row of two values.
    let row = unsafe { std::mem::transmute::<*const u8, Row2>(symbol(name)) };
    // SAFETY: this thread's state and its values.
    unsafe { row(th, a.word(), b.word()) }
}

#[test]
fn every_row_has_its_symbol() {
    let all: HashMap<_, _> = symbols().into_iter().collect();
    assert_eq!(all.len(), TABLE.rows.len());
    for row in TABLE.rows {
        assert!(!all[row.compiled_symbol().as_str()].is_null());
        assert!(row.name.starts_with("value_"));
        // What fails has thrown, and what waits may be cancelled.
        let expected = |status: &&str| *status == "THREW" || row.waits() && *status == "CANCELLED";
        assert!(row.fails.iter().all(expected), "{}", row.name);
    }
}

#[test]
fn rows_answer_value_and_status() {
    let cx = cx();
    let ok = |ret: Ret, v: Value| assert_eq!((ret.value, ret.status), (v.word(), 0));
    ok(
        call2(cx.th, "asr_i_value_add", Value::int(1), Value::int(2)),
        Value::int(3),
    );
    let truth = |name, a, b| call2(cx.th, name, Value::int(a), Value::int(b)).value;
    assert_eq!(
        [truth("asr_i_value_lt", 1, 2), truth("asr_i_value_lt", 2, 2)],
        [1, 0]
    );
    assert_eq!(
        [truth("asr_i_value_le", 2, 2), truth("asr_i_value_le", 3, 2)],
        [1, 0]
    );
    assert_eq!(
        [truth("asr_i_value_gt", 2, 1), truth("asr_i_value_gt", 2, 2)],
        [1, 0]
    );
    assert_eq!(
        [truth("asr_i_value_ge", 2, 2), truth("asr_i_value_ge", 1, 2)],
        [1, 0]
    );
    let thrown = call2(cx.th, "asr_i_value_div", Value::int(1), Value::int(0));
    assert_eq!(thrown.status, u64::from(status::THREW));
    // SAFETY: a value of this thread.
    let said = text(unsafe { Value::from_word(thrown.value) });
    assert_eq!(said, "Division by zero.");
}

#[test]
fn messages_of_the_compiler() {
    let cx = cx();
    // SAFETY: the row of this name.
    let fail = unsafe { std::mem::transmute::<*const u8, Fail>(symbol("asr_i_value_fail")) };
    for (kind, said) in [
        (0, "Undefined variable 'abc'."),
        (1, "Expected 2 arguments but got 3."),
        (2, "Division by zero."),
        (3, "Modulo by zero."),
        (4, "Operands must be numbers."),
        (99, "Internal error: a malformed value."),
    ] {
        // SAFETY: three bytes of a constant.
        let ret = unsafe { fail(cx.th, kind, 2, 3, b"abc".as_ptr(), 3) };
        assert_eq!(ret.status, u64::from(status::THREW));
        // SAFETY: a value of this thread.
        assert_eq!(text(unsafe { Value::from_word(ret.value) }), said);
    }
}

unsafe extern "C" fn answer(_: *const Thread, _: u64) -> Ret {
    Ret {
        value: Value::int(42).word(),
        status: 0,
    }
}

#[test]
fn callables() {
    let cx = cx();
    // SAFETY: the row of this name.
    let row = unsafe { std::mem::transmute::<*const u8, Callee>(symbol("asr_i_value_callee")) };
    // SAFETY: this thread's state and its values.
    let callee = |f: Value, argc| unsafe { row(cx.th, f.word(), argc) };
    let said = |ret: Ret| {
        assert_eq!(ret.status, u64::from(status::THREW));
        // SAFETY: a value of this thread.
        text(unsafe { Value::from_word(ret.value) })
    };
    // SAFETY: code without parameters besides itself.
    let f = unsafe { Function::make(cx.heap, answer as *const u8, 0, b"f").unwrap() };
    assert_eq!(callee(f, 0).value, answer as *const u8 as u64);
    assert_eq!(said(callee(f, 2)), "Expected 0 arguments but got 2.");
    for wrong in [Value::NULL, Value::int(1), string(&cx, "f")] {
        let text = "Can only call functions, classes, and foreign functions.";
        assert_eq!(said(callee(wrong, 0)), text);
    }
    let len = asr_value::object::Native::make(cx.heap, asr_value::natives::by_name("len").unwrap());
    let len = len.unwrap();
    let found = callee(len, 1);
    assert_eq!(found.status, 0);
    // SAFETY: the code of a native called with one argument.
    let ret = unsafe {
        let code = std::mem::transmute::<u64, Row2>(found.value);
        code(cx.th, len.word(), string(&cx, "four").word())
    };
    assert_eq!(ret.value, Value::int(4).word());
    assert_eq!(said(callee(len, 9)), "Natives take at most 8 arguments.");
}

fn program(main: impl FnOnce(&Thread) -> Ret) -> (i32, String, String) {
    let options = Options {
        args: vec![b"p".to_vec()],
        heap_limit: Some(1 << 20),
    };
    let (code, out, err) = run_captured(&options, main);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (code, text(out), text(err))
}

#[test]
fn programs_end_with_their_exit_code() {
    let print = |th: &Thread, text: &str| {
        let heap = asr_value::Heap::of(th);
        let cx = asr_value::natives::Cx { th, heap };
        native(&cx, "println", &[string(&cx, text)]);
    };
    let ok = Ret {
        value: Value::NULL.word(),
        status: 0,
    };
    let done = program(|th| {
        print(th, "hello");
        ok
    });
    assert_eq!(done, (0, "hello\n".into(), String::new()));
    let threw = program(|th| {
        print(th, "first");
        call2(th, "asr_i_value_sub", Value::NULL, Value::NULL)
    });
    let report = "runtime error: Operands must be numbers.\n";
    assert_eq!(threw, (70, "first\n".into(), report.into()));
    let number = program(|_| Ret {
        value: Value::double(1e20).word(),
        status: 2,
    });
    assert_eq!(number, (70, String::new(), "runtime error: 1e+20\n".into()));
    let cancelled = program(|_| Ret {
        value: 0,
        status: status::CANCELLED.into(),
    });
    assert_eq!(cancelled.0, 70);
    let fault = program(|_| Ret {
        value: Value::fault(0x1_0000_0001).word(),
        status: 2,
    });
    assert_eq!(fault, (70, String::new(), "runtime error: Fault.\n".into()));
}

#[test]
fn a_traceback_names_functions_and_lines() {
    use asr_abi::{CodeRecord, FuncEntry, Site, SiteTable};
    let func = |name: &'static str, at: usize| FuncEntry {
        entry: std::ptr::without_provenance(0x10_0000 + at),
        name: name.as_ptr(),
        file: std::ptr::null(),
        lines: std::ptr::null(),
        len: 16,
        name_len: name.len() as u32,
        file_len: 0,
        n_lines: 0,
    };
    let funcs: &'static [FuncEntry] =
        Box::leak(Box::new([func("inner", 0), func("program_main", 16)]));
    let site = |func, line, code| Site {
        func,
        line,
        col: 1,
        code,
    };
    let sites: &'static [Site] = Box::leak(Box::new([
        site(0, 3, 0x0100_0006),
        site(0, 5, 0),
        site(1, 9, 0),
    ]));
    let table: &'static SiteTable = Box::leak(Box::new(SiteTable {
        unit: 0x7e57,
        n_sites: sites.len() as u32,
        sites: sites.as_ptr(),
        funcs: funcs.as_ptr(),
        n_funcs: funcs.len() as u32,
        reserved: 0,
    }));
    let record: &'static CodeRecord = Box::leak(Box::new(CodeRecord {
        base: std::ptr::without_provenance(0x10_0000),
        len: 32,
        sites: table,
        frames: std::ptr::null(),
        version: u64::from(asr_abi::VERSION),
    }));
    // SAFETY: all of it is leaked.
    unsafe { asr_kernel::code::register(record) }.unwrap();
    let at = |index: u64| 0x7e57 << 32 | index;
    let (code, _, err) = program(|th| {
        let value = asr_kernel::thread::fault::raise(th, at(1), 0x0100_0006);
        asr_kernel::thread::trace::push(th, at(2));
        asr_kernel::thread::trace::push(th, at(3));
        Ret { value, status: 2 }
    });
    assert_eq!(code, 70);
    let lines = "  [line 3] in inner()\n  [line 5] in inner()\n  [line 9] in script\n";
    assert_eq!(err, format!("runtime error: Stack overflow.\n{lines}"));
    // What a recovery binds is the message, and the trace is forgotten.
    let (code, out, err) = program(|th| {
        let word = asr_kernel::thread::fault::raise(th, at(1), 0x0100_0006);
        // SAFETY: a row of one value; the second argument is not looked at.
        let bound = call2(
            th,
            "asr_i_value_exception",
            unsafe { Value::from_word(word) },
            Value::NULL,
        );
        Ret {
            value: bound.value,
            status: 2,
        }
    });
    assert_eq!((code, out.as_str()), (70, ""));
    assert_eq!(err, "runtime error: Stack overflow.\n");
}
