//! `proxplc build`.

use asr_codegen::object;

use super::cli::BuildArgs;
use super::{Done, EXIT_ERROR, input, link};
use crate::diag::code;
use crate::lower::MAIN_SYMBOL;

/// Make an executable of a program.
pub(super) fn build(args: &BuildArgs) -> Done {
    let module = input::load_program(&args.file, args.code.allow)?;
    let prepared = input::prepare(&module, &args.code)?;
    let object =
        object::emit(&prepared, Some(MAIN_SYMBOL)).map_err(|error| input::broken(&error))?;
    let output = match &args.output {
        Some(output) => output.clone(),
        None => args
            .file
            .file_stem()
            .map_or_else(|| "a.out".into(), Into::into),
    };
    link::link(&object, &output).map_err(|(code, problem)| {
        eprintln!("[{code}] error: {problem}");
        if code == code::ARCHIVE || code == code::LINK {
            eprintln!("'proxplc explain {code}' tells more");
        }
        EXIT_ERROR
    })
}
