//! Calls of the evaluator, over a host that answers as `src/stub/stub.c` does.

use std::hash::{DefaultHasher, Hash, Hasher};

use asr_abi::Ret;
use asr_codegen::Prepared;
use asr_codegen::air::{Module, verify};
use asr_codegen::eval::{Limits, Machine, Program, SyncHost, Then};

use super::call::{Call, Outcome};
use crate::filetest::Armed;
use crate::filetest::verify::TABLES;

/// AIR instructions that one call may take; a filetest that needs more is too slow for a test.
const FUEL: u64 = 200_000_000;

/// Make `calls`, each on a fresh machine.
///
/// # Errors
/// The verifier refused the module after the probe pass, or the evaluation stopped.
pub fn run(prepared: &Prepared, calls: &[Call]) -> Result<Vec<Outcome>, String> {
    run_module(prepared.module(), calls)
}

/// The same for a module as it is.
///
/// # Errors
/// The verifier refused the module, or the evaluation stopped.
pub fn run_module(module: &Module, calls: &[Call]) -> Result<Vec<Outcome>, String> {
    let verified = verify(module, &TABLES).map_err(|errors| errors[0].to_string())?;
    let program = Program::new(&verified);
    calls.iter().map(|call| one(&program, call)).collect()
}

/// Make `calls` on one machine: each finds the globals as the ones before left them.
///
/// # Errors
/// The verifier refused the module, or the evaluation stopped.
pub fn run_in_order(prepared: &Prepared, calls: &[Call]) -> Result<Vec<Outcome>, String> {
    let verified = verify(prepared.module(), &TABLES).map_err(|errors| errors[0].to_string())?;
    let program = Program::new(&verified);
    let mut session = Session::new(&program)?;
    calls.iter().map(|call| session.call(call)).collect()
}

fn one(program: &Program<'_>, call: &Call) -> Result<Outcome, String> {
    Session::new(program)?.call(call)
}

/// A machine and its host.
struct Session<'p> {
    host: SyncHost,
    machine: Machine<'p>,
}

impl<'p> Session<'p> {
    fn new(program: &'p Program<'p>) -> Result<Self, String> {
        let limits = Limits {
            fuel: FUEL,
            ..Limits::default()
        };
        let (mut host, mut machine) = (host(), Machine::new(program, limits));
        machine.start(&mut host).map_err(|trap| trap.to_string())?;
        Ok(Self { host, machine })
    }

    fn call(&mut self, call: &Call) -> Result<Outcome, String> {
        let Self { host, machine } = self;
        arm(host, call.armed);
        let func = machine.program().func(&call.func);
        let func = func.ok_or_else(|| format!("no function @{}", call.func))?;
        let args: Vec<u64> = call
            .args
            .iter()
            .map(|(ty, bits)| ty.canonical(*bits))
            .collect();
        let ret = match call.is_async {
            true => host.run_task(machine, func, &args),
            false => machine.call(host, func, &args),
        };
        let ret = ret.map_err(|stopped| stopped.to_string())?;
        let fault = host.faults.last().map_or(0, |fault| fault.code);
        Ok(Outcome {
            value: ret.value,
            status: ret.status,
            probes: host.probes,
            fault,
            live: host.kept_bytes(),
            suspensions: host.suspensions,
            seen: seen(host),
        })
    }
}

/// Set the flag as the call asks, and forget earlier calls.
pub fn arm(host: &mut SyncHost, armed: Armed) {
    host.flag = armed != Armed::Clear;
    host.probes = 0;
    host.faults.clear();
    host.actions.clear();
    host.traces.clear();
    (host.traces_count, host.taint, host.expiry) = (0, 0, None);
    host.suspends = matches!(armed, Armed::Suspend | Armed::Stop(_) | Armed::Drop(_));
    host.at = match armed {
        Armed::Stop(n) => Some((n, Then::Stop)),
        Armed::Drop(n) => Some((n, Then::Drop)),
        _ => None,
    };
    if let Armed::Cancel(n) = armed {
        let cancelled = Ret {
            value: 0,
            status: 3,
        };
        host.actions.insert(n, cancelled);
    }
}

/// What a host saw of a call, besides its outcome.
pub fn seen(host: &SyncHost) -> u64 {
    let mut hasher = DefaultHasher::new();
    for fault in &host.faults {
        (fault.site, fault.code).hash(&mut hasher);
    }
    (&host.traces, host.taint, host.expiry, host.small.now()).hash(&mut hasher);
    hasher.finish()
}

/// The host of stub.c: its rows and foreign functions.
fn host() -> SyncHost {
    let ok = |value: u64| Ret { value, status: 0 };
    let mut host = SyncHost::new();
    host.externs.insert(
        "asr_test_twice".into(),
        Box::new(|_, args| Ok(args[0].wrapping_mul(2))),
    );
    let half = |bits: u64| (f64::from_bits(bits) / 2.0).to_bits();
    host.externs.insert(
        "asr_test_half".into(),
        Box::new(move |_, args| Ok(half(args[0]))),
    );
    host.rows.insert(
        "test_alloc",
        Box::new(move |host, _, _| Ok(ok(host.memory.alloc(64)?))),
    );
    host.rows.insert(
        "test_park",
        Box::new(move |_, _, args| Ok(ok(args[0].wrapping_add(1)))),
    );
    host.rows
        .insert("test_word", Box::new(move |_, _, args| Ok(ok(args[0]))));
    host.rows.insert(
        "test_wait",
        Box::new(|host, _, args| {
            let (times, x) = (args[0] as i64, args[1]);
            Ok(match u64::try_from(times) {
                Ok(times) => host.small.turns(times, x),
                Err(_) => Ret {
                    value: x,
                    status: times.unsigned_abs(),
                },
            })
        }),
    );
    let refuse = |status: u64| Ret {
        value: 10 * status,
        status,
    };
    host.rows.insert(
        "test_refuse",
        Box::new(move |_, _, args| Ok(refuse(args[0]))),
    );
    let kinds = |args: &[u64]| {
        let (a, b, c) = (
            f64::from(args[0] as i32),
            f64::from(args[1] as u32),
            args[2] as i64,
        );
        a + b + c as f64 + f64::from_bits(args[3]) + args[4] as f64
    };
    host.rows.insert(
        "test_kinds",
        Box::new(move |_, _, args| Ok(ok(kinds(args).to_bits()))),
    );
    host
}
