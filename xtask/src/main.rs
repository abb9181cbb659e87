//! Everything a developer types: `cargo xtask test|gen|rules|bench|setup`.
//!
//! Each command is one module. They share only `step`, which runs one program as a named, timed
//! step, and `root`, which finds the checkout.

/// `println!` for a reader that may go away (`cargo xtask rules | head`): what is left unsaid then
/// is no failure.
macro_rules! say {
    ($($what:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($what)*);
    }};
}

mod bench;
mod r#gen;
mod root;
mod rules;
mod setup;
mod step;
mod tally;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
Everything a developer types.

usage: cargo xtask COMMAND [ARGUMENT]...

commands:
  test [--full] [FILTER]   system packages, fmt, clippy, all tests, loom, doc tests, docs
  setup                    install the system packages that the tests drive, or name them
  gen [--check]            write the derived files again, or only compare them
  rules [--missing]        every rule of the specification with the tests that bear its id
  bench [NAME] [ARG]...    criterion benches; `bench probes` counts instructions of probes

examples:
  cargo xtask test                  what CI runs
  cargo xtask test abi_41           only tests whose name holds `abi_41`; no fmt, clippy, docs
  cargo xtask test --full           longer fuzzing, larger samples, ignored tests too
  cargo xtask gen                   after a change of a table in abi, intrinsics or stdlib/value
  cargo xtask rules --missing       rules of this milestone that no test names
  cargo xtask bench probes          instructions per iteration, --probes=off against auto

exit status: 0 done, 1 a step failed, 64 misuse";

/// Exit status for misuse, as `proxplc` has it.
const MISUSE: u8 = 64;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let rest = args.get(1..).unwrap_or_default();
    if rest.iter().any(|arg| arg == "--help" || arg == "-h") {
        say!("{HELP}");
        return ExitCode::SUCCESS;
    }
    let done = match args.first().map(String::as_str) {
        Some("test") => test::run(rest),
        Some("setup") => setup::run(rest),
        Some("gen") => r#gen::run(rest),
        Some("rules") => rules::run(rest),
        Some("bench") => bench::run(rest),
        Some("help" | "--help" | "-h") => {
            say!("{HELP}");
            Ok(())
        }
        None => Err(Failure::Misuse("a command is missing".into())),
        Some(other) => Err(Failure::Misuse(format!("there is no command `{other}`"))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Misuse(what)) => {
            eprintln!("xtask: {what}; see `cargo xtask help`");
            ExitCode::from(MISUSE)
        }
        Err(Failure::Step(what)) => {
            eprintln!("xtask: {what}");
            ExitCode::FAILURE
        }
    }
}

/// Why a command ended early.
#[derive(Debug)]
enum Failure {
    /// The command line asks for something that does not exist.
    Misuse(String),
    /// A step failed; the text says which one and what to do.
    Step(String),
}
