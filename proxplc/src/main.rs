//! The `proxplc` executable.
fn main() {}
