//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// The ProXPL compiler: check, run, build.
#[derive(Debug, Parser)]
#[command(name = "proxplc", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  proxplc run examples/hello.prox            compile in memory and run
  proxplc build examples/fib.prox -o fib     make an executable
  proxplc check examples/*.prox              only say what is wrong
  proxplc explain E0205                      what an error means

Exit status: that of the program, or 64 for a wrong command line, 65 for a program
that cannot be compiled, 70 for an error that the program did not catch.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong with programs, without running them
    #[command(after_help = "Example:\n  proxplc check a.prox b.prox lib.air")]
    Check(CheckArgs),
    /// Show a program as the compiler sees it
    #[command(after_help = "Examples:
  proxplc emit fib.prox                      AIR, the typed representation
  proxplc emit fib.prox --kind asm           machine code
  proxplc emit fib.prox --kind obj -o fib.o  an object file")]
    Emit(EmitArgs),
    /// Describe a code of an error, a status or an anomaly
    #[command(after_help = "Examples:\n  proxplc explain E0205\n  proxplc explain CANCELLED")]
    Explain(ExplainArgs),
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Programs: .prox, or .air
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
}

/// Arguments of `emit`.
#[derive(Debug, Args)]
pub struct EmitArgs {
    /// The program: .prox, or .air
    pub file: PathBuf,
    /// What to show
    #[arg(long, value_enum, default_value_t = Kind::Air)]
    pub kind: Kind,
    /// Where to write it; standard output without
    #[arg(short, long)]
    pub output: Option<PathBuf>,
}

/// What `emit` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The typed intermediate representation, as text
    Air,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code such as E0101, or a name such as CANCELLED
    pub code: String,
}
