//! Calls a function of an AIR file in JIT code, with the C stub as the runtime.
//!
//! `cargo run -p asr-testsuite --example air -- codegen/filetests/debug/steps.air '@outer(20)'`
//! prints how the call ended, as a `; run:` line of a filetest says it. gdb sees the functions of
//! the file with their lines, so this is also what the gdb test debugs.

use std::process::ExitCode;

use asr_codegen::{Options, ProbeMode};
use asr_testsuite::filetest::run::{Call, Stub, jit};
use asr_testsuite::filetest::{self, verify};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match &args[..] {
        [file, call] => run(file, call, ProbeMode::Auto),
        [file, call, probes] => match ProbeMode::from_name(probes) {
            Some(probes) => run(file, call, probes),
            None => Err(format!("`{probes}` is not off, auto, every or as-is")),
        },
        _ => Err("usage: air FILE '@function(1, 2)' [off|auto|every|as-is]".into()),
    };
    match done {
        Ok(ended) => {
            println!("{ended}");
            ExitCode::SUCCESS
        }
        Err(what) => {
            eprintln!("air: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(file: &str, call: &str, probes: ProbeMode) -> Result<String, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let directive = format!("; test run\n; run: {call} == ?\n");
    let case = filetest::parse(file, &directive)?;
    let case = filetest::Case { text, ..case };
    if let Some(error) = verify::verified(&case, false).first() {
        return Err(format!("{file}:{}: {}", error.line, error.text));
    }
    let parsed = verify::parsed(&case).map_err(|errors| format!("{errors:?}"))?;
    let call = Call::new(&case.runs[0], &parsed.module)?;
    let options = Options {
        probes,
        debugger: true,
        ..Options::default()
    };
    let prepared = jit::prepared(&parsed.module, &options)?;
    let stub = Stub::get()?;
    let outcomes = jit::run(&prepared, std::slice::from_ref(&call), &stub)?;
    Ok(call.show(&case.runs[0], &outcomes[0]))
}
