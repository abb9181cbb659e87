//! The engines agree about programs with tasks: evaluator and JIT code, both over the kernel in
//! miniature, so that they meet the same schedule. In each mode of the probes, with every probe
//! that may wait suspending first, and with everything cancelled after the k-th suspension.

use asr_codegen::air::arbitrary::{self, Choices};
use asr_codegen::air::{Linkage, Module, print, verify};
use asr_codegen::{Options, ProbeMode};
use asr_testsuite::filetest::Armed;
use asr_testsuite::filetest::run::{Call, Outcome, eval, jit};
use asr_testsuite::filetest::verify::TABLES;
use asr_testsuite::small;

use crate::engines::{call, same};

/// Suspensions after which everything is cancelled.
const STOPS: std::ops::RangeInclusive<u64> = 1..=6;

/// A generated module is accepted, and each asynchronous export ends in the same way on both
/// engines, with as many probes and suspensions, and no frame left.
///
/// # Panics
/// When it does not; with the module.
pub fn tasks(data: &[u8]) {
    let module = arbitrary::async_module(&mut Choices::new(data));
    if let Err(errors) = verify(&module, &TABLES) {
        panic!("the verifier refuses: {}\n{}", errors[0], print(&module));
    }
    let mut usual = vec![Armed::Clear, Armed::Suspend, Armed::Cancel(3)];
    usual.extend(STOPS.map(Armed::Stop));
    let modes = [
        (ProbeMode::Auto, false, usual),
        (ProbeMode::Every, true, vec![Armed::Clear]),
        (ProbeMode::Every, false, vec![Armed::Suspend]),
        (ProbeMode::Off, false, vec![Armed::Clear]),
    ];
    for (probes, force_slow, armed) in modes {
        let options = Options {
            probes,
            force_slow,
            ..Options::default()
        };
        let calls: Vec<Call> = armed.iter().flat_map(|n| calls(&module, *n)).collect();
        if let Err(what) = agree(&module, &options, &calls) {
            panic!("{what}\n{probes:?} slow={force_slow}\n{}", print(&module));
        }
    }
}

fn calls(module: &Module, armed: Armed) -> Vec<Call> {
    let funcs = module.funcs.iter();
    let tasks = funcs.filter(|func| func.is_async && func.linkage == Linkage::Export);
    tasks
        .flat_map(|func| [2, -1].map(|arg| call(func, arg, armed)))
        .collect()
}

fn agree(module: &Module, options: &Options, calls: &[Call]) -> Result<(), String> {
    if calls.is_empty() {
        return Ok(());
    }
    let prepared = jit::prepared(module, options)?;
    let expected = eval::run_in_order(&prepared, calls)?;
    let unit = small::load(&prepared)?;
    let found = calls.iter().map(|call| small::call(&unit, call));
    let found: Vec<Outcome> = found.collect::<Result<_, _>>()?;
    unit.release().map_err(|(_, error)| error.to_string())?;
    // Code that always takes the slow path does so with a clear flag, too.
    let probes = !options.force_slow;
    for ((call, want), got) in calls.iter().zip(&expected).zip(&found) {
        let counts = want.probes == got.probes || !probes;
        let counts = counts && want.suspensions == got.suspensions && got.live == 0;
        let counts = counts && want.seen == got.seen;
        if !counts || !same(call, want, got) {
            return Err(format!("{call:?}: evaluator {want:?}, code {got:?}"));
        }
    }
    Ok(())
}
