//! `proxplc emit`.

use super::cli::{EmitArgs, Kind};
use super::{Done, input};

/// Show the program in the form that was asked for.
pub(super) fn emit(args: &EmitArgs) -> Done {
    let module = input::load(&args.file)?;
    let bytes = match args.kind {
        Kind::Air => module.to_string().into_bytes(),
    };
    input::write(args.output.as_deref(), &bytes)
}
