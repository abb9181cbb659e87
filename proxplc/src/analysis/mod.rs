//! From the tree to a program whose names and types are known.
//!
//! `resolve` turns names into variables, functions and natives; `infer` finds which variables only
//! ever hold numbers or booleans, over the whole program at once.

mod assigned;
mod globals;
pub mod hir;
pub mod infer;
pub mod natives;
mod proven;
mod resolve;
mod scope;
mod walk;

pub use resolve::resolve;
