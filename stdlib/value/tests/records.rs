//! Repairable records, with handlers in what stands for compiled code.
#![allow(unsafe_code, reason = "stands for compiled code")]

mod common;

use asr_abi::{Ret, Thread, repair_word, status};
use asr_value::isolate::{Limits, Reach, pack, unpack};
use asr_value::natives::{self, Cx};
use asr_value::object::{Dict, Function, Record};
use asr_value::ops::index;
use asr_value::{Heap, Isolate, Value, heap as heaps};
use common::{cx, message, native, string, text};

/// The accounts are of the whole process, and a runtime that has stopped counts no repairs.
static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// `func(r) { r["v"] = 1; }`
unsafe extern "C" fn set_one(th: *const Thread, _: u64, record: u64) -> Ret {
    // SAFETY: called by the library with this thread's state and value words.
    let (th, record) = unsafe { (&*th, Value::from_word(record)) };
    let heap = Heap::of(th);
    let key = heap.string(b"v").unwrap();
    index::set(heap, record, key, Value::int(1)).unwrap();
    Ret {
        value: Value::NULL.word(),
        status: 0,
    }
}

/// `func(r) { throw r; }`
unsafe extern "C" fn throws(_: *const Thread, _: u64, record: u64) -> Ret {
    Ret {
        value: record,
        status: status::THREW.into(),
    }
}

unsafe extern "C" fn refuses(_: *const Thread, _: u64, _: u64) -> Ret {
    Ret {
        value: Value::FALSE.word(),
        status: status::OK.into(),
    }
}

type Code = unsafe extern "C" fn(*const Thread, u64, u64) -> Ret;

fn function(cx: &Cx<'_>, code: Code, arity: u32) -> Value {
    // SAFETY: code of this signature, or never called because of its arity.
    unsafe { Function::make(cx.heap, code as *const u8, arity, b"fix").unwrap() }
}

fn record(cx: &Cx<'_>, kind: Value) -> Value {
    let fields = Dict::make(cx.heap).unwrap();
    native(cx, "asr.object", &[kind, fields])
}

fn fails(cx: &Cx<'_>, name: &str, args: &[Value]) -> String {
    message(natives::call(cx, natives::by_name(name).unwrap(), args))
}

fn stat(cx: &Cx<'_>, name: &str) -> f64 {
    let stats = native(cx, "asr.stats", &[]);
    index::get(cx.heap, stats, string(cx, name))
        .unwrap()
        .as_number()
        .unwrap()
}

const CODE: Value = Value::int(0x0500_0001);

#[test]
fn a_handler_of_the_program_repairs_in_place() {
    let _one = ONE_AT_A_TIME.lock();
    let cx = cx();
    let kind = string(&cx, "account");
    native(&cx, "asr.handler", &[kind, function(&cx, set_one, 1)]);
    let r = record(&cx, kind);
    let (key, before) = (string(&cx, "v"), stat(&cx, "inline_repaired"));
    index::set(cx.heap, r, key, Value::int(-7)).unwrap();
    assert_eq!(native(&cx, "asr.report", &[CODE, r]), Value::TRUE);
    assert_eq!(index::get(cx.heap, r, key), Ok(Value::int(1)));
    assert_eq!(index::member(cx.heap, r, key), Ok(Value::int(1)));
    assert_eq!(native(&cx, "asr.check", &[r]), r);
    assert_eq!(stat(&cx, "inline_repaired"), before + 1.0);
    let state = r.as_record().unwrap().heal();
    assert_eq!(
        state.repair.load(std::sync::atomic::Ordering::Relaxed) & repair_word::STATE,
        0
    );
    let missing = index::member(cx.heap, r, string(&cx, "zz"));
    assert_eq!(message(missing), "Undefined property 'zz'.");
    native(&cx, "println", &[r]);
    assert_eq!(cx.heap.output().take(), b"<instance account>\n");
}

#[test]
fn a_handler_that_throws_has_not_repaired() {
    let _one = ONE_AT_A_TIME.lock();
    let cx = cx();
    let kind = Value::int(4711);
    native(&cx, "asr.handler", &[kind, function(&cx, throws, 1)]);
    let r = record(&cx, kind);
    assert_eq!(native(&cx, "asr.report", &[CODE, r]), Value::FALSE);
    assert_eq!(fails(&cx, "asr.check", &[r]), "The record is damaged.");
    // One that answers false says so itself.
    let kind = Value::int(4712);
    native(&cx, "asr.handler", &[kind, function(&cx, refuses, 1)]);
    let r = record(&cx, kind);
    assert_eq!(native(&cx, "asr.report", &[CODE, r]), Value::FALSE);
    assert_eq!(fails(&cx, "asr.check", &[r]), "The record is damaged.");
    // No handler any more: what is reported now is kept from repair.
    native(&cx, "asr.handler", &[kind, Value::NULL]);
    let other = record(&cx, kind);
    assert_eq!(native(&cx, "asr.report", &[CODE, other]), Value::FALSE);
    assert_eq!(
        fails(&cx, "asr.check", &[other]),
        "The record is in quarantine."
    );
}

#[test]
fn wrong_uses_are_errors_of_the_language() {
    let _one = ONE_AT_A_TIME.lock();
    let cx = cx();
    let dict = Dict::make(cx.heap).unwrap();
    let kind = string(&cx, "k");
    for args in [
        &[][..],
        &[kind],
        &[Value::NULL, dict],
        &[Value::double(0.5), dict],
        &[kind, kind],
    ] {
        let text = fails(&cx, "asr.object", args);
        assert_eq!(text, "asr.object takes a type and a dictionary.");
    }
    let two = function(&cx, set_one, 2);
    for args in [
        &[][..],
        &[kind],
        &[dict, two],
        &[kind, two],
        &[kind, Value::int(1)],
    ] {
        let text = fails(&cx, "asr.handler", args);
        assert_eq!(
            text,
            "asr.handler takes a type and a function of one argument."
        );
    }
    for args in [
        &[][..],
        &[Value::int(-1), Value::NULL],
        &[CODE, dict],
        &[kind, Value::NULL],
    ] {
        assert_eq!(
            fails(&cx, "asr.report", args),
            "asr.report takes a code and a record."
        );
    }
    assert_eq!(
        fails(&cx, "asr.check", &[dict]),
        "asr.check takes a record."
    );
}

#[test]
fn the_layout_is_that_of_the_healer() {
    let _one = ONE_AT_A_TIME.lock();
    let cx = cx();
    let dict = Dict::make(cx.heap).unwrap();
    let v = Record::make(cx.heap, 77, Value::NULL, dict.as_dict().unwrap()).unwrap();
    let r = v.as_record().unwrap();
    assert_eq!(r.heal().type_id, 77);
    assert_eq!(r.heal_ptr() as usize - r as *const Record as usize, 32);
    // SAFETY: the header of a record.
    assert_eq!(unsafe { Record::of_heal(r.heal_ptr()) }, Some(v));
    assert_eq!(text(string(&cx, "x")), "x");
}

const LIMIT: Limits = Limits { heap: 1 << 20 };

#[test]
fn handlers_run_in_the_heap_of_their_isolate() {
    let _one = ONE_AT_A_TIME.lock();
    let cx = cx();
    let kind = string(&cx, "of the main isolate");
    native(&cx, "asr.handler", &[kind, function(&cx, set_one, 1)]);
    let r = record(&cx, kind);
    let header = r.as_record().unwrap().heal_ptr().expose_provenance();
    let reporter = std::thread::spawn(move || {
        let th = asr_kernel::thread::adopt();
        let header = std::ptr::with_exposed_provenance_mut(header);
        // SAFETY: the heap of the record lives.
        unsafe { asr_heal::report(th, 0x0500_0001, header) };
    });
    reporter.join().unwrap();
    let used = cx.heap.used();
    let mut isolate = Isolate::beside(cx.heap, LIMIT).unwrap();
    isolate.enter(cx.th, |heap| {
        let before = heap.used();
        asr_heal::home::at_probe(cx.th);
        assert!(std::ptr::eq(Heap::of(cx.th), heap));
        assert_eq!(heap.used(), before);
    });
    assert!(cx.heap.used() > used, "the handler made its key here");
    assert_eq!(index::get(cx.heap, r, string(&cx, "v")), Ok(Value::int(1)));
    assert_eq!(native(&cx, "asr.check", &[r]), r);
}

#[test]
fn records_cross_as_sound_ones_and_end_with_their_isolate() {
    let _one = ONE_AT_A_TIME.lock();
    let cx = cx();
    let kind = string(&cx, "crossing");
    let (r, bad) = (record(&cx, kind), record(&cx, kind));
    index::set(cx.heap, r, string(&cx, "self"), r).unwrap();
    let before = (Isolate::live(), heaps::reserved());
    let mut isolate = Isolate::beside(cx.heap, LIMIT).unwrap();
    let message_of = pack(cx.heap, &[r, kind], Reach::Program).unwrap();
    let copies = unpack(&message_of, isolate.heap()).unwrap();
    let copy = copies[0].as_record().unwrap();
    assert_eq!(copy.heal().type_id, r.as_record().unwrap().heal().type_id);
    isolate.enter(cx.th, |heap| {
        let cx = Cx { th: cx.th, heap };
        assert_eq!(
            index::get(heap, copies[0], string(&cx, "self")),
            Ok(copies[0])
        );
        assert_eq!(native(&cx, "asr.check", &[copies[0]]), copies[0]);
        assert_eq!(
            fails(&cx, "asr.report", &[CODE, copies[0]]),
            "Records are repaired in the main isolate."
        );
        assert_eq!(
            fails(&cx, "asr.handler", &[copies[1], function(&cx, set_one, 1)]),
            "Handlers belong to the main isolate."
        );
    });
    drop(isolate);
    assert_eq!((Isolate::live(), heaps::reserved()), before);

    // No handler: in quarantine from here on.
    native(&cx, "asr.report", &[CODE, bad]);
    let refused = pack(cx.heap, &[kind, bad], Reach::Program).unwrap_err();
    assert_eq!(
        refused.text("it"),
        "A record that waits for repair cannot cross to another isolate: it."
    );
    assert_eq!(refused.root, 1);
}
