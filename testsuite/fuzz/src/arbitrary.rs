//! Arbitrary modules of the compiler's own generator: recovery and cleanup edges, intents, calls by
//! address, recursion. In each mode of the probes, evaluator and JIT code end in the same way and
//! take the same probes, also when one of them is cancelled.

use asr_codegen::air::arbitrary::{Choices, module};
use asr_codegen::air::{Linkage, Module, print, verify};
use asr_codegen::{Options, ProbeMode};
use asr_testsuite::filetest::Armed;
use asr_testsuite::filetest::run::{Call, Outcome, Stub, eval, jit, literal};
use asr_testsuite::filetest::verify::TABLES;

/// Status `CANCELLED` of VAL-33.
const CANCELLED: u64 = 3;

/// The verifier accepts an arbitrary module, and the engines agree on it.
///
/// # Panics
/// When they do not; with the module.
pub fn arbitrary(data: &[u8]) {
    let module = module(&mut Choices::new(data));
    if let Err(errors) = verify(&module, &TABLES) {
        panic!("the verifier refuses: {}\n{}", errors[0], print(&module));
    }
    for (probes, force_slow, armed) in [
        (ProbeMode::Auto, false, Armed::Clear),
        (ProbeMode::Auto, false, Armed::Cancel(2)),
        (ProbeMode::Every, true, Armed::Cancel(9)),
        (ProbeMode::Off, false, Armed::Clear),
    ] {
        let options = Options {
            probes,
            force_slow,
            ..Options::default()
        };
        if let Err(what) = agree(&module, &options, armed) {
            panic!("{probes:?}: {what}\n{}", print(&module));
        }
    }
}

fn agree(module: &Module, options: &Options, armed: Armed) -> Result<(), String> {
    let prepared = jit::prepared(module, options)?;
    let exported = module
        .funcs
        .iter()
        .filter(|func| func.linkage == Linkage::Export);
    let calls: Vec<Call> = exported
        .map(|func| {
            let params = func.signature().params;
            let args = params
                .iter()
                .zip(3..)
                .map(|(&ty, n)| (ty, ty.canonical(n)))
                .collect();
            Call {
                func: func.name.clone(),
                armed,
                args,
                ret: func.ret,
            }
        })
        .collect();
    let expected = eval::run(&prepared, &calls)?;
    let stub = Stub::get()?;
    let found = jit::run(&prepared, &calls, &stub)?;
    for ((call, want), got) in calls.iter().zip(&expected).zip(&found) {
        if !same(call, options, want, got) {
            let after = print(prepared.module());
            return Err(format!(
                "{call:?}: evaluator {want:?}, code {got:?}\n{after}"
            ));
        }
    }
    Ok(())
}

/// Equal but for a NaN's bits, for the value register of a function without result or of one that
/// was cancelled, and for the probes of code that always takes the slow path.
fn same(call: &Call, options: &Options, a: &Outcome, b: &Outcome) -> bool {
    let value = match call.ret {
        Some(ty) if a.status == 0 => literal::same(ty, a.value, b.value),
        None if a.status == 0 => true,
        _ if a.status == CANCELLED => true,
        _ => a.value == b.value,
    };
    let probes = options.force_slow || a.probes == b.probes;
    value && probes && a.status == b.status && a.fault == b.fault
}
