//! The tables of asynchronous functions: frames, suspend points, what lives across each.

#![allow(unsafe_code, reason = "reads the tables of a loaded unit")]

mod common;

use std::ffi::c_void;

use asr_abi::{FrameMeta, Ret, Thread, status};
use asr_codegen::jit::Unit;
use asr_codegen::{Options, ProbeMode, air, prepare};
use asr_intrinsics::{CORE, SYNC, TASKS};

const TEXT: &str = r#"
module "frames" unit 5
use tasks
use sync

; 32 header, two parameters; `%v` lives across, `%n` does not. Two other locals, one word.
async fn @leaf(%v: value, %n: i64) -> value throws {
  local %a: i64
  local %b: f64
  local %one: bool
entry:
  %a = add.i64 %n, 1
  %b = convert.stof.i64.f64 %n
  %one = cmp.eq.i64 %n, 1
  branch %one, first, second
first:
  intrinsic sleep(%a)
  %a = add.i64 %a, 1
  intrinsic sleep(%a) recover caught
  return %v
second:
  %a = intrinsic chan_recv(7)
  %b = fadd.f64 %b, 1.0
  return %v
caught:
  return 0
}

; One parameter, a slot that is as large as two words, a child on the heap, one that is embedded.
async fn @turn(%v: value) -> value throws {
  local %w: value
  slot $s 16 align 8
entry:
  %w = await @turn(%v)
  %v = await @leaf(%w, 1)
  return %w
}

; Nothing suspends: no points, but a frame.
async fn @now(%n: i64) -> i64 {
entry:
  return %n
}

export async fn @main() -> i64 throws {
  local %t: task
  local %n: i64
  local %x: i64
entry:
  %t = spawn @turn(5)
  %x = await @now(3)
  probe.explicit
  %n = intrinsic join(%t)
  %n = add.i64 %n, %x
  return %n
}

export fn @sync() -> i64 {
entry:
  return 1
}
"#;

/// What the tables say of one suspend point.
#[derive(Debug, PartialEq, Eq)]
struct Point {
    site: u64,
    refs: Vec<u32>,
    slots: Vec<u32>,
    children: Vec<u32>,
}

fn point(site: u64, refs: &[u32], slots: &[u32], children: &[u32]) -> Point {
    Point {
        site: 5 << 32 | site,
        refs: refs.to_vec(),
        slots: slots.to_vec(),
        children: children.to_vec(),
    }
}

/// Name, bytes and suspend points.
type Frame = (String, u32, Vec<Point>);

unsafe extern "C" fn nothing(_: *const Thread) -> Ret {
    Ret {
        value: 0,
        status: u64::from(status::OK),
    }
}

fn load() -> Unit {
    let parsed = air::parse(TEXT.as_bytes()).unwrap_or_else(|errors| panic!("{errors:?}"));
    let tables = [&CORE, &TASKS, &SYNC];
    if let Err(errors) = air::verify(&parsed.module, &tables) {
        panic!("{errors:?}");
    }
    let options = Options {
        probes: ProbeMode::AsIs,
        ..Options::default()
    };
    let prepared = prepare(&parsed.module, &tables, &options).expect("it is prepared");
    let mut symbols = common::symbols();
    let names = [
        "asr_i_frame_alloc",
        "asr_i_frame_free",
        "asr_i_task_new",
        "asr_i_task_start",
        "asr_i_op_poll",
        "asr_i_sleep",
        "asr_i_chan_recv",
        "asr_i_join",
    ];
    symbols.extend(names.map(|name| (name, nothing as *const u8)));
    Unit::load(&prepared, &symbols, Box::new(common::log())).expect("it loads")
}

fn list(first: *const u32, len: u32) -> Vec<u32> {
    match len {
        0 => {
            assert!(first.is_null());
            Vec::new()
        }
        // SAFETY: the unit is loaded, and its tables have as many entries as they say.
        len => unsafe { std::slice::from_raw_parts(first, len as usize).to_vec() },
    }
}

fn frame(meta: &FrameMeta) -> Frame {
    // SAFETY: as above.
    let (name, points) = unsafe {
        let name = std::slice::from_raw_parts(meta.name, meta.name_len as usize);
        let points: &[asr_abi::SuspendPoint] = match meta.n_points {
            0 => &[],
            len => std::slice::from_raw_parts(meta.points, len as usize),
        };
        (name, points)
    };
    let points = points.iter().map(|point| Point {
        site: point.site,
        refs: list(point.refs, point.n_refs),
        slots: list(point.slots, point.n_slots),
        children: list(point.children, point.n_children),
    });
    let name = String::from_utf8(name.to_vec()).expect("UTF-8");
    (name, meta.size, points.collect())
}

/// Poll addresses and frames.
fn frames(unit: &Unit) -> Vec<(*const c_void, Frame)> {
    // SAFETY: as above.
    let entries = unsafe {
        let table = &*unit.record().frames;
        std::slice::from_raw_parts(table.frames, table.len as usize)
    };
    let entries = entries.iter();
    // SAFETY: as above.
    entries
        .map(|entry| (entry.poll, frame(unsafe { &*entry.meta })))
        .collect()
}

#[test]
fn abi_46_part_each_suspend_point_lists_references_slots_and_children() {
    // What waits: operations that outgrow their class, with the runtime.
    let unit = load();
    let found: Vec<Frame> = frames(&unit).into_iter().map(|(_, frame)| frame).collect();
    let expected: [Frame; 4] = [
        // Header, %v, %n, one word for %a or %b; the slot of a channel is 128 bytes at 64.
        (
            "leaf".into(),
            192,
            vec![
                point(1, &[32], &[64], &[]),
                point(2, &[32], &[64], &[]),
                point(3, &[32], &[64], &[]),
            ],
        ),
        // Header, %v, %w, the words of the slot; the area at 64: 8 bytes, or the leaf's 192.
        (
            "turn".into(),
            256,
            vec![
                point(4, &[48, 56], &[], &[64]),
                point(5, &[40, 48, 56], &[], &[]),
            ],
        ),
        ("now".into(), 48, vec![]),
        // Header, %t and %x, at 48 the frame of `now` or the slot of the join.
        (
            "main".into(),
            112,
            vec![point(8, &[], &[], &[]), point(9, &[], &[48], &[])],
        ),
    ];
    assert_eq!(found, expected);
    assert!(unit.release().is_ok());
}

#[test]
fn abi_48_part_every_poll_address_is_found() {
    let unit = load();
    let polls: Vec<_> = frames(&unit).into_iter().map(|(poll, _)| poll).collect();
    assert!(polls.is_sorted(), "the registry searches by bisection");
    let main = unit.lookup("main").expect("an export");
    assert_eq!(polls.last().copied(), Some(main.cast()));
    assert_eq!(unit.frame_size("main"), Some(112));
    assert_eq!(unit.frame_size("sync"), None);
    assert_eq!(unit.frame_size("turn"), None, "no export");
    assert!(unit.release().is_ok());
}

/// ABI-33: what the runtime has no frame for is refused, not compiled.
#[test]
fn abi_27_part_a_frame_that_is_too_large_is_an_error() {
    let count = 9_000;
    let mut text = String::from("module \"m\" unit 6\nuse tasks\nexport async fn @f() throws {\n");
    (0..count).for_each(|n| text += &format!("  local %l{n}: i64\n"));
    text += "entry:\n  intrinsic sleep(1)\n";
    (0..count).for_each(|n| text += &format!("  %l0 = add.i64 %l0, %l{n}\n"));
    text += "  return\n}\n";
    let parsed = air::parse(text.as_bytes()).unwrap_or_else(|errors| panic!("{}", errors[0]));
    let prepared = prepare(&parsed.module, &[&TASKS], &Options::default()).expect("it is valid");
    match asr_codegen::object::emit(&prepared, None) {
        Err(asr_codegen::Error::Unsupported(what)) => assert!(what.contains("`f`"), "{what}"),
        other => panic!("{:?}", other.map(|_| ())),
    }
}
