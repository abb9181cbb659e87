//! The verifier accepts, so the lowering does not panic, and the engines agree: in each mode of the
//! probes, evaluator and JIT code end in the same way and take the same probes, also when one of
//! them is cancelled; and all modes that are not cancelled give the same results, up to the first
//! fault: sites are numbered after the probe pass.

use asr_codegen::air::arbitrary::{self, Choices};
use asr_codegen::air::{Function, Linkage, Module, Type, print, verify};
use asr_codegen::{Options, ProbeMode};
use asr_testsuite::filetest::Armed;
use asr_testsuite::filetest::run::{Call, Outcome, Stub, eval, jit, literal};
use asr_testsuite::filetest::verify::TABLES;

/// Status `CANCELLED` of VAL-33.
const CANCELLED: u64 = 3;

/// Arguments at which arithmetic changes its mind; floats are made of them.
const ARGS: [i64; 4] = [7, -1, i64::MIN, 0x7fff_ffff];

/// Modes of the probes, and what the checkpoint answers.
const MODES: [(ProbeMode, bool, Armed); 6] = [
    (ProbeMode::Auto, false, Armed::Clear),
    (ProbeMode::Auto, false, Armed::Slow),
    (ProbeMode::Auto, false, Armed::Cancel(2)),
    (ProbeMode::Every, true, Armed::Clear),
    (ProbeMode::Every, false, Armed::Cancel(9)),
    (ProbeMode::Off, false, Armed::Clear),
];

/// A generated module is accepted, and each exported function ends in the same way on every engine.
///
/// # Panics
/// When it does not; with the module.
pub fn engines(data: &[u8]) {
    let module = arbitrary::module(&mut Choices::new(data));
    if let Err(errors) = verify(&module, &TABLES) {
        panic!("the verifier refuses: {}\n{}", errors[0], print(&module));
    }
    let mut first: Option<Vec<Outcome>> = None;
    for (probes, force_slow, armed) in MODES {
        let options = Options {
            probes,
            force_slow,
            ..Options::default()
        };
        let calls = calls(&module, armed);
        let shown = || format!("{probes:?} slow={force_slow} {armed:?}\n{}", print(&module));
        let outcomes = agree(&module, &options, &calls);
        let outcomes = outcomes.unwrap_or_else(|what| panic!("{what}\n{}", shown()));
        if matches!(armed, Armed::Cancel(_)) {
            continue;
        }
        let first = first.get_or_insert_with(|| outcomes.clone());
        for ((call, want), got) in calls.iter().zip(&*first).zip(&outcomes) {
            if want.fault != 0 && want.fault == got.fault {
                // The program may keep the word of the fault, in which the site is another one.
                break;
            }
            assert!(
                same(call, want, got),
                "{call:?}: {want:?}, {got:?}: {}",
                shown()
            );
        }
    }
}

/// All exported functions with all arguments that registers hold.
fn calls(module: &Module, armed: Armed) -> Vec<Call> {
    let exported = module
        .funcs
        .iter()
        .filter(|func| func.linkage == Linkage::Export);
    let calls = exported.flat_map(|func| ARGS.iter().map(move |&arg| call(func, arg, armed)));
    calls.filter(|call| call.registers().is_ok()).collect()
}

/// A call with `arg` as every argument, in the form of its type.
pub(crate) fn call(func: &Function, arg: i64, armed: Armed) -> Call {
    let bits = |ty: Type| match ty {
        Type::F64 => (arg as f64).to_bits(),
        Type::F32 => u64::from((arg as f32).to_bits()),
        _ => ty.canonical(ty.immediate(arg as u64)),
    };
    let args = func
        .signature()
        .params
        .into_iter()
        .map(|ty| (ty, bits(ty)))
        .collect();
    Call {
        func: func.name.clone(),
        armed,
        args,
        ret: func.ret,
        is_async: func.is_async,
    }
}

/// Evaluator and JIT code end in the same way, call by call, with the globals that calls leave.
fn agree(module: &Module, options: &Options, calls: &[Call]) -> Result<Vec<Outcome>, String> {
    let prepared = jit::prepared(module, options)?;
    let expected = eval::run_in_order(&prepared, calls)?;
    let stub = Stub::get()?;
    let unit = jit::load(&prepared, &stub)?;
    let called = calls.iter().map(|call| jit::call_in(&unit, call, &stub));
    let found: Vec<Outcome> = called.collect::<Result<_, _>>()?;
    unit.release().map_err(|(_, error)| error.to_string())?;
    // Code that always takes the slow path does so with a clear flag, too.
    let probes = !options.force_slow;
    for ((call, want), got) in calls.iter().zip(&expected).zip(&found) {
        if !same(call, want, got) || (probes && want.probes != got.probes) {
            return Err(format!("{call:?}: evaluator {want:?}, code {got:?}"));
        }
    }
    Ok(found)
}

/// Equal but for a NaN's bits, and for the value register of a function without result or of one
/// that was cancelled.
pub(crate) fn same(call: &Call, a: &Outcome, b: &Outcome) -> bool {
    let value = match call.ret {
        Some(ty) if a.status == 0 => literal::same(ty, a.value, b.value),
        None if a.status == 0 => true,
        _ if a.status == CANCELLED => true,
        _ => a.value == b.value,
    };
    value && a.status == b.status && a.fault == b.fault
}
