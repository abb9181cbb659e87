//! Gives the compiler the identity of its build; see `build_id.rs`.

include!("build_id.rs");

fn main() {
    emit_build_id(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("the workspace"),
    );
}
