//! Code in memory: calls, faults, edges, records, release.

#![allow(unsafe_code, reason = "reads code, and a byte that code wrote")]

mod common;

use std::sync::atomic::Ordering;

use asr_abi::status;
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
