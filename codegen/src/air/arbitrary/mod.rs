//! Arbitrary modules from a string of bytes: deterministic, so that a fuzzer or a property test
//! can drive it.
//!
//! Invariants
//! 1. The verifier accepts every module ([`crate::air::verify()`] with the tables of the core, of
//!    tasks and of channels).
//! 2. Every call of every function ends soon: loops count to a small constant, functions call only
//!    earlier ones and, to a small depth, themselves; calls stand in at most one loop. Tasks may
//!    wait for each other for ever; cancelled, they end.
//! 3. What a function does depends on nothing that engines may choose: no address and no bits of
//!    a NaN reach an integer, and slots are written before they are read.
//! 4. Input that is used up decides for the simplest alternative: small inputs make small modules.

mod calls;
mod expr;
mod stmt;
mod tasks;

use super::*;

/// The input: each byte decides something.
#[derive(Clone, Debug)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// Choices from these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Choices(bytes)
    }

    fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    /// A number below `n`, which is from 1 to 256.
    fn below(&mut self, n: usize) -> usize {
        usize::from(self.byte()) % n
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == one_in - 1
    }

    /// Often a number at which arithmetic changes its mind.
    fn word(&mut self) -> u64 {
        match self.byte() {
            n @ 0..96 => u64::from(n),
            n @ 96..128 => u64::MAX - u64::from(n - 96),
            n @ 128..192 => (1u64 << (n - 128)).wrapping_sub(u64::from(n & 1)),
            n @ 192..208 => (f64::from(n) - 200.5).to_bits(),
            208 => f64::INFINITY.to_bits(),
            209 => (-0.0f64).to_bits(),
            210 => f64::NAN.to_bits(),
            211..216 => u64::from((f32::from(self.byte()) - 100.5).to_bits()),
            _ => (0..8).fold(0, |word, _| word << 8 | u64::from(self.byte())),
        }
    }
}

/// Types of parameters, results, globals and pooled locals. Addresses are not among them.
const TYPES: [Type; 8] = [
    Type::I64,
    Type::I32,
    Type::F64,
    Type::Bool,
    Type::Value,
    Type::I8,
    Type::I16,
    Type::F32,
];

/// Names that need quotes, collide, or look like something else.
const NAMES: [&str; 12] = [
    "f",
    "x",
    "true",
    "recover",
    "a b",
    "",
    "größe",
    "1",
    "q\"\\\n\t\u{1}",
    "nan",
    "$",
    "module",
];

/// Functions of a module, besides a handler.
const FUNCS_MAX: usize = 4;

/// A module of synchronous functions; those that are not exported are called by others, if at all.
pub fn module(choices: &mut Choices<'_>) -> Module {
    any_module(choices, false)
}

/// A module in which most functions are asynchronous.
pub fn async_module(choices: &mut Choices<'_>) -> Module {
    any_module(choices, true)
}

fn any_module(choices: &mut Choices<'_>, has_tasks: bool) -> Module {
    let mut builder = ModuleBuilder::new(choices.pick(&NAMES), 1 + u16::from(choices.byte()));
    builder.import(&asr_intrinsics::CORE);
    if has_tasks {
        builder.import(&asr_intrinsics::TASKS);
        builder.import(&asr_intrinsics::SYNC);
    }
    for n in 0..choices.below(3) {
        builder.file(&format!("{}{n}", choices.pick(&NAMES)));
    }
    for _ in 0..1 + choices.below(2) {
        let bytes: Vec<u8> = (0..16 + choices.below(32))
            .map(|_| choices.byte())
            .collect();
        builder.data(&bytes);
    }
    for _ in 0..choices.below(5) {
        let (ty, name) = (choices.pick(&TYPES), choices.pick(&NAMES[..5]));
        builder.global(name, ty, ty.immediate(choices.word()));
    }
    if choices.chance(4) {
        handler(&mut builder, choices);
    }
    let mut funcs = Vec::new();
    for _ in 0..1 + choices.below(FUNCS_MAX) {
        let is_async = has_tasks && !choices.chance(4);
        let func = stmt::function(&mut builder, choices, &funcs, is_async);
        funcs.push(func);
    }
    builder.finish()
}

fn loc(choices: &mut Choices<'_>, module: &Module) -> Loc {
    let file = choices.below(module.files.len().max(1)) as u16;
    match choices.below(3) {
        0 => Loc::NONE,
        n => Loc {
            file,
            line: n as u32,
            col: u32::from(choices.byte()),
        },
    }
}

fn handler(builder: &mut ModuleBuilder, choices: &mut Choices<'_>) {
    let sig = Signature {
        params: vec![Type::Ptr, Type::Ptr],
        ret: None,
        throws: false,
    };
    let func = builder.declare("fix", Linkage::Local, &sig);
    let at = loc(choices, builder.module());
    builder.handler(choices.word(), func, choices.word(), at);
    let mut body = builder.define(func);
    body.store(Type::I32, 0, body.param(1), 44);
    body.ret(None);
    body.finish();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::{Limits, Machine, Program, SyncHost, Then};
    use asr_intrinsics::{CORE, SYNC, TASKS};
    use proptest::prelude::*;

    /// Rows that generated programs do not call.
    const UNUSED: [&str; 16] = [
        "region_defer",
        "task_is_done",
        "commit_enter",
        "commit_leave",
        "transfer",
        "sleep_until",
        "budget_get",
        "charge",
        "chan_close",
        "chan_free",
        "sem_free",
        "notify_new",
        "notify_wait",
        "notify_one",
        "notify_all",
        "notify_free",
    ];

    /// Canonical arguments for a function.
    fn arguments(func: &Function) -> Vec<u64> {
        let params = func.signature().params;
        params
            .iter()
            .zip(1..)
            .map(|(ty, n)| ty.canonical(n))
            .collect()
    }

    fn print_and_parse(module: &Module) -> Result<(), TestCaseError> {
        let text = print(module);
        match parse(text.as_bytes()) {
            Ok(parsed) => prop_assert_eq!(&parsed.module, module, "{}", text),
            Err(errors) => return Err(TestCaseError::fail(format!("{}\n{text}", errors[0]))),
        }
        Ok(())
    }

    /// The verifier accepts it, and every call of every function ends with nothing left open.
    fn ends(module: &Module, host: &mut SyncHost) -> Result<(), TestCaseError> {
        let text = print(module);
        let tables = [&CORE, &TASKS, &SYNC];
        let verified = match verify(module, &tables) {
            Ok(verified) => verified,
            Err(errors) => return Err(TestCaseError::fail(format!("{}\n{text}", errors[0]))),
        };
        let program = Program::new(&verified);
        let limits = Limits {
            fuel: 20_000_000,
            depth: 1000,
            ..Limits::default()
        };
        let mut machine = Machine::new(&program, limits);
        machine.start(host).expect("there is memory");
        for (n, func) in module.funcs.iter().enumerate() {
            if func.name == "fix" {
                continue;
            }
            let (id, args) = (FuncId::new(n), arguments(func));
            let result = match func.is_async {
                true => host.run_task(&mut machine, id, &args),
                false => machine.call(host, id, &args),
            };
            prop_assert!(result.is_ok(), "{}\n{}", result.unwrap_err(), text);
            prop_assert!(host.intents.is_empty(), "an intent stays open\n{}", text);
            prop_assert_eq!(host.small.open_regions(), 0, "{}", text);
            prop_assert_eq!(host.small.leaks(), 0, "{}", text);
        }
        Ok(())
    }

    /// Bytes that look random (splitmix64).
    fn noise(seed: u64, len: usize) -> Vec<u8> {
        let mut state = seed;
        let word = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let z = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            ((z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb) >> 56) as u8
        };
        std::iter::repeat_with(word).take(len).collect()
    }

    #[test]
    fn every_kind_of_thing_comes_up() {
        let module = |seed| module(&mut Choices::new(&noise(seed, 4000)));
        let text: String = (0..64).map(|seed| print(&module(seed))).collect();
        for part in [
            "file ",
            "handler ",
            "global ",
            "export fn",
            "throws {",
            " title ",
            "slot ",
            "cold",
            "copy.",
            "select.",
            "load.",
            "store.",
            "global.get",
            "global.set",
            "addr.data",
            "addr.func",
            "addr.slot",
            "check.bounds",
            "check.null",
            "check.stack",
            "chunk.",
            "call @",
            "call.indirect (",
            "intrinsic ",
            "probe.explicit",
            "switch.",
            "throw ",
            "raise ",
            "unreachable",
            "recover ",
            "cleanup ",
            "intent_push",
            " !1:",
            "(%",
        ] {
            assert!(text.contains(part), "no `{part}`");
        }
        let tasks = |seed| async_module(&mut Choices::new(&noise(seed, 4000)));
        let tasks: String = (0..64).map(|seed| print(&tasks(seed))).collect();
        let rows = TASKS.rows.iter().chain(SYNC.rows).map(|row| row.name);
        for row in rows.filter(|row| !UNUSED.contains(row)) {
            assert!(tasks.contains(&format!("intrinsic {row}(")), "no `{row}`");
        }
        for part in [
            "await @",
            "await.indirect (",
            "spawn @",
            "spawn.indirect (",
            " in %",
        ] {
            assert!(tasks.contains(part), "no `{part}`");
        }
        let names = BinOp::ALL.iter().map(|op| op.name());
        let names = names.chain(UnOp::ALL.iter().map(|op| op.name()));
        let names = names.chain(ConvOp::ALL.iter().map(|op| op.name()));
        let names = names.chain(CmpOp::ALL.iter().map(|op| op.name()));
        for name in names.chain(OverflowOp::ALL.iter().map(|op| op.name())) {
            assert!(text.contains(&format!("{name}.")), "no `{name}`");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 256,
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn modules_verify_print_parse_and_end(
            bytes in prop::collection::vec(any::<u8>(), 0..3000)
        ) {
            let module = module(&mut Choices::new(&bytes));
            print_and_parse(&module)?;
            ends(&module, &mut SyncHost::new())?;
        }

        #[test]
        fn modules_with_tasks_verify_print_parse_and_end(
            bytes in prop::collection::vec(any::<u8>(), 0..3000),
            suspends in any::<bool>(),
            cancel_at in 0..20u64,
        ) {
            let module = async_module(&mut Choices::new(&bytes));
            print_and_parse(&module)?;
            let mut host = SyncHost::new();
            (host.flag, host.suspends) = (suspends, suspends);
            host.at = Some((cancel_at, Then::Cancel)).filter(|_| cancel_at > 0);
            ends(&module, &mut host)?;
        }
    }
}
