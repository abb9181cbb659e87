//! Dynamic values of ProXPL: representation, heap, operations, natives, start of a program.
//!
//! Compiled code reaches this crate through one table of intrinsics ([`TABLE`]) and inlines a few
//! tests on value words ([`word`]) and on lists ([`object::list_layout`]).
//!
//! Invariants
//! 1. Whatever a program does (wrong types, wrong counts, no memory left) ends in a value or in an
//!    exception word, never in a panic or in undefined behaviour.
//! 2. A word with the tag of objects points to an object of the heap of the thread that uses it, or
//!    to a constant of the program, which all its isolates share.
//! 3. Objects do not move and are not freed while their heap lives.

#[macro_use]
pub mod table;

pub mod call;
mod clock;
pub mod concurrent;
pub mod error;
pub mod exception;
mod exports;
pub mod heap;
pub mod isolate;
pub mod natives;
pub mod object;
pub mod ops;
pub mod output;
mod rows;
pub mod start;
pub mod text;
pub mod word;

pub use error::{Res, Thrown};
pub use exports::symbols;
pub use heap::Heap;
pub use isolate::Isolate;
pub use table::TABLE;
pub use word::Value;
