//! Gives the archive the identity of its build; see `../build_id.rs`.

include!("../build_id.rs");

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    emit_build_id(workspace.expect("the workspace"));
}
