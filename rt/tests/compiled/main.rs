//! Compiled tasks on the production drivers.
#![allow(unsafe_code, reason = "plays compiled code")]

#[path = "../machines/mod.rs"]
#[macro_use]
mod machines;

#[macro_use]
mod tools;

mod backtrace;
mod basic;
mod cancel;
mod isolates;
mod outcomes;
mod recovery;
mod rows;
mod runtimes;
