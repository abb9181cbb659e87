//! Derived files: written by `cargo xtask gen`, checked in, and compared by a test.
//!
//! Invariant: nothing here reads a derived file; each is a pure function of the tables in `abi`,
//! `intrinsics` and the libraries, so two runs give the same bytes.

mod header;
mod reference;

use crate::{Failure, root};

/// One derived file.
pub(crate) struct Derived {
    /// Path below the top of the checkout.
    pub(crate) path: &'static str,
    /// The whole content.
    pub(crate) text: String,
}

/// Every derived file of the tree.
pub(crate) fn all() -> Vec<Derived> {
    let derived = |path, text| Derived { path, text };
    vec![
        derived(
            "intrinsics/REFERENCE.md",
            reference::page(&[
                &asr_intrinsics::CORE,
                &asr_intrinsics::TASKS,
                &asr_intrinsics::SYNC,
                &asr_value::TABLE,
            ]),
        ),
        derived("abi/include/asr_runtime.h", header::runtime()),
        derived("abi/include/asr_runtime_ext.h", header::extended()),
    ]
}

/// `cargo xtask gen [--check]`.
pub(crate) fn run(args: &[String]) -> Result<(), Failure> {
    let check = match args {
        [] => false,
        [one] if one == "--check" => true,
        _ => return Err(Failure::Misuse("`gen` takes `--check` or nothing".into())),
    };
    let stale = stale();
    for Derived { path, text } in &stale {
        if !check {
            let full = root::dir().join(path);
            let written = std::fs::create_dir_all(full.parent().expect("inside the checkout"))
                .and_then(|()| std::fs::write(&full, text));
            written.map_err(|error| Failure::Step(format!("cannot write {path}: {error}")))?;
        }
        say!("{} {path}", if check { "differs:" } else { "written:" });
    }
    if check && !stale.is_empty() {
        return Err(Failure::Step(
            "derived files are stale; run `cargo xtask gen`".into(),
        ));
    }
    Ok(())
}

/// Derived files whose checked-in text is not what the tables give now.
fn stale() -> Vec<Derived> {
    let current = |path: &str| std::fs::read_to_string(root::dir().join(path)).unwrap_or_default();
    all()
        .into_iter()
        .filter(|file| current(file.path) != file.text)
        .collect()
}

#[cfg(test)]
mod tests {
    /// VAL-34, ABI-12, ABI-17: the derived files in the tree are those of the tables.
    #[test]
    fn derived_files_are_current() {
        let stale: Vec<_> = super::stale().into_iter().map(|file| file.path).collect();
        assert!(stale.is_empty(), "run `cargo xtask gen`: {stale:?}");
    }
}
