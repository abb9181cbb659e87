//! Probes in compiled code: their shape, their answers, what they leave alone.

mod common;
mod tools;

use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use asr_abi::{Thread, flag, status};
use asr_codegen::{OptLevel, Options, ProbeMode, Target, object};
use common::*;
use tools::{Scratch, output};

fn as_it_stands() -> Options {
    Options {
        probes: ProbeMode::AsIs,
        ..Options::default()
    }
}

/// The machine code of the function `f` in an object, as `objdump` prints it.
fn disassembly(text: &str, options: &Options, objdump: &str) -> Vec<String> {
    let scratch = Scratch::new();
    let file = scratch.path().join("f.o");
    let object = object::emit(&prepared(text, options), None).expect("an object");
    std::fs::write(&file, object).expect("written");
    let mut command = Command::new(objdump);
    command.args(["-d", "--no-show-raw-insn", "--disassemble=f"]);
    let text = output(command.arg(&file), 0);
    let code = text
        .lines()
        .filter_map(|line| line.trim().split_once(":\t"));
    code.map(|(_, inst)| inst.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn abi_4_clear_path_is_a_load_a_test_and_a_branch() {
    // Between two calls, so that nothing else is there.
    let text = "module \"m\" unit 1\nuse core\nexport fn @f() {\nentry:\n  \
                intrinsic taint_add(1)\n  probe.explicit\n  intrinsic taint_add(2)\n  return\n}\n";
    let targets = [
        (
            Target::X86_64,
            ("objdump", "call "),
            &["mov (%", "test %", "jne "][..],
        ),
        (
            Target::Aarch64,
            ("aarch64-linux-gnu-objdump", "blr "),
            &["ldar w", "cbnz w"][..],
        ),
    ];
    for (target, (objdump, call), expected) in targets {
        for opt in [OptLevel::None, OptLevel::Speed] {
            let options = Options {
                target: Some(target),
                opt,
                ..as_it_stands()
            };
            let code = disassembly(text, &options, objdump);
            let is_call = |&n: &usize| code[n].starts_with(call);
            let calls: Vec<usize> = (0..code.len()).filter(is_call).collect();
            let [first, second, ..] = calls[..] else {
                panic!("{target:?}: {code:#?}");
            };
            let between = &code[first + 1..second];
            let at = between
                .iter()
                .position(|line| line.starts_with(expected[0]) && !line.contains("rip"));
            let at = at.unwrap_or_else(|| panic!("{target:?} {opt:?}: {code:#?}"));
            for (line, expected) in between[at..].iter().zip(expected) {
                assert!(line.starts_with(expected), "{target:?} {opt:?}: {code:#?}");
            }
            // What is left prepares the second call: its arguments and its address.
            let others = between[..at].iter().chain(&between[at + expected.len()..]);
            for line in others {
                let memory = line.contains('(') && !line.contains("(%rip)");
                let branch =
                    line.starts_with('j') || line.starts_with('b') || line.contains("ldar");
                assert!(!memory && !branch, "{target:?} {opt:?} {line}: {code:#?}");
            }
        }
    }
}

const ENDLESS: &str = r#"
module "m" unit 1
export fn @spin(%x: i64) -> i64 {
entry:
  jump loop
loop:
  probe.loop
  jump loop
}
export fn @count(%x: i64) -> i64 {
entry:
  jump loop
loop:
  probe.loop
  %x = add.i64 %x, 3
  jump loop
}
"#;

#[test]
fn abi_5_a_loop_without_stores_sees_the_flag() {
    let load_at = |opt| {
        let options = Options {
            opt,
            ..as_it_stands()
        };
        load_with(ENDLESS, &options)
    };
    for (opt, name) in [
        (OptLevel::None, "spin"),
        (OptLevel::Speed, "spin"),
        (OptLevel::None, "count"),
        (OptLevel::Speed, "count"),
    ] {
        let unit = load_at(opt);
        // The machine may be busy; the best of some runs is the code's own delay.
        let mut best = Duration::MAX;
        for _ in 0..20 {
            let th = Box::leak(Box::new(Thread::new()));
            let flag = std::ptr::from_ref(&th.flag).expose_provenance();
            let (status, ended) = std::thread::scope(|scope| {
                let setter = scope.spawn(move || {
                    std::thread::sleep(Duration::from_millis(2));
                    let set = Instant::now();
                    set_flag(flag, flag::CANCEL);
                    set
                });
                let status = call_on(th, &unit, name, &[1]).status;
                let ended = Instant::now();
                (status, ended - setter.join().expect("no panic"))
            });
            assert_eq!(status, u64::from(status::CANCELLED));
            best = best.min(ended);
            if best < Duration::from_millis(1) {
                break;
            }
        }
        assert!(best < Duration::from_millis(1), "{opt:?} {name}: {best:?}");
    }
}

const ANSWERS: &str = r#"
module "m" unit 3
export fn @plain(%x: i64) -> i64 {
entry:
  probe.explicit
  return %x
}
export fn @binds(%x: i64) -> value {
  local %e: value
entry:
  probe.explicit recover caught(%e)
  %e = convert.bitcast.i64.value %x
  return %e
caught:
  return %e
}
"#;

#[test]
fn abi_8_part_each_action_in_synchronous_code() {
    // What waits: PENDING, with asynchronous functions.
    let unit = load(ANSWERS);
    let th = Thread::new();
    let answer = |action: u32, name: &str| {
        reset();
        ANSWER_AT.set(1);
        ANSWER.set(action);
        th.flag.store(flag::SAMPLE, Ordering::Relaxed);
        let ret = call_on(&th, &unit, name, &[70]);
        assert_eq!(CHECKPOINTS.get(), 1);
        (ret.value, ret.status)
    };
    assert_eq!(answer(status::OK, "plain"), (70, 0));
    assert_eq!(SITES.take(), [3 << 32 | 1], "the site stood in the thread");
    assert_eq!(answer(status::OK, "binds"), (70, 0));
    assert_eq!(SITES.take(), [3 << 32 | 2]);
    for action in 2..=37 {
        assert_eq!(answer(action, "plain").1, u64::from(action));
        let bound = answer(action, "binds");
        match action {
            status::THREW => assert_eq!(bound, (0x1234, 0), "the word that the slow path left"),
            status::CANCELLED => assert_eq!(bound.1, u64::from(action), "past the recovery"),
            _ => assert_eq!(bound, (0xFFFD << 48 | u64::from(action), 0)),
        }
        assert!(TRACE.take().is_empty(), "nothing went wrong here");
    }
    assert_eq!(answer(status::THREW, "plain"), (0x1234, 2));
}

/// A function with more live integers and floats than there are registers, and slots, around a
/// probe in a loop.
fn crowded() -> String {
    let mut text = String::from("module \"m\" unit 1\nexport fn @f(%n: i64) -> i64 {\n");
    for i in 0..20 {
        text += &format!("  local %a{i}: i64\n  local %f{i}: f64\n");
    }
    text +=
        "  local %p: ptr\n  local %c: bool\n  slot $s 64 align 8\nentry:\n  %p = addr.slot $s\n";
    for i in 0..20 {
        text += &format!("  %a{i} = add.i64 %n, {i}\n  %f{i} = convert.stof.i64.f64 %a{i}\n");
    }
    text += "  store.i64 %n, %p + 8\n  jump loop\nloop:\n  probe.loop\n";
    for i in 0..20 {
        let next = (i + 1) % 20;
        text += &format!("  %a{i} = add.i64 %a{i}, %a{next}\n");
        text += &format!("  %f{i} = fadd.f64 %f{i}, %f{next}\n");
    }
    text += "  %n = sub.i64 %n, 1\n  %c = cmp.sgt.i64 %n, 0\n  branch %c, loop, done\ndone:\n";
    text += "  %n = load.i64 %p + 8\n";
    for i in 0..20 {
        text += &format!("  %n = mul.i64 %n, 31\n  %n = xor.i64 %n, %a{i}\n");
        text += &format!("  %a{i} = convert.bitcast.f64.i64 %f{i}\n  %n = xor.i64 %n, %a{i}\n");
    }
    text + "  return %n\n}\n"
}

#[test]
fn abi_10_a_probe_that_continues_changes_nothing() {
    // The checkpoint is Rust code that uses registers as it likes.
    for opt in [OptLevel::None, OptLevel::Speed] {
        let clear = load_with(
            &crowded(),
            &Options {
                opt,
                ..as_it_stands()
            },
        );
        let slow = Options {
            opt,
            force_slow: true,
            ..as_it_stands()
        };
        let slow = load_with(&crowded(), &slow);
        for n in [1, 2, 17, 300] {
            reset();
            let expected = call(&clear, "f", &[n]);
            assert_eq!(CHECKPOINTS.get(), 0);
            assert_eq!(call(&slow, "f", &[n]), expected, "{opt:?} {n}");
            assert_eq!(CHECKPOINTS.get(), n);
        }
    }
}

#[test]
fn abi_11_part_force_slow_takes_every_probe() {
    // The whole corpus in this mode: testsuite.
    let options = Options {
        force_slow: true,
        ..as_it_stands()
    };
    let unit = load_with(ANSWERS, &options);
    reset();
    assert_eq!(call(&unit, "plain", &[5]), (5, 0));
    assert_eq!(CHECKPOINTS.get(), 1);
}

#[test]
fn abi_45_part_endless_recursion_is_a_fault() {
    // What waits: tasks, parked fibers, callbacks of the runtime.
    let text = r#"
module "m" unit 1
fn @down(%n: i64) -> i64 throws {
entry:
  probe.entry
  check.stack
  %n = add.i64 %n, 1
  %n = call @down(%n)
  %n = add.i64 %n, 1
  return %n
}
export fn @main() -> value {
  local %n: i64
  local %e: value
entry:
  %n = call @down(0) recover caught(%e)
  return %e
caught:
  return %e
}
"#;
    let unit = load(text);
    reset();
    let th = Thread::new();
    let here = std::ptr::from_ref(&th).addr();
    th.stack_limit.set(here - 256 * 1024);
    for _ in 0..100 {
        FAULTS.take();
        let ret = call_on(&th, &unit, "main", &[]);
        let faults = FAULTS.take();
        let [(site, 0x0100_0006)] = faults[..] else {
            panic!("{faults:?}");
        };
        assert_eq!((ret.value, ret.status), (FAULT_WORD | site, 0));
    }
    let frames = TRACE.take().len() / 100;
    assert!(
        frames > 1000,
        "each frame is noted on the way out: {frames}"
    );
}
