//! `proxplc run`.

use asr_abi::{Ret, Thread};

use asr_value::concurrent::program;
use asr_value::start::{self, Options};

use super::cli::{EngineKind, RunArgs};
use super::{Done, input};
use crate::engine::{Evaluation, Loaded};
use crate::lower::MAIN_SYMBOL;

/// Run a program in this process; its exit status is that of the process.
pub(super) fn run(args: &RunArgs) -> Done {
    let module = input::load_program(&args.file, args.code.allow)?;
    let prepared = input::prepare(&module, &args.code)?;
    let status = match args.engine {
        EngineKind::Jit => {
            let loaded =
                Loaded::load(&prepared, MAIN_SYMBOL).map_err(|error| input::broken(&error))?;
            let workers = program::workers(args.workers);
            start(args, |th| loaded.run(th, workers))
        }
        EngineKind::Eval => {
            let evaluation =
                Evaluation::load(&prepared, &input::tables(), MAIN_SYMBOL, args.max_depth)
                    .map_err(|error| input::broken(&error))?;
            start(args, |th| evaluation.run(th))
        }
    };
    if status == 0 { Ok(()) } else { Err(status) }
}

/// Run `main` as a program with its arguments, its heap and its report of an error.
fn start(args: &RunArgs, main: impl FnOnce(&Thread) -> Ret) -> i32 {
    let name = args.file.display().to_string();
    let words =
        std::iter::once(name.into_bytes()).chain(args.args.iter().map(|a| a.clone().into_bytes()));
    let options = Options {
        args: words.collect(),
        heap_limit: args.heap_limit,
    };
    start::run_with(&options, main)
}
