//! Time to compile a function: the budget is 40 us plus 3 us per CLIF instruction.
//!
//! The kernels are those of the probe measurements. `compile` is the time to build and compile
//! the CLIF of all functions. Stubs are compiled once per process, later units copy them: the time
//! counts, the budget gets nothing for them. `load` is everything from the module to a registered
//! unit, and its release. Each line before the figures says what the budget is.

mod clock;
#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Duration;

use asr_codegen::jit::Unit;
use asr_codegen::{OptLevel, Options, Prepared, ProbeMode};
use common::{log, prepared, symbols};
use criterion::{Criterion, criterion_group, criterion_main};

const KERNELS: [(&str, &str); 3] = [
    ("fib", include_str!("../../testsuite/kernels/fib.air")),
    ("sieve", include_str!("../../testsuite/kernels/sieve.air")),
    ("nbody", include_str!("../../testsuite/kernels/nbody.air")),
];

/// Loads and releases; gives functions, instructions of CLIF and time in the compiler.
fn once(prepared: &Prepared) -> (usize, usize, Duration) {
    let registry: &'static common::Log = LOG.get_or_init(log);
    let unit = Unit::load(prepared, &symbols(), Box::new(registry));
    let unit = unit.unwrap_or_else(|error| panic!("{error}"));
    let stats = unit.stats();
    let insts = stats.iter().map(|func| func.clif_insts).sum();
    let ns = stats.iter().map(|func| func.build_ns + func.compile_ns);
    // Stubs that were copied have no instructions of CLIF.
    let compiled = stats.iter().filter(|func| func.clif_insts > 0).count();
    let out = (compiled, insts, Duration::from_nanos(ns.sum()));
    assert!(unit.release().is_ok());
    out
}

static LOG: std::sync::OnceLock<&'static common::Log> = std::sync::OnceLock::new();

fn compile(criterion: &mut Criterion) {
    for (name, text) in KERNELS {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.measurement_time(Duration::from_secs(2));
        for (level, opt) in [("speed", OptLevel::Speed), ("none", OptLevel::None)] {
            let options = Options {
                probes: ProbeMode::Auto,
                opt,
                verify_clif: false,
                ..Options::default()
            };
            let prepared = prepared(text, &options);
            once(&prepared);
            let (funcs, insts, _) = once(&prepared);
            let budget = 40 * funcs + 3 * insts;
            println!(
                "{name} {level}: {funcs} functions, {insts} CLIF instructions, budget {budget} us"
            );
            let best = (0..200).map(|_| once(&prepared).2).min();
            println!(
                "  least of 200: {} us",
                best.unwrap_or_default().as_micros()
            );
            group.bench_function(format!("compile {level}"), |bencher| {
                bencher.iter_custom(|n| (0..n).map(|_| once(&prepared).2).sum());
            });
            group.bench_function(format!("load {level}"), |bencher| {
                bencher.iter_custom(|n| (0..n).map(|_| clock::time(|| once(&prepared))).sum());
            });
        }
        group.finish();
    }
}

criterion_group!(benches, compile);
criterion_main!(benches);
