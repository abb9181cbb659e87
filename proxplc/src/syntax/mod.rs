//! From bytes to a tree.
//!
//! Invariants
//! 1. No input makes these modules panic, recurse without bound or use memory out of proportion:
//!    nesting is limited by [`parser::NESTING_MAX`], nodes by [`parser::NODES_MAX`], errors by
//!    [`crate::diag::ERRORS_MAX`].
//! 2. The depth of the tree is at most a small multiple of the nesting limit. Operator chains and
//!    `else if` chains are lists in the tree, so neither a pass nor the destructor recurses over
//!    their length.
//! 3. A construct that is not understood is an error with a location; nothing is skipped silently.

pub mod ast;
pub mod feature;
pub mod lexer;
pub mod parser;
pub mod span;
pub mod symbol;
pub mod token;

pub use span::Span;
pub use symbol::{Interner, Symbol};
