//! AIR, the intermediate representation: typed, blocks with mutable locals instead of SSA.

pub mod arbitrary;
mod build;
pub mod code;
mod effect;
mod entity;
mod inst;
mod loc;
mod module;
mod ops;
mod parse;
mod print;
mod site;
mod span;
mod types;
mod verify;

pub(crate) use build::prune;
pub use build::{FunctionBuilder, ModuleBuilder};
pub use entity::*;
pub use inst::*;
pub use loc::Loc;
pub use module::*;
pub use ops::*;
pub use parse::{ERRORS_MAX, Parsed, TextError, parse};
pub use print::print;
pub use site::{
    Kinds, SiteInfo, SiteKind, exception_word, fault, kinds_of, kinds_of_term, raised_status,
    site_id, sites,
};
pub use span::{Place, Span, Spans};
pub use types::{Signature, Type};
pub use verify::{Note, Severity, VERIFY_ERRORS_MAX, Verified, VerifyError, verify, verify_with};
