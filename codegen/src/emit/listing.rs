//! Listings for people and golden tests: the CLIF of a module, and its machine code as text.

use cranelift_object::{ObjectBuilder, ObjectModule};

use super::isa;
use crate::lower::{Want, lower};
use crate::{Error, Prepared};

/// The CLIF of each function as Cranelift receives it, the stubs last.
///
/// # Errors
/// As for [`crate::object::emit`].
pub fn clif(prepared: &Prepared) -> Result<String, Error> {
    listing(
        prepared,
        Want {
            clif: true,
            ..Want::default()
        },
    )
}

/// The instructions of each function after register allocation (Cranelift's own notation, before
/// epilogues are shortened), for the
/// target of the options, the stubs last.
///
/// # Errors
/// As for [`crate::object::emit`].
pub fn asm(prepared: &Prepared) -> Result<String, Error> {
    listing(
        prepared,
        Want {
            asm: true,
            ..Want::default()
        },
    )
}

fn listing(prepared: &Prepared, want: Want) -> Result<String, Error> {
    let isa = isa::isa(prepared.options(), true)?;
    let names = cranelift_module::default_libcall_names();
    let mut module = ObjectModule::new(ObjectBuilder::new(isa, "listing", names)?);
    let lowered = lower(prepared, &mut module, None, want)?;
    let mut out = String::new();
    for func in &lowered.funcs {
        out.push_str(&format!(
            "; {}, {} bytes, {} instructions of CLIF\n{}\n",
            func.name,
            func.len,
            func.clif_insts,
            func.text.trim_end(),
        ));
    }
    Ok(out)
}
