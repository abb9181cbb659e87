//! Responsiveness (rules ABI-32, CAN-18): the exported C, M and F against measured polls.

use asr_codegen::air::{Module, code, parse, verify};
use asr_codegen::eval::{Limits, Machine, Program, SyncHost, Then};
use asr_codegen::pass::{Response, UNBOUNDED, check_masks};
use asr_codegen::{Options, Rows, prepare};
use asr_intrinsics::{CORE, SYNC, TASKS, Table};

const TABLES: [&Table; 3] = [&CORE, &TASKS, &SYNC];

/// Callees, and `@f` with these lines.
fn module(lines: &str) -> Module {
    let text = format!(
        "module \"m\" unit 1\nuse core\nuse tasks\nuse sync\n\
         export async fn @f() throws {{\n  local %n: i64\n  local %c: bool\n  local %p: ptr\n  \
         local %h: permit\n  local %r: region\n  local %v: value\n  local %s: i64\nentry:\n\
         {lines}\n}}\n\
         async fn @two() throws {{\ne:\n  intrinsic yield_now()\n  intrinsic sleep(5)\n  \
         return\n}}\n\
         async fn @masked() throws {{\ne:\n  intrinsic mask_enter()\n  await @two()\n  \
         intrinsic mask_leave()\n  return\n}}\n\
         async fn @around(%n: i64) throws {{\n  local %c: bool\ne:\n  intrinsic yield_now()\n  \
         %c = cmp.sgt.i64 %n, 0\n  branch %c, more, done\nmore:\n  %n = sub.i64 %n, 1\n  \
         await @around(%n)\n  jump done\ndone:\n  return\n}}\n"
    );
    parse(text.as_bytes())
        .unwrap_or_else(|e| panic!("{}\n{text}", e[0]))
        .module
}

fn response(lines: &str) -> (Module, Response) {
    let module = module(lines);
    if let Err(errors) = verify(&module, &TABLES) {
        panic!("{}\n{lines}", errors[0]);
    }
    let prepared = prepare(&module, &TABLES, &Options::default()).expect("a good module");
    (prepared.module().clone(), prepared.responses()[0])
}

/// Suspensions of a run with a cancel after the k-th; all of them without.
fn suspensions(module: &Module, cancel: Option<u64>) -> u64 {
    let verified = verify(module, &TABLES).unwrap_or_else(|e| panic!("{}\n{module}", e[0]));
    let program = Program::new(&verified);
    let mut machine = Machine::new(&program, Limits::default());
    let mut host = SyncHost::new();
    (host.flag, host.suspends) = (true, true);
    host.at = cancel.map(|k| (k, Then::Cancel));
    machine.start(&mut host).expect("there is memory");
    let func = program.func("f").expect("there is @f");
    host.run_task(&mut machine, func, &[])
        .unwrap_or_else(|stopped| panic!("{stopped}"));
    host.suspensions
}

#[test]
fn abi_32_part_exported_bounds_hold_when_measured() {
    let programs = [
        ("  return", (0, 1)),
        ("  intrinsic yield_now()\n  return", (0, 1)),
        ("  await @two()\n  await @two()\n  return", (0, 1)),
        ("  await @masked()\n  return", (1, 2)),
        (
            "  intrinsic mask_enter()\n  await @masked()\n  intrinsic yield_now()\n  \
             intrinsic mask_leave()\n  await @two()\n  return",
            (2, 4),
        ),
        (
            "  jump l\nl:\n  intrinsic mask_enter()\n  intrinsic yield_now()\n  \
             intrinsic mask_leave()\n  %n = add.i64 %n, 1\n  %c = cmp.slt.i64 %n, 5\n  \
             branch %c, l, o\no:\n  return",
            (1, 2),
        ),
        (
            "  await @two() cleanup out(%v, %s)\n  return\nout:\n  intrinsic mask_enter()\n  \
             intrinsic yield_now()\n  intrinsic yield_now()\n  intrinsic mask_leave()\n  \
             raise %v, %s",
            (1, 2),
        ),
        (
            "  %r = intrinsic region_open()\n  %h = intrinsic reserve(1)\n  await @two()\n  \
             intrinsic commit(%h)\n  %n = intrinsic region_close(%r)\n  return",
            (0, 1),
        ),
    ];
    for (lines, (depth, least)) in programs {
        let (module, response) = response(lines);
        assert_eq!(response.mask_depth, depth, "{lines}: {response:?}");
        assert!(response.cancel_gap >= least, "{lines}: {response:?}");
        assert_ne!(response.bound(), UNBOUNDED, "{lines}: {response:?}");
        let all = suspensions(&module, None);
        assert!(
            all < response.polls,
            "{lines}: {all} suspensions, {response:?}"
        );
        for k in 1..=all {
            let polls = suspensions(&module, Some(k)) - k + 1;
            assert!(
                polls <= response.bound(),
                "{lines}: {polls} from {k}, {response:?}"
            );
        }
    }
}

#[test]
fn abi_32_part_what_has_no_bound_says_so() {
    let unbounded = |lines: &str| response(lines).1.polls == UNBOUNDED;
    assert!(!unbounded("  await @two()\n  return"));
    assert!(unbounded("  await @around(3)\n  return"));
    assert!(unbounded(
        "  jump l\nl:\n  intrinsic yield_now()\n  branch %c, l, o\no:\n  return"
    ));
    assert!(unbounded(
        "  %p = addr.func @two\n  await.indirect () throws, %p()\n  return"
    ));
    // Outside of masks the gap is one poll all the same.
    let looping = "  jump l\nl:\n  intrinsic yield_now()\n  branch %c, l, o\no:\n  return";
    assert_eq!(response(looping).1.cancel_gap, 1);
    // A loop that only its probes suspend.
    let counting = "  intrinsic mask_enter()\n  jump l\nl:\n  %n = add.i64 %n, 1\n  \
                    branch %c, l, o\no:\n  intrinsic mask_leave()\n  return";
    assert_eq!(response(counting).1.cancel_gap, UNBOUNDED);
}

/// That it is refused waits for modules of fuzzers without such masks.
#[test]
fn abi_32_part_a_wait_without_bound_in_a_mask_is_found() {
    let masked = |lines: &str| {
        let text = format!("  intrinsic mask_enter()\n{lines}\n  intrinsic mask_leave()\n  return");
        let module = module(&text);
        assert!(verify(&module, &TABLES).is_ok(), "{text}");
        let rows = Rows::imported(&module, &TABLES).expect("tables that there are");
        let errors = check_masks(&module, &rows);
        errors.iter().map(|error| error.code).collect::<Vec<_>>()
    };
    assert!(masked("  await @two()").is_empty());
    assert!(masked("  await @masked()").is_empty());
    assert_eq!(masked("  await @around(3)"), [code::UNBOUNDED_MASK]);
    let indirect = "  %p = addr.func @two\n  await.indirect () throws, %p()";
    assert_eq!(masked(indirect), [code::UNBOUNDED_MASK]);
    let looping = "  jump l\nl:\n  intrinsic yield_now()\n  branch %c, l, o\no:";
    assert_eq!(masked(looping), [code::UNBOUNDED_MASK]);
}
