//! Obligations: that what is reserved is resolved, once, on every path.
//!
//! | file       | what                                                                       |
//! |------------|----------------------------------------------------------------------------|
//! | [`effect`] | what an instruction does with handles and blocks                           |
//! | [`scope`]  | the function under analysis                                                |
//! | [`held`]   | what is held at a place                                                    |
//! | [`flow`]   | handle locals and blocks on all paths (rules OBL-34, ABI-19; ABI-30 f, m)  |
//! | [`path`]   | the way that leads to a finding                                            |
//! | [`bounds`] | how much may be held, over abstract operations (rules OBL-24 to OBL-28)    |
//! | [`mod@abstracted`] | a function of AIR as abstract operations                               |
//! | [`edges`]  | the edges that failures need for what is held (rule ABI-30 h)              |

mod abstracted;
pub mod bounds;
mod edges;
mod effect;
mod flow;
mod held;
mod path;
mod scope;

pub use abstracted::abstracted;
pub use edges::check_edges;
pub(crate) use effect::BlockKind;
pub(crate) use flow::follow;
pub(crate) use held::{Held, Item, Shared, same};
pub(crate) use scope::{Scope, step};
