//! `proxplc emit`.

use asr_codegen::{Error, Prepared, listing, object};

use super::cli::{EmitArgs, Kind};
use super::{Done, input};
use crate::lower::MAIN_SYMBOL;

/// Show the program in the form that was asked for.
pub(super) fn emit(args: &EmitArgs) -> Done {
    let module = input::load(&args.file, args.code.allow)?;
    let bytes = match args.kind {
        Kind::Air => module.to_string().into_bytes(),
        kind => {
            let prepared = input::prepare(&module, &args.code)?;
            bytes(kind, &prepared).map_err(|error| input::broken(&error))?
        }
    };
    input::write(args.output.as_deref(), &bytes)
}

fn bytes(kind: Kind, prepared: &Prepared) -> Result<Vec<u8>, Error> {
    match kind {
        Kind::Air | Kind::Placed => Ok(prepared.module().to_string().into_bytes()),
        Kind::Clif => listing::clif(prepared).map(String::into_bytes),
        Kind::Asm => listing::asm(prepared).map(String::into_bytes),
        Kind::Obj => {
            let exports = |f: &asr_codegen::air::Function| f.name == MAIN_SYMBOL;
            let main = prepared
                .module()
                .funcs
                .iter()
                .any(exports)
                .then_some(MAIN_SYMBOL);
            object::emit(prepared, main)
        }
    }
}
