//! Random functions of AIR with handles: what the flow of `OBL-34` accepts has no leak, double use
//! or use after resolution in any execution, and no report of `OBL-24`.

use asr_codegen::Rows;
use asr_codegen::air::{
    Edge, FuncId, Function, LocalId, Module, Op, Operand, Term, VerifyError, parse, verify,
};
use asr_codegen::pass::obligation::{abstracted, bounds};
use asr_intrinsics::{CORE, SYNC, TASKS, Table, Ty};

use super::program::{Random, programs};

const TABLES: [&Table; 3] = [&CORE, &TASKS, &SYNC];

const LOCALS: [&str; 3] = ["%p", "%q", "%s"];

/// The text of a random function: blocks of operations on three permits.
fn text(random: &mut Random) -> String {
    let blocks = 2 + random.below(5);
    let mut text = String::from(
        "module \"m\" unit 1\nuse tasks\nuse sync\nfn @ends(%x: permit) throws {\ne:\n  \
         intrinsic commit(%x)\n  return\n}\nfn @f(%c: bool, %p: permit) throws {\n  \
         local %q: permit\n  local %s: permit\nentry:\n  jump b0\n",
    );
    for b in 0..blocks {
        text += &format!("b{b}:\n");
        // Mostly sensible: blocks begin and end with nothing held, but for the parameter.
        let mut held = [b == 0, false, false];
        let take = |n: usize, verb: usize| match verb {
            0 => format!("  call @ends({})", LOCALS[n]),
            1 => format!("  intrinsic abort({})", LOCALS[n]),
            _ => format!("  intrinsic commit({})", LOCALS[n]),
        };
        for _ in 0..random.below(4) {
            let (mut n, other) = (random.below(3), random.below(3));
            let wild = random.below(12) == 0;
            let edge = match random.below(6) {
                0 if wild || held == [false; 3] => format!(" recover b{}", random.below(blocks)),
                _ => String::new(),
            };
            let verb = random.below(6);
            if !wild {
                n = (0..3).find(|n| held[*n] == (verb < 4)).unwrap_or(n);
            }
            let mut now = held[n];
            text += &match verb {
                0..=2 if wild || held[n] => {
                    now = false;
                    take(n, verb) + &edge
                }
                3 if wild || held[n] && (n == other || !held[other]) => {
                    held[n] = false;
                    now = true;
                    let from = std::mem::replace(&mut n, other);
                    format!("  {} = copy.permit {}", LOCALS[n], LOCALS[from])
                }
                4 | 5 if wild || !held[n] => {
                    now = true;
                    format!("  {} = intrinsic reserve(1){edge}", LOCALS[n])
                }
                _ => "  intrinsic charge(1)".to_owned(),
            };
            text += "\n";
            held[n] = now;
        }
        for (n, held) in held.into_iter().enumerate() {
            if held != (random.below(20) == 0) {
                text += &(take(n, random.below(3)) + "\n");
            }
        }
        let mut to = || format!("b{}", random.below(blocks));
        let (then, or) = (to(), to());
        text += &match random.below(4) {
            0 => format!("  branch %c, {then}, {or}\n"),
            1 => format!("  jump {then}\n"),
            2 => "  return\n".to_owned(),
            _ => format!("  branch %c, {then}, {then}\n"),
        };
    }
    text + "}\n"
}

/// What an execution does wrong.
#[derive(Debug, PartialEq)]
enum Wrong {
    Leak,
    NotHeld,
}

/// Runs the function once: each local holds a token or none; failures and branches are drawn.
fn execute(func: &Function, rows: &Rows, random: &mut Random) -> Option<Wrong> {
    let mut held = vec![false; func.locals.len()];
    held[1] = true;
    let is_permit = |local: LocalId| func.locals[local.index()].ty.handle().is_some();
    let mut block = &func.blocks[0];
    for _ in 0..60 {
        let mut gone = None;
        for inst in &block.insts {
            let mut takes: Vec<LocalId> = Vec::new();
            let mut gives = inst.op.dsts()[0].filter(|dst| is_permit(*dst));
            match &inst.op {
                Op::Intrinsic { row, args, .. } => {
                    let row = rows.get(row).expect("a row");
                    for (arg, param) in args.iter().zip(row.params) {
                        if let (Operand::Local(local), Ty::Own(_)) = (arg, param.ty) {
                            takes.push(*local);
                        }
                    }
                }
                Op::Call { args, .. } => takes.extend(args.iter().filter_map(|arg| match arg {
                    Operand::Local(local) => Some(*local),
                    Operand::Imm(_) => None,
                })),
                Op::Copy { src, .. } => match src {
                    Operand::Local(local) if is_permit(*local) => takes.push(*local),
                    _ => {}
                },
                _ => gives = None,
            }
            for local in takes {
                if !std::mem::replace(&mut held[local.index()], false) {
                    return Some(Wrong::NotHeld);
                }
            }
            if let Edge {
                recover: Some((to, _)),
                ..
            } = inst.edge
                && random.below(3) == 0
            {
                gone = Some(to);
                break;
            }
            if let Some(dst) = gives
                && std::mem::replace(&mut held[dst.index()], true)
            {
                return Some(Wrong::Leak);
            }
        }
        let to = match (&block.term, gone) {
            (_, Some(to)) => to,
            (Term::Jump(to), _) => *to,
            (Term::Branch { then, or, .. }, _) => [*then, *or][random.below(2)],
            (Term::Return(_), _) => return held.contains(&true).then_some(Wrong::Leak),
            _ => return None,
        };
        block = &func.blocks[to.index()];
    }
    None
}

/// Blocks that nothing reaches are not what this is about: they are cut off.
fn module(random: &mut Random) -> Option<Module> {
    let text = text(random);
    let mut module = parse(text.as_bytes())
        .unwrap_or_else(|e| panic!("{}\n{text}", e[0]))
        .module;
    let func = module.funcs.pop()?;
    let mut reached = vec![false; func.blocks.len()];
    let mut work = vec![0];
    while let Some(n) = work.pop() {
        if !std::mem::replace(&mut reached[n], true) {
            func.blocks[n].for_each_successor(|to| work.push(to.index()));
        }
    }
    let all = reached.iter().all(|reached| *reached);
    module.funcs.push(func);
    all.then_some(module)
}

#[test]
fn obl_34_what_is_accepted_never_goes_wrong() {
    let programs = programs();
    let (mut tried, mut accepted, mut seed) = (0, 0, 0);
    while tried < programs {
        seed += 1;
        let mut random = Random(seed);
        let Some(module) = module(&mut random) else {
            continue;
        };
        tried += 1;
        let rows = Rows::imported(&module, &TABLES).expect("tables that there are");
        let errors: Vec<VerifyError> = verify(&module, &TABLES).err().unwrap_or_default();
        let func = &module.funcs[1];
        let program = abstracted(&module, &rows, FuncId::new(1));
        let found = bounds::check(&program);
        if errors.is_empty() {
            accepted += 1;
            assert_eq!(found.reports, [], "{seed}\n{module}");
        }
        for _ in 0..20 {
            let wrong = execute(func, &rows, &mut random);
            assert!(
                wrong.is_none() || !errors.is_empty(),
                "{seed} {wrong:?}\n{module}"
            );
        }
    }
    assert!(accepted > programs / 20, "only {accepted} were accepted");
}
