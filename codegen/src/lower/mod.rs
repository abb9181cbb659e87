//! Lowering of AIR to CLIF, the same for JIT and objects.
//!
//! Invariants
//! 1. The thread state is the hidden first argument of every function, one SSA value.
//! 2. What is unlikely stands in cold blocks, and a cold block rejoins hot code only through a
//!    second cold block: the edge of a conditional branch into hot code would get a block of its
//!    own that Cranelift takes for hot.
//! 3. Calls on cold paths that hot values must survive go through stubs with the `PreserveAll`
//!    convention, which clobber nothing; so a probe costs hot code no register.
//! 4. Sites are numbered as [`crate::air::sites`] does.
//! 5. A module that the verifier accepts lowers without a panic; what Cranelift refuses is an
//!    error value.

mod arith;
mod call;
mod clif_check;
mod convert;
mod coroutine;
mod define;
mod epilogue;
mod facts;
mod fail;
mod func;
mod inst;
mod late;
mod probe;
mod stubs;
mod term;
mod types;
mod unit;

pub(crate) use coroutine::{Plan, Point};
pub(crate) use define::{Compiled, Scratch, Want, define};
pub(crate) use facts::{address_taken, reverse_postorder};
pub(crate) use unit::{Lowered, lower};
