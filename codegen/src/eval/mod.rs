//! The reference evaluator: runs verified AIR, as it is after the probe pass, over a [`Host`]
//! (rule ABI-49). It says what AIR means; the lowering is held against it.
//!
//! Invariants
//! 1. It contains no unsafe code and no Cranelift type. Loads, stores, calls of C and of the
//!    runtime belong to the host.
//! 2. Calls of compiled functions use an explicit stack of frames: native recursion happens only
//!    when a host calls back, and is bounded.
//! 3. A value in a local is canonical: the low bits of its type, the rest zero
//!    ([`Type::canonical`](crate::air::Type::canonical)).
//! 4. [`Machine::executed`] counts AIR instructions, ends of blocks included.
//!
//! Failures take the edges that `Edge` describes; a site whose kind says so
//! ([`SiteKind::traces`](crate::air::SiteKind::traces)) is noted with [`Host::trace`] first.
//!
//! What compiled code leaves to chance ends an evaluation with a located [`Stopped`] instead: an
//! address that the host does not know, a call of what is no function, a stack without check that
//! grows too far.

mod arith;
mod code;
mod convert;
mod decode;
mod host;
mod leave;
mod machine;
mod memory;
mod program;
mod run;
mod sync_host;

pub use asr_abi::Ret;
pub use host::{Host, Trap};
pub use machine::{Limits, Machine, Stopped, Why};
pub use memory::Memory;
pub use program::Program;
pub use sync_host::{Extern, Fault, RowFn, SyncHost};
