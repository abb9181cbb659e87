//! The whole front end in one call.

use asr_codegen::air::Module;

use crate::diag::{Diagnostic, Diagnostics, SourceFile};
use crate::syntax::{Interner, parser};
use crate::{analysis, deep_stack, lower};

/// Compile a file to AIR, or say what is wrong with it, in the order of the source.
///
/// # Errors
/// The findings, at least one and at most [`crate::diag::ERRORS_MAX`].
pub fn compile(file: &SourceFile, unit: u16) -> Result<Module, Vec<Diagnostic>> {
    deep_stack(|| {
        let mut names = Interner::default();
        let mut diags = Diagnostics::default();
        let tree = parser::parse(&file.bytes, &mut names, &mut diags);
        if !diags.is_empty() {
            return Err(diags.into_sorted());
        }
        let program = analysis::resolve(&tree, &mut names, &mut diags);
        drop(tree);
        if !diags.is_empty() {
            return Err(diags.into_sorted());
        }
        let module = lower::lower(&program, &names, file, unit, &mut diags);
        if diags.is_empty() {
            Ok(module)
        } else {
            Err(diags.into_sorted())
        }
    })
}
