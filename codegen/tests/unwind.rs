//! The unwind pass (rules ABI-19, ABI-21): every failure gives up what is held, innermost first.

use asr_codegen::air::{Module, Op, parse, print, verify};
use asr_codegen::pass::{check_edges, unwind};
use asr_codegen::{Options, ProbeMode, Rows, prepare};
use asr_intrinsics::{CORE, SYNC, TASKS, Table};

const TABLES: [&Table; 3] = [&CORE, &TASKS, &SYNC];

fn module(lines: &str) -> Module {
    let text = format!(
        "module \"m\" unit 1\nuse core\nuse tasks\nuse sync\n\
         async fn @runs(%n: i64) throws {{\ne:\n  return\n}}\n\
         async fn @f(%c: bool) throws {{\n  local %p: permit\n  local %q: permit\n  \
         local %r: region\n  local %t: task\n  local %n: i64\n  local %v: value\n  \
         local %st: i64\nentry:\n{lines}\n}}\n"
    );
    let parsed = parse(text.as_bytes()).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
    if let Err(errors) = verify(&parsed.module, &TABLES) {
        panic!("{}\n{text}", errors[0]);
    }
    parsed.module
}

fn rows(module: &Module) -> Rows {
    Rows::imported(module, &TABLES).expect("tables that there are")
}

/// The names of the rows that give up what is held when this await fails, in order.
fn given_up(module: &Module) -> Vec<String> {
    let func = &module.funcs[1];
    let insts = func.blocks.iter().flat_map(|block| &block.insts);
    let mut awaits = insts.filter(|inst| matches!(inst.op, Op::Await { .. }));
    let edge = awaits.next().expect("an await").edge;
    let mut at = edge.cleanup.map(|cleanup| cleanup.0);
    let mut names = Vec::new();
    while let Some(block) = at {
        let block = &func.blocks[block.index()];
        for inst in &block.insts {
            if let Op::Intrinsic { row, args, .. } = &inst.op {
                let args = args.iter().map(|arg| match arg {
                    asr_codegen::air::Operand::Local(local) => {
                        format!(" {}", func.locals[local.index()].name)
                    }
                    asr_codegen::air::Operand::Imm(bits) => format!(" {bits}"),
                });
                names.push(format!("{row}{}", args.collect::<String>()));
            }
        }
        at = match block.term {
            asr_codegen::air::Term::Jump(to) => Some(to),
            _ => None,
        };
    }
    names
}

#[test]
fn abi_21_part_a_failure_gives_up_innermost_first() {
    let module = module(
        "  %r = intrinsic region_open()\n  %p = intrinsic reserve(1)\n  \
         intrinsic mask_enter()\n  %q = intrinsic reserve(2)\n  intrinsic intent_push(4)\n  \
         intrinsic commit_enter(9)\n  %t = spawn @runs(1) in %r\n  await @runs(2)\n  \
         intrinsic task_detach(%t)\n  intrinsic commit_leave()\n  intrinsic intent_pop()\n  \
         intrinsic commit(%q)\n  intrinsic mask_leave()\n  intrinsic commit(%p)\n  \
         %n = intrinsic region_close(%r)\n  return",
    );
    assert_eq!(check_edges(&module, &rows(&module)).len(), 9);
    let unwound = unwind(&module, &rows(&module));
    assert_eq!(check_edges(&unwound, &rows(&module)), []);
    assert_eq!(
        given_up(&unwound),
        [
            "task_detach t",
            "commit_leave",
            "intent_pop",
            "abort q",
            "mask_leave",
            "abort p",
            "region_abandon r"
        ]
    );
    // One block for each thing, however many failures share it, and one that goes on.
    let made = unwound.funcs[1].blocks.len() - module.funcs[1].blocks.len();
    assert!(made <= 12, "{made} blocks\n{}", print(&unwound));
    assert!(verify(&unwound, &TABLES).is_ok());
    assert_eq!(unwind(&unwound, &rows(&module)), unwound);
}

#[test]
fn abi_21_part_every_way_out_of_every_mode_has_its_edges() {
    let bodies = [
        "  intrinsic mask_enter()\n  jump l\nl:\n  branch %c, l, o\no:\n  \
         intrinsic mask_leave()\n  return",
        "  %p = intrinsic reserve(1)\n  jump l\nl:\n  await @runs(1)\n  branch %c, l, o\no:\n  \
         intrinsic commit(%p)\n  return",
        "  jump l\nl:\n  %p = intrinsic chan_reserve(%n)\n  intrinsic chan_send(%p, 1)\n  \
         branch %c, l, o\no:\n  return",
        "  jump l\nl:\n  %p = intrinsic chan_try_reserve(%n) recover full\n  \
         %q = copy.permit %p\n  await @runs(1) recover lost(%v)\n  intrinsic chan_send(%q, 1)\n  \
         branch %c, l, o\no:\n  return\nfull:\n  intrinsic yield_now()\n  jump l\nlost:\n  \
         intrinsic abort(%q)\n  throw %v",
        "  %r = intrinsic region_open()\n  %t = spawn @runs(1) in %r\n  \
         %n = intrinsic join(%t)\n  intrinsic commit_enter(3)\n  jump l\nl:\n  \
         %n = add.i64 %n, 1\n  branch %c, l, o\no:\n  intrinsic commit_leave()\n  \
         %n = intrinsic region_close(%r)\n  unreachable",
    ];
    for body in bodies {
        let module = module(body);
        for probes in [ProbeMode::Auto, ProbeMode::Every, ProbeMode::Off] {
            let options = Options {
                probes,
                ..Options::default()
            };
            let prepared = prepare(&module, &TABLES, &options).unwrap_or_else(|e| panic!("{e}"));
            let placed = prepared.module();
            let text = print(placed);
            let again = verify(placed, &TABLES)
                .map(|_| ())
                .map_err(|e| e[0].to_string());
            assert_eq!(again, Ok(()), "{text}");
            let parsed = parse(text.as_bytes()).unwrap_or_else(|e| panic!("{}\n{text}", e[0]));
            assert!(parsed.module == *placed, "{text}");
        }
    }
}

/// A module that leaks is prepared only when the caller allows leaks.
#[test]
fn abi_31_part_leaks_are_allowed_on_request() {
    let text = "module \"m\" unit 1\nuse tasks\nfn @f() throws {\n  local %p: permit\ne:\n  \
                %p = intrinsic reserve(1)\n  return\n}";
    let module = parse(text.as_bytes()).expect("good text").module;
    let prepared = |allow_leaks| {
        let options = Options {
            allow_leaks,
            ..Options::default()
        };
        prepare(&module, &TABLES, &options)
    };
    assert!(matches!(prepared(false), Err(asr_codegen::Error::Unwinding(list)) if list.len() == 1));
    assert!(prepared(true).is_ok());
}

/// ABI-46: an exception may refer to an object, and `region_abandon` waits.
#[test]
fn abi_21_part_the_failure_in_flight_is_a_value() {
    let module = module(
        "  %r = intrinsic region_open()\n  await @runs(1)\n  intrinsic region_close(%r)\n  return",
    );
    let unwound = unwind(&module, &rows(&module));
    let locals = &unwound.funcs[1].locals;
    let failed = locals.iter().filter(|it| it.name.starts_with("failed"));
    let types: Vec<_> = failed.map(|it| it.ty).collect();
    assert_eq!(types, [asr_codegen::air::Type::Value; 2]);
}

/// ABI-33: names at the end of the numbers.
#[test]
fn abi_33_part_names_of_the_pass_never_meet_others() {
    let module = module(&format!(
        "  %p = intrinsic reserve(1)\n  await @runs(1)\n  jump unwind.1\n\
         unwind.1:\n  jump unwind.{0}\nunwind.{0}:\n  intrinsic abort(%p)\n  return",
        u64::MAX
    ));
    let unwound = unwind(&module, &rows(&module));
    let mut names: Vec<_> = unwound.funcs[1].blocks.iter().map(|it| &it.name).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!((names.len(), all > 4), (all, true));
}
