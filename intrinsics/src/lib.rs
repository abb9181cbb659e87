//! One table: every call that compiled code may make into the runtime.
//!
//! A table is written once, as rows, inside a macro (`core_table!` here, one of the same shape in
//! each library). The row macros expand it into whatever a part needs, so that the parts cannot
//! disagree:
//!
//! | expansion            | who uses it                 | what comes out                    |
//! |----------------------|-----------------------------|-----------------------------------|
//! | [`rows!`]            | compiler, header, manual    | a [`Table`] of data               |
//! | [`export_compiled!`] | the runtime or library      | `asr_i_<row>` for compiled code   |
//! | [`export_c!`]        | the runtime or library      | `asr_<row>` for C                 |
//! | [`symbols!`]         | the JIT                     | name and address of `asr_i_<row>` |
//!
//! Invariants
//! 1. A row name is unique over all tables of a program; `testsuite` checks it.
//! 2. No row yields one of the three reserved names of the C interface ([`RESERVED`]).
//! 3. A row whose `fails` list is empty answers `OK` always; the compiler emits no check for it.

mod check;
mod core;
mod ret;
mod row;
mod sync;
mod table;
mod tasks;

pub use crate::check::{TableError, check};
pub use crate::core::CORE;
pub use asr_abi as abi;
pub use asr_abi::{OpSlot, Ret, Thread};
pub use ret::{IntoRet, Refusal, Word};
pub use row::{Effect, Handle, Param, RESERVED, Row, Table, Ty};
pub use sync::SYNC;
pub use tasks::TASKS;
