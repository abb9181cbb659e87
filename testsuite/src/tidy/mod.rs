//! Checks of the tree itself: what a compiler and clippy do not see.
//!
//! Each check is a pure function from a [`Tree`] to findings, so that a test can plant a violation
//! in a small tree in memory and see the check turn red. `tests/tidy.rs` runs all on the checkout.
//!
//! | module      | keeps                                                             |
//! |-------------|-------------------------------------------------------------------|
//! | [`ambient`] | time and randomness from the context only                         |
//! | [`arrows`]  | who may depend on whom, dev-dependencies included                 |
//! | [`unsafety`]| SAFETY arguments, and the list of files that may hold unsafe code |
//! | [`locks`]   | a rank for every lock of the runtime                              |
//! | [`form`]    | headers, length of lines and files, leftovers, root entries       |

pub mod ambient;
pub mod arrows;
mod excuses;
pub mod form;
pub mod locks;
mod manifest;
mod tree;
pub mod unsafety;

pub use tree::{File, Tree};
