//! Instructions per operation.
//!
//! `cargo run --release -p asr-kernel --example costs` runs itself under callgrind, twice per
//! operation with different counts, and prints the difference per operation: what a run does once
//! drops out. `costs OPERATION...` does so for these only; `costs run PLACE OPERATION COUNT` is
//! what callgrind runs.

#[path = "../benches/ops/mod.rs"]
mod ops;

use std::process::{Command, ExitCode};

use ops::{Place, Work};

const PLACES: [(&str, Place); 4] = [
    ("queue", Place::Queue),
    ("traced", Place::Traced),
    ("local", Place::Local),
    ("workers", Place::Workers(1)),
];
/// Counts of the two runs.
const FEW: u64 = 1_000;
const MANY: u64 = 3_000;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        ["run", place, work, count] => run(place, work, count),
        ref names => instructions(names),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("costs: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(place: &str, work: &str, count: &str) -> Result<(), String> {
    let place = PLACES.iter().find(|(name, _)| *name == place);
    let work = ops::ALL.iter().find(|(name, _)| *name == work);
    let ((_, place), (_, work)) = place.zip(work).ok_or("no such place or operation")?;
    let times = count.parse().map_err(|_| format!("{count} is no count"))?;
    ops::run(*place, *work, times);
    Ok(())
}

/// A table of the operations of these names, or of all.
fn instructions(names: &[&str]) -> Result<(), String> {
    print!("{:<16}", "instructions");
    PLACES.iter().for_each(|(name, _)| print!("{name:>10}"));
    println!();
    for (name, work) in ops::ALL {
        if work == Work::Nothing || !(names.is_empty() || names.contains(&name)) {
            continue;
        }
        print!("{name:<16}");
        for (place, _) in PLACES {
            let more = counted(place, name, MANY)? - counted(place, name, FEW)?;
            print!("{:>10.1}", more as f64 / (MANY - FEW) as f64);
        }
        println!();
    }
    Ok(())
}

/// Instructions of one run.
fn counted(place: &str, name: &str, count: u64) -> Result<u64, String> {
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(exe)
        .args(["run", place, name, &count.to_string()])
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&run.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let found = collected.and_then(|(_, count)| count.trim().parse().ok());
    found.ok_or_else(|| format!("callgrind of {place} {name} said:\n{said}"))
}
