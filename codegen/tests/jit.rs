//! Code in memory: calls, faults, edges, records, release.

#![allow(unsafe_code, reason = "reads code, and a byte that code wrote")]

mod common;

use std::sync::atomic::Ordering;

use asr_abi::{Thread, status};
use asr_codegen::jit::Unit;
use asr_codegen::{Error, Options, ProbeMode};
use common::*;

const FIB: &str = r#"
module "fib" unit 1
fn @fib(%n: i64) -> i64 {
  local %a: i64
  local %b: i64
  local %small: bool
entry:
  %small = cmp.slt.i64 %n, 2
  branch %small, base, step
base:
  return %n
step:
  %n = sub.i64 %n, 1
  %a = call @fib(%n)
  %n = sub.i64 %n, 1
  %b = call @fib(%n)
  %a = add.i64 %a, %b
  return %a
}
export fn @main(%n: i64) -> i64 {
entry:
  %n = call @fib(%n)
  return %n
}
"#;

#[test]
fn a_function_runs() {
    let unit = load(FIB);
    assert_eq!(call(&unit, "main", &[20]), (6765, 0));
    assert!(
        unit.lookup("fib").is_none(),
        "local functions are not found"
    );
    assert!(unit.release().is_ok());
}

#[test]
fn an_unknown_symbol_is_an_error_that_names_it() {
    let text = r#"
module "m" unit 1
extern fn @no_such_symbol() -> i32
export fn @main() -> i32 {
  local %r: i32
entry:
  %r = call.extern @no_such_symbol()
  return %r
}
"#;
    let options = Options {
        probes: ProbeMode::AsIs,
        ..Options::default()
    };
    let prepared = prepared(text, &options);
    let refused = Unit::load(&prepared, &symbols(), Box::new(log())).err();
    let expected = Error::UnknownSymbols(vec!["no_such_symbol".into()]);
    assert_eq!(refused, Some(expected));
}

#[test]
fn a_unit_in_use_is_not_released() {
    let prepared = prepared(FIB, &Options::default());
    let log = log();
    let unit = Unit::load(&prepared, &symbols(), Box::new(log)).expect("loads");
    log.unregister.store(status::BUSY, Ordering::Relaxed);
    let (unit, error) = unit.release().expect_err("busy");
    assert_eq!(error, Error::Busy);
    assert_eq!(call(&unit, "main", &[10]), (55, 0));
    log.unregister.store(status::OK, Ordering::Relaxed);
    assert!(unit.release().is_ok());
}

#[test]
fn externs_take_the_convention_of_c() {
    let unit = load(
        r#"
module "m" unit 1
extern fn @mix(i32, f64, bool) -> i32
export fn @main(%a: i32) -> i32 {
entry:
  %a = call.extern @mix(%a, 2.5, true)
  return %a
}
"#,
    );
    assert_eq!(call(&unit, "main", &[40]), (43, 0));
    // A narrow result is zero-extended.
    assert_eq!(
        call(&unit, "main", &[-10i64 as u64]),
        (-7i32 as u32 as u64, 0)
    );
}

/// `mov %rbp, %rsp; pop %rbp; ret` at the end of a function makes the return wait for memory.
#[test]
#[cfg(target_arch = "x86_64")]
fn no_epilogue_reloads_the_stack_pointer() {
    for text in [FIB, FAULTS_TEXT] {
        let unit = load(text);
        let record = unit.record();
        // SAFETY: the record covers the unit's code, which stays loaded and is readable.
        let code =
            unsafe { std::slice::from_raw_parts(record.base.cast::<u8>(), record.len as usize) };
        let looks = |bytes: &[u8]| code.windows(bytes.len()).any(|other| other == bytes);
        assert!(looks(&[0x5d, 0xc3]), "there are returns");
        assert!(!looks(&[0x48, 0x89, 0xec, 0x5d, 0xc3]));
        assert!(unit.release().is_ok());
    }
}

/// Constants and offsets that look like the code whose epilogues are changed after compiling.
#[test]
fn code_that_looks_like_an_epilogue_is_left_alone() {
    // The offset is the sum of two that look like nothing: 0x5dec8948, before a byte 0xc3.
    let unit = load(
        r#"
module "m" unit 1
export fn @store(%a: i64) -> i64 {
  local %p: ptr
entry:
  %a = add.i64 %a, 787891364
  %p = convert.bitcast.i64.ptr %a
  store.i8 -61, %p + 787891364
  return 1
}
export fn @whole() -> i64 {
entry:
  return 0x00c35dec89480000
}
export fn @add() -> i64 {
entry:
  return 0x20c48348
}
export fn @mixed(%a: i64) -> i64 {
  local %c: bool
entry:
  %c = cmp.eq.i64 %a, 0x00c35dec89480000
  branch %c, yes, no
yes:
  return 0x20c4834800000000
no:
  return %a
}
"#,
    );
    let mut byte = 0u8;
    let address = (&raw mut byte).expose_provenance() as u64;
    let before = address.wrapping_sub(2 * 787_891_364);
    assert_eq!(call(&unit, "store", &[before]), (1, 0));
    // SAFETY: the code that wrote the byte has returned.
    assert_eq!(unsafe { (&raw const byte).read_volatile() }, 0xc3);
    assert_eq!(call(&unit, "whole", &[]), (0x00c3_5dec_8948_0000, 0));
    assert_eq!(call(&unit, "add", &[]), (0x20c4_8348, 0));
    assert_eq!(call(&unit, "mixed", &[7]), (7, 0));
    let yes = call(&unit, "mixed", &[0x00c3_5dec_8948_0000]);
    assert_eq!(yes, (0x20c4_8348_0000_0000, 0));
    assert!(unit.release().is_ok());
}

#[test]
fn abi_36_part_stubs_are_compiled_once_and_copied_into_each_unit() {
    // What waits: cells and tasks that keep a unit in use.
    let first = load(FAULTS_TEXT);
    // One more function before the stub: the function it calls has another number here.
    let more = "export fn @one() {\nentry:\n  return\n}\n";
    let second = load(&format!("{FAULTS_TEXT}{more}"));
    let stub = |unit: &Unit| {
        let stub = unit
            .stats()
            .iter()
            .find(|func| func.name == "asr.stub.fault");
        stub.cloned().expect("a division may fault")
    };
    assert_eq!(stub(&first).code_bytes, stub(&second).code_bytes);
    assert_eq!(stub(&second).clif_insts, 0, "the second was not compiled");
    // Each unit's record covers its own copy.
    let range = |unit: &Unit| {
        let start = unit.record().base.addr();
        start..start + unit.record().len as usize
    };
    let (one, two) = (range(&first), range(&second));
    assert!(one.end <= two.start || two.end <= one.start);
    for unit in [&first, &second] {
        reset();
        assert_eq!(call(unit, "div", &[1, 0]).1, u64::from(status::THREW));
        assert_eq!(FAULTS.take().len(), 1);
        let bytes: u32 = unit.stats().iter().map(|func| func.code_bytes).sum();
        assert!(unit.record().len >= u64::from(bytes));
    }
    assert!(first.release().is_ok());
    // The first unit is gone with its stub; the second has its own.
    assert_eq!(call(&second, "div", &[1, 0]).1, u64::from(status::THREW));
    assert_eq!(call(&second, "div", &[6, 2]), (3, 0));
    assert!(second.release().is_ok());
}

const FAULTS_TEXT: &str = r#"
module "m" unit 7
export fn @div(%a: i32, %b: i32) -> i32 throws {
entry:
  %a = sdiv.i32 %a, %b
  return %a
}
export fn @rem(%a: i64, %b: i64) -> i64 throws {
entry:
  %a = srem.i64 %a, %b
  return %a
}
export fn @bounds(%i: i64, %n: i64) -> i64 throws {
entry:
  check.bounds.i64 %i, %n
  return 1
}
export fn @null(%p: ptr) -> i64 throws {
entry:
  check.null %p
  return 1
}
export fn @unreachable() throws {
entry:
  unreachable
}
export fn @stack() -> i64 throws {
entry:
  check.stack
  return 1
}
export fn @caught(%a: i64, %b: i64) -> value {
  local %e: value
entry:
  %a = udiv.i64 %a, %b recover rescue(%e)
  %e = convert.bitcast.i64.value %a
  return %e
rescue:
  return %e
}
"#;

#[test]
fn abi_24_part_each_fault_has_a_site_and_a_code() {
    // What waits for the runtime: the anomaly of class 01 and the ledger.
    let unit = load(FAULTS_TEXT);
    let min = i32::MIN as u32 as u64;
    let site = |n: u64| 7 << 32 | n;
    assert_eq!(call(&unit, "div", &[100, 7]), (14, 0));
    let minus = -1i32 as u32 as u64;
    assert_eq!(call(&unit, "rem", &[i64::MIN as u64, u64::MAX]), (0, 0));
    let cases: [(&str, &[u64], u64, u32); 7] = [
        ("div", &[100, 0], site(1), 0x0100_0001),
        ("div", &[min, minus], site(2), 0x0100_0007),
        ("rem", &[100, 0], site(3), 0x0100_0001),
        ("bounds", &[3, 3], site(4), 0x0100_0003),
        ("null", &[0], site(5), 0x0100_0004),
        ("unreachable", &[], site(6), 0x0100_0005),
        ("caught", &[1, 0], site(8), 0x0100_0001),
    ];
    for (name, args, site, code) in cases {
        reset();
        let expected = if name == "caught" { 0 } else { 2 };
        assert_eq!(
            call(&unit, name, args),
            (FAULT_WORD | site, expected),
            "{name}"
        );
        assert_eq!(FAULTS.take(), [(site, code)], "{name}");
        assert!(TRACE.take().is_empty(), "the word names the site");
    }
    let th = Thread::new();
    assert_eq!(call_on(&th, &unit, "stack", &[]).status, 0);
    th.stack_limit.set(usize::MAX);
    assert_eq!(call_on(&th, &unit, "stack", &[]).status, 2);
    assert_eq!(FAULTS.take(), [(site(7), 0x0100_0006)]);
}

#[test]
fn abi_24_part_conversions_fault_just_beyond_their_range() {
    for (from, bits) in [("f32", 32), ("f64", 64)] {
        for (to, width) in [("i8", 8), ("i16", 16), ("i32", 32), ("i64", 64)] {
            for (op, signed) in [("ftos", true), ("ftou", false)] {
                let text = format!(
                    "module \"m\" unit 1\nexport fn @f(%b: i{bits}) -> {to} throws {{\n  \
                     local %x: {from}\n  local %r: {to}\nentry:\n  \
                     %x = convert.bitcast.i{bits}.{from} %b\n  \
                     %r = convert.{op}.{from}.{to} %x\n  return %r\n}}\n"
                );
                let unit = load(&text);
                let low = if signed { -(2f64.powi(width - 1)) } else { 0.0 };
                let high = 2f64.powi(if signed { width - 1 } else { width });
                let mut inputs = vec![f64::NAN, f64::INFINITY, -f64::INFINITY, 0.0, -0.0, 1.9];
                for edge in [
                    low,
                    high,
                    low - 1.0,
                    high - 1.0,
                    low - 0.5,
                    high - 0.5,
                    -1.0,
                    -0.99,
                ] {
                    inputs.extend([edge, edge.next_up(), edge.next_down()]);
                    inputs.push(f64::from((edge as f32).next_up()));
                    inputs.push(f64::from((edge as f32).next_down()));
                }
                for x in inputs {
                    let x = if bits == 32 { f64::from(x as f32) } else { x };
                    let raw = if bits == 32 {
                        u64::from((x as f32).to_bits())
                    } else {
                        x.to_bits()
                    };
                    let whole = x.trunc();
                    let fits = whole >= low && whole < high;
                    let (value, status) = call(&unit, "f", &[raw]);
                    assert_eq!(status == 0, fits, "{op} {from} {to} {x:?}");
                    if fits {
                        let mask = u64::MAX >> (64 - width);
                        let expected = if signed {
                            whole as i64 as u64
                        } else {
                            whole as u64
                        };
                        assert_eq!(value, expected & mask, "{op} {from} {to} {x:?}");
                    }
                }
            }
        }
    }
}

const EDGES: &str = r#"
module "m" unit 1
use core
fn @inner(%p: ptr) -> i64 throws {
entry:
  intrinsic checked_access(%p)
  return 5
}
fn @middle(%p: ptr) -> i64 throws {
  local %r: i64
entry:
  %r = call @inner(%p)
  return %r
}
export fn @outer(%p: ptr) -> i64 throws {
  local %r: i64
entry:
  %r = call @middle(%p)
  %r = add.i64 %r, 1
  return %r
}
export fn @binds(%p: ptr) -> value throws {
  local %r: i64
  local %e: value
entry:
  %r = call @middle(%p) recover caught(%e)
  %e = convert.bitcast.i64.value %r
  return %e
caught:
  return %e
}
export fn @cleans(%p: ptr) -> i64 throws {
  local %r: i64
  local %v: value
  local %s: i64
entry:
  %r = call @middle(%p) recover caught cleanup out(%v, %s)
  return %r
caught:
  return 77
out:
  intrinsic taint_add(8)
  raise %v, %s
}
export fn @throws(%x: value) -> i64 throws {
entry:
  throw %x
}
"#;

#[test]
fn abi_27_part_each_status_through_three_frames() {
    // What waits: migration at awaits, with asynchronous functions.
    let unit = load(EDGES);
    assert_eq!(call(&unit, "outer", &[0]), (6, 0));
    for status in 2..=37 {
        reset();
        assert_eq!(call(&unit, "outer", &[status]), (status, status));
        let trace = TRACE.take();
        assert_eq!(trace.len(), 3, "intrinsic and two calls: {trace:?}");
        let word = match status {
            2 => (2, 0),
            3 => (3, 3),
            _ => (0xFFFD << 48 | status, 0),
        };
        assert_eq!(call(&unit, "binds", &[status]), word, "cancellation passes");
    }
}

#[test]
fn abi_23_part_cleanup_runs_and_recovery_does_not_when_cancelled() {
    // What waits: masks and regions.
    let unit = load(EDGES);
    let th = Thread::new();
    let ret = call_on(&th, &unit, "cleans", &[2]);
    assert_eq!((ret.value, ret.status, th.taint.get()), (77, 0, 0));
    let ret = call_on(&th, &unit, "cleans", &[3]);
    assert_eq!((ret.value, ret.status, th.taint.get()), (3, 3, 8));
}

#[test]
fn throw_notes_its_site() {
    let unit = load(EDGES);
    reset();
    assert_eq!(call(&unit, "throws", &[99]), (99, 2));
    assert_eq!(TRACE.take().len(), 1);
}

#[test]
fn narrow_and_float_results_travel_as_bits() {
    let unit = load(
        r#"
module "m" unit 1
export fn @f64() -> f64 {
entry:
  return 1.5
}
fn @local32(%x: f32) -> f32 {
entry:
  %x = fadd.f32 %x, 0.25
  return %x
}
export fn @f32() -> f32 {
  local %x: f32
entry:
  %x = call @local32(1.5)
  return %x
}
export fn @i8(%x: i8) -> i8 {
entry:
  %x = add.i8 %x, -1
  return %x
}
"#,
    );
    assert_eq!(call(&unit, "f64", &[]), (1.5f64.to_bits(), 0));
    assert_eq!(call(&unit, "f32", &[]), (u64::from(1.75f32.to_bits()), 0));
    assert_eq!(call(&unit, "i8", &[0]), (255, 0));
}
