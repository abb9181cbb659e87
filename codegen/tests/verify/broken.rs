//! Broken modules: parts swapped, dropped and renumbered at random. The verifier never panics, and
//! what it accepts can be printed, parsed and evaluated.

use asr_codegen::air::arbitrary::{Choices, async_module, module};
use asr_codegen::air::{
    Block, BlockId, Edge, FuncId, Inst, LocalId, Module, Op, Operand, SlotId, Term, Type, parse,
    print, verify,
};
use asr_codegen::eval::{Limits, Machine, Program, SyncHost};
use asr_codegen::{Options, prepare};
use asr_intrinsics::{CORE, SYNC, TASKS, Table};

/// How many modules are tried in a short run, and in a full one (`cargo xtask test --full` sets
/// `ASR_FULL`), which is the whole check of rule ABI-33.
const INPUTS: [u64; 2] = [2000, 1_000_000];

/// A small reproducible generator (splitmix64).
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.word() >> 8) as usize % n.max(1)
    }

    /// Mostly a small index, sometimes a huge one.
    fn index(&mut self) -> u32 {
        match self.below(8) {
            0 => self.word() as u32,
            _ => self.below(40) as u32,
        }
    }

    fn pick<'a, T>(&mut self, items: &'a mut [T]) -> Option<&'a mut T> {
        let n = self.below(items.len());
        items.get_mut(n)
    }

    fn ty(&mut self) -> Type {
        Type::ALL[self.below(Type::ALL.len())]
    }

    fn edge(&mut self) -> Edge {
        let (a, b) = (BlockId(self.index()), BlockId(self.index()));
        Edge {
            recover: (self.below(2) == 0).then(|| (a, Some(LocalId(self.index())))),
            cleanup: (self.below(2) == 0)
                .then(|| (b, LocalId(self.index()), LocalId(self.index()))),
        }
    }
}

fn block<'m>(random: &mut Random, module: &'m mut Module) -> Option<&'m mut Block> {
    let func = random_func(random, module)?;
    random.pick(&mut func.blocks)
}

fn random_func<'m>(
    random: &mut Random,
    module: &'m mut Module,
) -> Option<&'m mut asr_codegen::air::Function> {
    random.pick(&mut module.funcs)
}

fn inst<'m>(random: &mut Random, module: &'m mut Module) -> Option<&'m mut Inst> {
    let block = block(random, module)?;
    random.pick(&mut block.insts)
}

/// One change. `None` if there was nothing to change.
fn break_something(random: &mut Random, module: &mut Module) -> Option<()> {
    match random.below(20) {
        0 => drop(module.sigs.pop()?),
        1 => drop(module.data.pop()?),
        2 => drop(module.globals.pop()?),
        3 => {
            module.funcs.pop()?;
        }
        4 => module.tables.clear(),
        5 => random_func(random, module)?.params = random.index(),
        6 => {
            let func = random_func(random, module)?;
            let keep = random.below(func.locals.len());
            func.locals.truncate(keep);
        }
        7 => {
            let func = random_func(random, module)?;
            let keep = random.below(func.blocks.len() + 1);
            func.blocks.truncate(keep);
        }
        8 => random_func(random, module)?.slots.clear(),
        9 => {
            let ty = random.ty();
            let func = random_func(random, module)?;
            random.pick(&mut func.locals)?.ty = ty;
        }
        10 => random_func(random, module)?.throws ^= true,
        11 => random_func(random, module)?.ret = (random.below(2) == 0).then(|| random.ty()),
        12 => {
            // An instruction from elsewhere, with the indices of elsewhere.
            let stolen = inst(random, module)?.op.clone();
            inst(random, module)?.op = stolen;
        }
        13 => {
            let stolen = block(random, module)?.term.clone();
            block(random, module)?.term = stolen;
        }
        14 => {
            let edge = random.edge();
            inst(random, module)?.edge = edge;
        }
        15 => {
            let (then, or) = (BlockId(random.index()), BlockId(random.index()));
            let cond = Operand::Local(LocalId(random.index()));
            block(random, module)?.term = match random.below(4) {
                0 => Term::Branch { cond, then, or },
                1 => Term::Raise {
                    value: cond,
                    status: Operand::Imm(random.word()),
                    edge: random.edge(),
                },
                2 => Term::Throw {
                    value: cond,
                    edge: random.edge(),
                },
                _ => Term::Jump(then),
            };
        }
        16 => {
            let op = match random.below(5) {
                0 => Op::SlotAddr {
                    dst: LocalId(random.index()),
                    slot: SlotId(random.index()),
                },
                1 => Op::Call {
                    dst: None,
                    func: FuncId(random.index()),
                    args: Vec::new(),
                },
                2 => Op::Copy {
                    ty: random.ty(),
                    dst: LocalId(random.index()),
                    src: Operand::Imm(random.word()),
                },
                3 => Op::Intrinsic {
                    dst: None,
                    row: "intent_pop".into(),
                    args: Vec::new(),
                },
                _ => Op::Chunk {
                    ty: random.ty(),
                    dst: LocalId(random.index()),
                    i: Operand::Imm(0),
                    end: Operand::Local(LocalId(random.index())),
                    step: random.word() as i64,
                    count: random.index(),
                },
            };
            inst(random, module)?.op = op;
        }
        17 => {
            let insts = &mut block(random, module)?.insts;
            let n = random.below(insts.len());
            if n < insts.len() {
                insts.remove(n);
            }
        }
        18 => {
            let (ty, init) = (random.ty(), random.word());
            let global = random.pick(&mut module.globals)?;
            (global.ty, global.init) = (ty, init);
        }
        _ => {
            let at = random.index() as u16;
            let loc = &mut inst(random, module)?.loc;
            if loc.is_some() {
                loc.file = at;
            }
        }
    }
    Some(())
}

#[test]
fn abi_33_the_verifier_survives_every_module() {
    let full = std::env::var_os("ASR_FULL").is_some();
    let inputs = INPUTS[usize::from(full)];
    let mut accepted = 0;
    for seed in 0..inputs {
        let mut random = Random(seed);
        let bytes: Vec<u8> = (0..400).map(|_| random.word() as u8).collect();
        let mut module = module(&mut Choices::new(&bytes));
        for _ in 0..1 + random.below(3) {
            let _ = break_something(&mut random, &mut module);
        }
        let text = print(&module);
        let Ok(verified) = verify(&module, &[&CORE]) else {
            continue;
        };
        accepted += 1;
        let parsed = parse(text.as_bytes()).unwrap_or_else(|e| panic!("{seed}: {}\n{text}", e[0]));
        assert!(parsed.module == module, "{seed}\n{text}");
        let program = Program::new(&verified);
        let limits = Limits {
            fuel: 20_000,
            depth: 100,
            ..Limits::default()
        };
        let (mut machine, mut host) = (Machine::new(&program, limits), SyncHost::new());
        machine.start(&mut host).expect("there is memory");
        for n in 0..module.funcs.len() {
            let args = vec![1; module.funcs[n].params as usize];
            // It may trap or run out of fuel now; it does not panic.
            let _ = machine.call(&mut host, FuncId::new(n), &args);
        }
    }
    assert!(
        accepted > inputs / 20,
        "{accepted} of {inputs} were accepted: too few to mean much"
    );
}

/// Modules with tasks and handles: what the verifier accepts, the passes accept.
#[test]
fn abi_33_part_broken_tasks_and_handles() {
    let tables: [&Table; 3] = [&CORE, &TASKS, &SYNC];
    let full = std::env::var_os("ASR_FULL").is_some();
    let inputs = INPUTS[usize::from(full)] / 4;
    let mut accepted = 0;
    for seed in 0..inputs {
        let mut random = Random(seed);
        let bytes: Vec<u8> = (0..400).map(|_| random.word() as u8).collect();
        let mut module = async_module(&mut Choices::new(&bytes));
        for _ in 0..random.below(3) {
            let _ = break_something(&mut random, &mut module);
        }
        let Err(errors) = verify(&module, &tables) else {
            accepted += 1;
            let prepared = prepare(&module, &tables, &Options::default());
            prepared.unwrap_or_else(|e| panic!("{seed}: {e}\n{module}"));
            continue;
        };
        assert!(!errors.is_empty());
    }
    assert!(accepted > inputs / 20, "{accepted} of {inputs}");
}

#[test]
fn abi_33_time_is_linear() {
    // Many blocks that all meet, many edges to one block, many locals, many functions.
    let mut text = String::from("module \"m\" unit 1\nuse core\nfn @f(%c: bool) throws {\n");
    (0..20_000).for_each(|n| text += &format!("  local %l{n}: i64\n"));
    text += "entry:\n  intrinsic intent_push(1)\n  jump b0\n";
    for n in 0..20_000 {
        let next = n + 1;
        text += &format!(
            "b{n}:\n  %l{n} = sdiv.i64 1, %l{n} cleanup out(%l0, %l1)\n  branch %c, b{next}, join\n"
        );
    }
    text += "b20000:\n  jump join\njoin:\n  intrinsic intent_pop()\n  return\n";
    text += "out:\n  intrinsic intent_pop()\n  raise %l0, %l1\n}\n";
    (0..20_000).for_each(|n| text += &format!("fn @g{n}() {{\nentry:\n  return\n}}\n"));
    let start = std::time::Instant::now();
    let module = parse(text.as_bytes()).expect("good text").module;
    assert!(verify(&module, &[&CORE]).is_ok());
    // A watchdog: quadratic time would take minutes.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}
