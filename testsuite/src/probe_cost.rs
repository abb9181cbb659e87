//! Instructions per iteration that probes cost, counted by callgrind.
//!
//! A kernel is an AIR file in `testsuite/kernels` with an exported `@kernel(n)` that makes
//! `n * iterations` iterations of something. It is compiled to an object, linked with the C stub,
//! and run with two values of `n`; the difference of the two counts holds the loop alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use asr_codegen::air::{self, Type, verify};
use asr_codegen::{Options, ProbeMode, object};

use crate::filetest::Armed;
use crate::filetest::run::{Batch, Call, Machine, jit, tool};
use crate::filetest::verify::TABLES;

/// Values of `n` of the two runs.
const RUNS: [u64; 2] = [1, 3];

/// One kernel.
#[derive(Clone, Debug)]
pub struct Kernel {
    /// File name without ending.
    pub name: String,
    /// AIR text.
    pub text: String,
    /// Iterations that `@kernel(1)` makes.
    pub iterations: u64,
    /// What `@kernel(1)` returns.
    pub result: i64,
}

/// Folder of the kernels.
pub fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels")
}

/// Read the kernel `name`.
///
/// # Errors
/// The file is missing or does not say how many iterations it makes and what it returns.
pub fn kernel(name: &str) -> Result<Kernel, String> {
    let path = dir().join(format!("{name}.air"));
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let after = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key).map(str::trim))
    };
    let iterations = after("; iterations:").and_then(|n| n.parse().ok());
    let result = after("; check: @kernel(1) ==").and_then(|n| n.trim().parse().ok());
    match (iterations, result) {
        (Some(iterations), Some(result)) => Ok(Kernel {
            name: name.to_owned(),
            iterations,
            result,
            text,
        }),
        _ => Err(format!("{name}: no `; iterations:` or no `; check:` line")),
    }
}

/// Instructions per iteration of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Without probes.
    pub off: f64,
    /// With those that the probe pass places.
    pub auto: f64,
}

/// Compile a kernel with and without probes, and count. Its result is checked on the way.
///
/// # Errors
/// The kernel is refused or returns something else than it says; a tool is missing or failed.
pub fn measure(kernel: &Kernel) -> Result<Cost, String> {
    let parsed = air::parse(kernel.text.as_bytes()).map_err(|errors| errors[0].to_string())?;
    verify(&parsed.module, &TABLES).map_err(|errors| errors[0].to_string())?;
    let cost = |probes| {
        let options = Options {
            probes,
            ..Options::default()
        };
        let prepared = jit::prepared(&parsed.module, &options)?;
        let object = object::emit(&prepared, None).map_err(|error| error.to_string())?;
        per_iteration(kernel, &object)
    };
    Ok(Cost {
        off: cost(ProbeMode::Off)?,
        auto: cost(ProbeMode::Auto)?,
    })
}

/// Instructions per iteration of an object made from a kernel.
fn per_iteration(kernel: &Kernel, object: &[u8]) -> Result<f64, String> {
    let mut counts = [0; 2];
    for (count, n) in counts.iter_mut().zip(RUNS) {
        let args = vec![(Type::I64, n)];
        let ret = Some(Type::I64);
        let call = Call {
            func: "kernel".into(),
            armed: Armed::Clear,
            args,
            ret,
            is_async: false,
        };
        let batch = Batch {
            objects: vec![object.to_vec()],
            calls: vec![call],
        };
        let dir = tool::scratch("probes")?;
        let program = batch.link(Machine::Native, &dir)?;
        if n == 1 {
            let printed = tool::run(&mut Command::new(&program))?;
            let expected = format!("0 {:x} 0 ", kernel.result);
            if !printed.starts_with(&expected) {
                return Err(format!(
                    "{}: `{printed}` is not `{expected}...`",
                    kernel.name
                ));
            }
        }
        *count = instructions(&program)?;
        std::fs::remove_dir_all(&dir).map_err(|error| error.to_string())?;
    }
    let iterations = kernel.iterations * (RUNS[1] - RUNS[0]);
    Ok((counts[1] - counts[0]) as f64 / iterations as f64)
}

/// Instructions of one run, as callgrind collects them.
fn instructions(program: &Path) -> Result<u64, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program);
    let output = valgrind.output().map_err(|error| {
        format!("cannot run valgrind: {error}; `cargo xtask setup` installs what is missing")
    })?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    count.ok_or_else(|| format!("callgrind printed no count:\n{text}"))
}

/// Names of all kernels, sorted.
///
/// # Errors
/// The folder cannot be read.
pub fn names() -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(dir()).map_err(|error| error.to_string())?;
    let stem = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| stem(entry.path()))
        .collect();
    names.sort();
    Ok(names)
}
