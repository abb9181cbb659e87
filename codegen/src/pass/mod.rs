//! Passes over AIR: AIR in, AIR out.
//!
//! | file        | what                                                                  |
//! |-------------|-----------------------------------------------------------------------|
//! | [`place`]   | where probes stand (rules ABI-1 to ABI-3)                             |
//! | [`strip`]   | strip-mining of a counted loop                                        |
//! | [`rotate`]  | a probed loop that tests at its bottom                                |
//! | [`check`]   | the proof that they stand where they must (rule ABI-30, a to c)       |
//! | [`flow`]    | what both know of paths: guards, gaps, loops that end soon            |
//! | [`open`]    | intents and masks that a failed probe must close                      |
//! | [`counted`] | counted loops                                                         |
//! | [`trips`]   | bounds on their iterations                                            |
//! | [`mod@cfg`] | control flow, dominators, natural loops                               |
//! | [`calls`]   | the call graph                                                        |
//! | [`cost`]    | machine instructions, estimated                                       |

mod calls;
mod cfg;
mod check;
mod cost;
mod counted;
mod flow;
mod open;
mod place;
mod rotate;
mod strip;
mod trips;

pub(crate) use calls::{Components, components};
pub use check::check_probes;
pub use place::place_probes;
