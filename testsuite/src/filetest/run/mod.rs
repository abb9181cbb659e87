//! `test run`: the calls of a file on every engine.

mod call;
pub mod eval;
pub mod jit;
pub mod literal;
mod object;
mod stub;
pub mod tool;

pub use call::{Call, Outcome};
pub use object::{Batch, Machine, rename};
pub use stub::Stub;
