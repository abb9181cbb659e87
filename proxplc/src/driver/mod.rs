//! The commands of `proxplc`.
//!
//! Exit statuses (rule ABI-40): 0, the program's own, 64 for misuse of the command line, 65 for a
//! program that cannot be compiled, 70 for an error that the program did not catch.

mod archive;
mod build;
mod check;
mod cli;
mod emit;
mod explain;
mod input;
mod link;
mod run;

use clap::Parser as _;
use clap::error::ErrorKind;

pub use cli::{Cli, Command};
pub use input::tables;

/// Misuse of the command line.
pub const EXIT_MISUSE: i32 = 64;
/// The program cannot be compiled.
pub const EXIT_COMPILE: i32 = 65;
/// The program ended with an error, or the compiler did.
pub const EXIT_ERROR: i32 = 70;

/// Run the command line and return the exit status.
pub fn main(args: impl IntoIterator<Item = std::ffi::OsString>) -> i32 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are what was asked for; anything else is misuse.
            let _ = error.print();
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => 0,
                _ => EXIT_MISUSE,
            };
        }
    };
    let result = match cli.command {
        Command::Build(args) => build::build(&args),
        Command::Run(args) => run::run(&args),
        Command::Check(args) => check::check(&args),
        Command::Emit(args) => emit::emit(&args),
        Command::Explain(args) => explain::explain(&args),
    };
    match result {
        Ok(()) => 0,
        Err(status) => status,
    }
}

/// What a command ends with: an exit status if it failed, after it said why.
type Done = Result<(), i32>;
