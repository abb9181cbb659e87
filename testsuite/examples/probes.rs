//! What probes cost: instructions per iteration of each kernel, without probes and with those that
//! the probe pass places. `cargo xtask bench probes [KERNEL]...` runs this.

use std::process::ExitCode;

use asr_testsuite::probe_cost::{self, Cost};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match table(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("probes: {what}");
            ExitCode::FAILURE
        }
    }
}

fn table(args: &[String]) -> Result<(), String> {
    let names = if args.is_empty() {
        probe_cost::names()?
    } else {
        args.to_vec()
    };
    println!(
        "{:<8} {:>12} {:>12} {:>10} {:>8}",
        "kernel", "off", "auto", "probes", ""
    );
    for name in names {
        let kernel = probe_cost::kernel(&name)?;
        let Cost { off, auto } = probe_cost::measure(&kernel)?;
        let (more, percent) = (auto - off, (auto / off - 1.0) * 100.0);
        println!("{name:<8} {off:>12.4} {auto:>12.4} {more:>+10.4} {percent:>+7.2}%");
    }
    println!("instructions per iteration, callgrind; an iteration is what the kernel's file says");
    Ok(())
}
