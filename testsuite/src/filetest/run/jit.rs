//! Calls of JIT code, with the C stub as the runtime.

use std::collections::BTreeSet;

use asr_abi::{CodeRecord, StartHandler};
use asr_codegen::air::Module;
use asr_codegen::jit::{Registry, Unit};
use asr_codegen::{Options, Prepared, prepare};

use super::call::{Call, Outcome};
use super::stub::Stub;
use crate::filetest::verify::TABLES;

/// A runtime that takes every record and every handler, and refuses nothing.
#[derive(Debug)]
pub struct AnyRegistry;

impl Registry for AnyRegistry {
    fn register(&self, _: *const CodeRecord) -> u32 {
        0
    }
    fn unregister(&self, _: *const CodeRecord) -> u32 {
        0
    }
    fn handler(&self, _: &StartHandler) -> u32 {
        0
    }
}

/// What code of asynchronous functions calls besides rows.
const TASK_FUNCTIONS: [&str; 6] = [
    "frame_alloc",
    "frame_new",
    "frame_free",
    "task_new",
    "task_start",
    "op_poll",
];

/// A module with its probes, verified or not.
///
/// # Errors
/// What the compiler refused.
pub fn prepared(module: &Module, options: &Options) -> Result<Prepared, String> {
    prepare(module, &TABLES, options).map_err(|error| error.to_string())
}

/// A loaded unit.
///
/// # Errors
/// What the compiler refused.
pub fn load(prepared: &Prepared, stub: &Stub) -> Result<Unit, String> {
    let rows = TABLES.iter().flat_map(|table| table.rows);
    let mut names: BTreeSet<String> = rows.map(|row| row.compiled_symbol()).collect();
    names.insert("asr_checkpoint".into());
    names.extend(TASK_FUNCTIONS.map(|name| format!("asr_i_{name}")));
    names.extend(
        prepared
            .module()
            .externs
            .iter()
            .map(|func| func.name.clone()),
    );
    let symbols: Vec<(&str, *const u8)> = names
        .iter()
        .filter_map(|name| Some((name.as_str(), stub.symbol(name)?)))
        .collect();
    Unit::load(prepared, &symbols, stub.registry()).map_err(|error| error.to_string())
}

/// Make `calls`. A module with globals is loaded anew for each, so that every call finds them as
/// they are declared.
///
/// # Errors
/// What the compiler refused, or a call that the stub cannot make.
pub fn run(prepared: &Prepared, calls: &[Call], stub: &Stub) -> Result<Vec<Outcome>, String> {
    let at_once = if prepared.module().globals.is_empty() {
        calls.len().max(1)
    } else {
        1
    };
    let mut outcomes = Vec::new();
    for calls in calls.chunks(at_once) {
        let unit = load(prepared, stub)?;
        for call in calls {
            outcomes.push(call_in(&unit, call, stub)?);
        }
        unit.release().map_err(|(_, error)| error.to_string())?;
    }
    Ok(outcomes)
}

/// Make one call in a loaded unit.
///
/// # Errors
/// The unit has no such function, or it takes more arguments than registers.
#[allow(unsafe_code, reason = "calls the code that was just compiled")]
pub fn call_in(unit: &Unit, call: &Call, stub: &Stub) -> Result<Outcome, String> {
    let code = unit
        .lookup(&call.func)
        .ok_or_else(|| format!("no export @{}", call.func))?;
    // SAFETY: `code` is the exported function that `call` was typed by, and `unit`, which is
    // borrowed, keeps it mapped.
    unsafe { stub.call(code, call) }
}
