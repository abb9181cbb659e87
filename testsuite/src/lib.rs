//! Filetests, conformance cases, and the tests that look at the whole tree.

pub mod filetest;
pub mod probe_cost;
pub mod proxplc;
pub mod small;
pub mod tidy;
