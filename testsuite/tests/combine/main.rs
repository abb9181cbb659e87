//! Combinators in the lab, under the oracles: in virtual time, under seeds, in every schedule of a
//! small program, cancelled and dropped at each poll.

#[path = "../../../rt/lab/tests/common/mod.rs"]
mod common;

mod bounds;
mod branches;
mod cleanup;
mod context;
mod ended;
mod join;
mod oracle;
mod race;
mod timeout;
