//! Faults and error edges of compiled code: sites, codes, statuses through frames, cleanup.

mod common;

use asr_abi::Thread;
use common::*;

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
