//! AIR, the intermediate representation: typed, blocks with mutable locals instead of SSA.

mod entity;
mod inst;
mod loc;
mod module;
mod ops;
mod types;

pub use entity::*;
pub use inst::*;
pub use loc::Loc;
pub use module::*;
pub use ops::*;
pub use types::{Signature, Type};
