//! The runtime: what programs start, and what compiled code and C call.
//!
//! | part        | what                                                                  |
//! |-------------|-----------------------------------------------------------------------|
//! | [`Runtime`] | start and stop                                                        |
//! | `rows`      | the implementations of the core's intrinsic table                     |
//! | `exports`   | their symbols, `asr_i_<row>` for compiled code and `asr_<row>` for C  |
//! | `c_api`     | the three functions of `asr_runtime.h`, and start and stop for C      |
//!
//! The floors below are crates of their own: [`kernel`], [`heal`].

pub use asr_heal as heal;
pub use asr_kernel as kernel;

pub mod c_api;
mod exports;
mod rows;
mod runtime;
mod taint;

pub use exports::symbols;
pub use runtime::{Config, Runtime, StartError};
