//! From CLIF to memory or a file.

mod dwarf;
mod frames;
mod gdb;
pub(crate) mod isa;
pub mod jit;
pub mod listing;
pub mod object;
mod record;
