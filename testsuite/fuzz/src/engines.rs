//! The verifier accepts, so the lowering does not panic, and all engines agree.

use asr_codegen::air::{Module, print, verify};
use asr_codegen::{Options, ProbeMode};
use asr_testsuite::filetest::Armed;
use asr_testsuite::filetest::run::{Call, Outcome, Stub, eval, jit, literal};
use asr_testsuite::filetest::verify::TABLES;

use crate::generate::{self, PARAMS};

/// Arguments at which arithmetic changes its mind.
const ARGS: [[u64; 3]; 4] = [
    [0, 0, 0],
    [7, 3, 0x3ff8_0000_0000_0000],
    [u64::MAX, 0xffff_ffff, 0xc1e0_0000_0020_0000],
    [1 << 63, 0x8000_0000, 0x7ff0_0000_0000_0000],
];

/// A generated module is accepted, and its last function ends in the same way on every engine.
///
/// # Panics
/// When it does not; with the module.
pub fn engines(data: &[u8]) {
    let module = generate::module(data);
    if let Err(errors) = verify(&module, &TABLES) {
        panic!("the verifier refuses: {}\n{}", errors[0], print(&module));
    }
    if let Err(what) = agree(&module) {
        panic!("{what}\n{}", print(&module));
    }
}

fn agree(module: &Module) -> Result<(), String> {
    let func = module
        .funcs
        .last()
        .ok_or("a generated module has a function")?;
    let calls = |armed| {
        let args = ARGS
            .iter()
            .map(|bits| PARAMS.into_iter().zip(*bits).collect());
        let call = |args| Call {
            func: func.name.clone(),
            armed,
            args,
            ret: func.ret,
        };
        args.map(call).collect::<Vec<Call>>()
    };
    let stub = Stub::get()?;
    let prepared = jit::prepared(module, &Options::default())?;
    let expected = eval::run(&prepared, &calls(Armed::Clear))?;
    for (probes, force_slow, armed) in [
        (ProbeMode::Auto, false, Armed::Clear),
        (ProbeMode::Auto, false, Armed::Slow),
        (ProbeMode::Every, true, Armed::Clear),
        (ProbeMode::Off, false, Armed::Clear),
    ] {
        let options = Options {
            probes,
            force_slow,
            ..Options::default()
        };
        let prepared = jit::prepared(module, &options)?;
        let calls = calls(armed);
        let unit = jit::load(&prepared, &stub)?;
        let called = calls.iter().map(|call| jit::call_in(&unit, call, &stub));
        let outcomes: Vec<Outcome> = called.collect::<Result<_, _>>()?;
        unit.release().map_err(|(_, error)| error.to_string())?;
        for ((call, want), got) in calls.iter().zip(&expected).zip(&outcomes) {
            if !same(call, want, got) {
                return Err(format!(
                    "{probes:?} slow={force_slow} {call:?}: {want:?}, {got:?}"
                ));
            }
        }
    }
    Ok(())
}

/// Equal but for the number of probes, which depends on the mode, and for a NaN's bits.
fn same(call: &Call, a: &Outcome, b: &Outcome) -> bool {
    let value = match call.ret {
        Some(ty) if a.status == 0 => literal::same(ty, a.value, b.value),
        _ => a.value == b.value,
    };
    value && a.status == b.status && a.fault == b.fault
}
