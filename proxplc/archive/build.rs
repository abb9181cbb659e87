//! Gives the archive the identity of its build; see `../build_id.rs`.

#[path = "../build_id.rs"]
mod build_id;

use std::path::Path;

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    build_id::emit_build_id(workspace.expect("the workspace"));
}
