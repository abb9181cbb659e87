//! Compiled tasks on the production drivers.
#![allow(unsafe_code, reason = "plays compiled code")]

#[path = "../machines/mod.rs"]
mod machines;

mod basic;
mod runtimes;
