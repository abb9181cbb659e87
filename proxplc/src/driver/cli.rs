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
  proxplc explain E0204                      what an error means

Exit status: that of the program, or 64 for a wrong command line, 65 for a program
that cannot be compiled, 70 for an error that the program did not catch.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile a program in memory and run it
    #[command(after_help = "Examples:
  proxplc run examples/heal.prox 200 30      what follows the file is for the program
  proxplc run --engine eval fib.prox         evaluate it instead of compiling it
  proxplc run --probes every --force-slow fib.prox")]
    Run(RunArgs),
    /// Make an executable
    #[command(after_help = "Examples:
  proxplc build fib.prox -o fib
  ASR_LIB_DIR=/usr/lib/asr proxplc build fib.prox -o fib")]
    Build(BuildArgs),
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
    #[command(after_help = "Examples:\n  proxplc explain E0204\n  proxplc explain CANCELLED")]
    Explain(ExplainArgs),
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Programs: .prox, or .air
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// What is let pass
    #[command(flatten)]
    pub allow: AllowArgs,
}

/// What is a warning instead of an error.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct AllowArgs {
    /// Only warn of this
    #[arg(long, value_enum)]
    pub allow: Option<Allow>,
}

impl AllowArgs {
    /// Whether paths that leak a handle are let pass.
    pub fn leaks(self) -> bool {
        self.allow == Some(Allow::Leaks)
    }
}

/// What may be let pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Allow {
    /// Paths on which a permit, a task or a region is lost
    Leaks,
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
    /// How code is made
    #[command(flatten)]
    pub code: CodeArgs,
}

/// What `emit` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// The typed intermediate representation, as text
    Air,
    /// The same with probes in place, as it is compiled and evaluated
    Placed,
    /// The input of the code generator Cranelift
    Clif,
    /// Machine code, in Cranelift's notation
    Asm,
    /// An object file
    Obj,
}

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A code such as E0101, or a name such as CANCELLED
    pub code: String,
}

/// How code is made.
#[derive(Clone, Copy, Debug, Args)]
pub struct CodeArgs {
    /// Which probes the code carries
    #[arg(long, value_enum, default_value_t = Probes::Auto)]
    pub probes: Probes,
    /// Make every probe take its slow path
    #[arg(long)]
    pub force_slow: bool,
    /// How hard the code generator tries
    #[arg(long, value_enum, default_value_t = Opt::Speed)]
    pub opt: Opt,
    /// What is let pass
    #[command(flatten)]
    pub allow: AllowArgs,
}

/// Which probes the code carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Probes {
    /// None: such code can be neither cancelled nor repaired; for measurements
    Off,
    /// Where they are needed
    Auto,
    /// In every place
    Every,
}

/// How hard the code generator tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Opt {
    /// Quick to compile
    None,
    /// Quick to run
    Speed,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The program: .prox, or .air
    pub file: PathBuf,
    /// What the program gets
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
    /// How the program is executed
    #[arg(long, value_enum, default_value_t = EngineKind::Jit)]
    pub engine: EngineKind,
    /// How code is made
    #[command(flatten)]
    pub code: CodeArgs,
    /// Memory for the values of the program: bytes, or with K, M or G
    #[arg(long, value_parser = size)]
    pub heap_limit: Option<u64>,
    /// Threads that run tasks, at least 1; one for each core without
    #[arg(long)]
    pub workers: Option<usize>,
    /// Calls inside calls of the evaluator; compiled code goes as deep as its stack
    #[arg(long, default_value_t = 100_000)]
    pub max_depth: usize,
}

/// How a program is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineKind {
    /// As machine code
    Jit,
    /// By the evaluator
    Eval,
}

/// Arguments of `build`.
#[derive(Debug, Args)]
pub struct BuildArgs {
    /// The program: .prox, or .air
    pub file: PathBuf,
    /// The executable; without, the name of the program in this folder
    #[arg(short, long)]
    pub output: Option<PathBuf>,
    /// How code is made
    #[command(flatten)]
    pub code: CodeArgs,
}

/// A number of bytes: `65536`, `64K`, `64M`, `1G`.
fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "expected bytes, such as 65536 or 64M")?;
    number
        .checked_mul(unit)
        .ok_or_else(|| "more bytes than there are".to_owned())
}
