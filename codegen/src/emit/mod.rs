//! From CLIF to memory or a file.

mod isa;
pub mod jit;
mod record;
