//! Passes over AIR: AIR in, AIR out.
//!
//! | file        | what                                                                  |
//! |-------------|-----------------------------------------------------------------------|
//! | [`place`]   | where probes stand (rules ABI-1 to ABI-3)                             |
//! | [`strip`]   | strip-mining of a counted loop                                        |
//! | [`rotate`]  | a probed loop that tests at its bottom                                |
//! | [`check`]   | the proof that they stand where they must (rule ABI-30, a to c)       |
//! | [`response`] | polls to a cancel point, depth of masks, cleanup (ABI-32)             |
//! | [`borrow`]  | addresses that hold until the next probe (ABI-30 k)                   |
//! | [`flow`]    | what both know of paths: guards, gaps, loops that end soon            |
//! | [`mod@unwind`] | edges that give up what is held (rules ABI-19, ABI-21)                |
//! | [`obligation`] | what is held, and that it is resolved once (OBL-24 to 28, OBL-34)  |
//! | [`counted`] | counted loops                                                         |
//! | [`trips`]   | bounds on their iterations                                            |
//! | [`mod@cfg`] | control flow, dominators, natural loops                               |
//! | [`calls`]   | the call graph                                                        |
//! | [`cost`]    | machine instructions, estimated                                       |

mod borrow;
mod calls;
mod cfg;
mod check;
mod cost;
mod counted;
mod flow;
pub mod obligation;
mod place;
mod response;
mod rotate;
mod strip;
mod trips;
mod unwind;

pub use borrow::check_borrows;
pub(crate) use calls::{Components, components};
pub use check::check_probes;
pub use obligation::check_edges;
pub use place::place_probes;
pub use response::{Response, UNBOUNDED, check_masks, responses};
pub use unwind::unwind;
