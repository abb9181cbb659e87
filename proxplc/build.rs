//! Gives the compiler the identity of its build; see `build_id.rs`.

mod build_id;

use std::path::Path;

fn main() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    build_id::emit_build_id(workspace.expect("the workspace"));
}
