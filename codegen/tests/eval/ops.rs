//! What each instruction computes.

use super::{call, call_on, host};
use asr_codegen::eval::Limits;

/// Evaluates `%r = op` in a function with parameters `a` and `b` of a type.
fn op(ty: &str, ret: &str, op: &str, a: u64, b: u64) -> (u64, u64) {
    let text = format!(
        "fn @f(%a: {ty}, %b: {ty}) -> {ret} throws {{\n  local %r: {ret}\nentry:\n  \
         %r = {op}\n  return %r\n}}"
    );
    call(&text, &[a, b])
}

fn int(name: &str, ty: &str, a: i64, b: i64) -> (u64, u64) {
    let mask = u64::MAX >> (64 - ty[1..].parse::<u32>().expect("a width"));
    op(
        ty,
        ty,
        &format!("{name}.{ty} %a, %b"),
        a as u64 & mask,
        b as u64 & mask,
    )
}

#[test]
fn integers_wrap_in_their_width() {
    assert_eq!(int("add", "i8", 127, 1), (0x80, 0));
    assert_eq!(int("sub", "i16", 0, 1), (0xffff, 0));
    assert_eq!(int("mul", "i32", 1 << 31, 3), (1 << 31, 0));
    assert_eq!(int("add", "i64", i64::MAX, 1), (1 << 63, 0));
    assert_eq!(int("smin", "i8", -1, 1), (0xff, 0));
    assert_eq!(int("umin", "i8", -1, 1), (1, 0));
    assert_eq!(int("smax", "i8", -1, 1), (1, 0));
    assert_eq!(int("umax", "i8", -1, 1), (0xff, 0));
}

#[test]
fn shifts_take_their_count_modulo_the_width() {
    assert_eq!(int("shl", "i8", 1, 9), (2, 0));
    assert_eq!(int("sshr", "i8", -128, 8 + 7), (0xff, 0));
    assert_eq!(int("ushr", "i8", -128, 8 + 7), (1, 0));
    assert_eq!(int("shl", "i64", 1, 64), (1, 0));
    assert_eq!(int("shl", "i32", 1, -1), (1 << 31, 0));
}

#[test]
fn divisions_fault_as_they_should() {
    assert_eq!(int("sdiv", "i8", -7, 2), (0xfd, 0));
    assert_eq!(int("srem", "i8", -7, 2), (0xff, 0));
    assert_eq!(int("udiv", "i8", -7, 2), (124, 0));
    assert_eq!(int("srem", "i64", i64::MIN, -1), (0, 0));
    // unit 3, the first site: zero; the second: overflow.
    let word = |site: u64| 0xFFFC << 48 | 3 << 32 | site;
    assert_eq!(int("sdiv", "i8", -128, -1), (word(2), 2));
    for name in ["sdiv", "udiv"] {
        assert_eq!(int(name, "i32", 1, 0), (word(1), 2));
    }
    assert_eq!(int("srem", "i64", 1, 0), (word(1), 2));
    assert_eq!(
        op("i64", "i64", "sdiv.i64 %a, -1", 1 << 63, 0),
        (word(1), 2)
    );
}

#[test]
fn bits_are_counted_in_their_width() {
    let one = |name: &str, ty: &str, x| op(ty, ty, &format!("{name}.{ty} %a"), x, 0).0;
    assert_eq!(one("clz", "i8", 1), 7);
    assert_eq!(one("clz", "i16", 0), 16);
    assert_eq!(one("ctz", "i8", 0), 8);
    assert_eq!(one("ctz", "i32", 8), 3);
    assert_eq!(one("popcnt", "i8", 0xff), 8);
    assert_eq!(one("neg", "i8", 1), 0xff);
    assert_eq!(one("not", "i16", 1), 0xfffe);
    assert_eq!(one("not", "bool", 1), 0);
}

#[test]
fn overflow_is_told() {
    let sum = |ty, name: &str, a: u64, b: u64| {
        let text = format!(
            "fn @f(%a: {ty}, %b: {ty}) -> bool {{\n  local %r: {ty}\n  local %o: bool\nentry:\n  \
             %r, %o = {name}.{ty} %a, %b\n  return %o\n}}"
        );
        call(&text, &[a, b]).0
    };
    assert_eq!(sum("i8", "sadd_overflow", 127, 1), 1);
    assert_eq!(sum("i8", "sadd_overflow", 0xff, 1), 0);
    assert_eq!(sum("i64", "smul_overflow", 1 << 62, 2), 1);
    assert_eq!(sum("i64", "ssub_overflow", 0, 1 << 63), 1);
    assert_eq!(sum("i32", "ssub_overflow", 0, 1 << 31), 1);
    assert_eq!(sum("i32", "smul_overflow", 0xffff_ffff, 5), 0);
}

#[test]
fn floats_follow_ieee() {
    let f64s = |name: &str, a: f64, b: f64| {
        let text = format!("{name}.f64 %a, %b");
        f64::from_bits(op("f64", "f64", &text, a.to_bits(), b.to_bits()).0)
    };
    assert_eq!(f64s("fdiv", 1.0, 0.0), f64::INFINITY);
    assert!(f64s("fsub", f64::INFINITY, f64::INFINITY).is_nan());
    assert_eq!(f64s("fadd", 0.1, 0.2), 0.1 + 0.2);
    let f32s = |name: &str, x: f32| {
        let text = format!("{name}.f32 %a");
        f32::from_bits(op("f32", "f32", &text, x.to_bits().into(), 0).0 as u32)
    };
    assert_eq!(f32s("fnearest", 2.5), 2.0);
    assert_eq!(f32s("fsqrt", 2.0), 2.0f32.sqrt());
    assert_eq!(f32s("fneg", 0.0).to_bits(), (-0.0f32).to_bits());
    assert_eq!(f32s("fabs", -1.5), 1.5);
    assert_eq!(
        (
            f32s("ffloor", -1.5),
            f32s("fceil", -1.5),
            f32s("ftrunc", -1.5)
        ),
        (-2.0, -1.0, -1.0)
    );
    let holds = |name: &str, a: f64, b: f64| {
        op(
            "f64",
            "bool",
            &format!("cmp.{name}.f64 %a, %b"),
            a.to_bits(),
            b.to_bits(),
        )
        .0 == 1
    };
    let nan = f64::NAN;
    assert!(!holds("feq", nan, nan) && holds("fne", nan, nan) && !holds("fge", nan, nan));
    assert!(holds("feq", 0.0, -0.0) && holds("flt", -1.0, 1.0) && holds("fle", 1.0, 1.0));
}

#[test]
fn comparisons_and_select() {
    let holds = |name: &str, ty: &str, a: u64, b: u64| {
        op(ty, "bool", &format!("cmp.{name}.{ty} %a, %b"), a, b).0 == 1
    };
    assert!(holds("slt", "i8", 0xff, 0) && !holds("ult", "i8", 0xff, 0));
    assert!(holds("uge", "ptr", u64::MAX, 1) && holds("ne", "value", 1, 2));
    let select = "select.i64 true, %a, %b";
    assert_eq!(op("i64", "i64", select, 7, 8).0, 7);
}

#[test]
fn memory_globals_slots_and_data() {
    let text = "data @d = \"\\01\\02\\ff\\80\"
global @g: i16 = -2
fn @f() -> i64 {
  local %p: ptr
  local %b: i8
  local %s: i16
  local %w: i32
  local %r: i64
  local %x: i64
  slot $first 3 align 1
  slot $m 8 align 8
entry:
  %p = addr.data @d
  %s = load.i16 %p + 2
  %r = convert.sext.i16.i64 %s
  %s = global.get @g
  global.set @g, 5
  %x = convert.sext.i16.i64 %s
  %r = mul.i64 %r, %x
  %s = global.get @g
  %x = convert.zext.i16.i64 %s
  %r = add.i64 %r, %x
  %p = addr.slot $m
  store.i64 -1, %p
  store.i8 0, %p + 3
  %w = load.i32 %p
  %x = convert.zext.i32.i64 %w
  %r = add.i64 %r, %x
  return %r
}";
    let expected = (0x80ffu16 as i16 as i64 * -2 + 5 + 0x00ff_ffff) as u64;
    assert_eq!(call(text, &[]), (expected, 0));
}

#[test]
fn chunks_end_at_the_end() {
    let chunk = |i: i64, end: i64, step: i64, count: u64| {
        let text = format!(
            "fn @f(%i: i8, %e: i8) -> i8 {{\n  local %r: i8\nentry:\n  \
             %r = chunk.i8 %i, %e, {step}, {count}\n  return %r\n}}"
        );
        call(&text, &[i as u8 as u64, end as u8 as u64]).0 as u8 as i8
    };
    assert_eq!(chunk(0, 100, 1, 10), 10);
    assert_eq!(chunk(95, 100, 1, 10), 100);
    assert_eq!(chunk(120, 127, 1, 1024), 127);
    assert_eq!(chunk(0, -100, -3, 10), -30);
    assert_eq!(chunk(-120, -128, -1, 4_294_967_295), -128);
}

#[test]
fn switches_calls_and_foreign_functions() {
    let text = "extern fn @twice(i32) -> i32
fn @g(%x: i32, %y: i8) -> i32 {
entry:
  return %x
}
fn @f(%k: i8) -> i32 {
  local %r: i32
  local %p: ptr
entry:
  switch.i8 %k, [-1: direct, 1: indirect, 2: foreign, 3: dirty], other
direct:
  %r = call @g(-5, 0)
  return %r
indirect:
  %p = addr.func @g
  %r = call.indirect (i32, i8) -> i32, %p(7, 0)
  return %r
foreign:
  %r = call.extern @twice(-4)
  return %r
dirty:
  %r = intrinsic test_dirty(9)
  return %r
other:
  return 99
}";
    let mut host = host();
    let twice = |bits: u64| u64::from((bits as u32).wrapping_mul(2));
    host.externs
        .insert("twice".into(), Box::new(move |_, args| Ok(twice(args[0]))));
    for (key, expected) in [(0xff, -5), (1, 7), (2, -8), (3, 9), (4, 99)] {
        let (ret, _) = call_on(&mut host, Limits::default(), text, &[key]);
        assert_eq!(
            ret.map(|ret| ret.value),
            Ok(u64::from(expected as u32)),
            "{key}"
        );
    }
}
