//! The operations of the language on values.

pub mod arith;
pub mod compare;
pub mod index;
