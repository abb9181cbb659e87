//! `asr-bench`: the runtime under the workloads that other runtimes are measured by.
//!
//! ```text
//! asr-bench list              names the workloads: `work NAME N`
//! asr-bench WORKLOAD [N]      runs one, N operations, and prints one line of JSON
//! ```
//!
//! `cargo build --profile peers -p asr-bench` builds it as the others are built: thin LTO, one
//! codegen unit.
//!
//! `ANCHOR_WORKERS` is the number of worker threads, 2 if not said; 1 is the driver of one thread.
//! `asr-bench-one` as a name of the program (a link will do) is 1 whatever the variable says, for
//! scripts that set it for all.
//! Wall time means something on a quiet machine only. On a shared one compare `cpu_ns_per_op`, or
//! the instructions that valgrind counts, and only within one interleaved run.

mod hist;
mod on;
mod report;
mod works;

use std::process::ExitCode;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("asr-bench: {what}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &[&str]) -> Result<(), String> {
    let (name, count) = match *args {
        [] | ["list"] => {
            for work in works::all() {
                println!("work {} {}", work.name, work.count);
            }
            return Ok(());
        }
        [name] => (name, None),
        [name, count] => (name, Some(count)),
        _ => return Err("list | WORKLOAD [N]".into()),
    };
    let work = works::all().find(|work| work.name == name);
    let work = work.ok_or_else(|| format!("no workload {name}; `asr-bench list` names them"))?;
    let count = match count {
        None => work.count,
        Some(count) => count
            .parse()
            .map_err(|_| format!("{count} is not a number of operations"))?,
    };
    let report = (work.run)(on::Place::asked()?, count);
    println!("{}", report.json(name));
    Ok(())
}
