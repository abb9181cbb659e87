//! Regions in the lab: every run here is checked after each step (`checked`).

#[path = "../common/mod.rs"]
mod common;

mod body;
mod bracket;
mod checked;
mod close;
mod commit;
mod dropped;
mod finalizer;
mod foreign;
mod forgotten;
mod nested;
#[path = "../../../kernel/tests/tokens/mod.rs"]
mod tokens;
mod tree;
