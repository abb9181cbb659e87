//! `cargo xtask bench`: criterion benches, and the count of instructions that probes cost.
//!
//! Instruction counts come from callgrind and do not depend on what else the machine does;
//! criterion's times do, so compare ratios of one run, never times of two runs.

use std::process::Command;

use crate::Failure;
use crate::step::{Steps, cargo};

/// `cargo xtask bench [NAME] [ARG]...`.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let mut steps = Steps::new();
    let advice = "its messages stand above";
    match args.first().map(String::as_str) {
        Some("probes") => {
            let mut command = cargo(&["run", "-q", "-p", "asr-testsuite", "--example", "probes"]);
            command.arg("--").args(&args[1..]);
            steps.run("probes", advice, &mut command)
        }
        Some(LAB) => {
            let mut command = cargo(&["bench", "-p", "asr-lab", "--bench", LAB, "--"]);
            command.args(&args[1..]);
            steps.run(LAB, advice, &mut command)
        }
        Some(name) if !name.starts_with('-') => {
            let mut command = without_lab();
            command.args(["--bench", name, "--"]).args(&args[1..]);
            steps.run(name, advice, &mut command)
        }
        _ => {
            let mut command = without_lab();
            command.arg("--benches").args(args);
            steps.run("bench", advice, &mut command)?;
            let mut command = cargo(&["bench", "-p", "asr-lab", "--benches"]);
            command.args(args);
            steps.run(LAB, advice, &mut command)
        }
    }
}

/// The bench of the lab.
const LAB: &str = "lab";

/// All crates but those that see the lab: with it locks check their order, in everything that is
/// built beside it.
fn without_lab() -> Command {
    cargo(&[
        "bench",
        "--workspace",
        "--exclude",
        "asr-lab",
        "--exclude",
        "asr-testsuite",
        "--exclude",
        "asr-fuzz",
    ])
}
