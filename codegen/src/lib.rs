//! AIR, its passes, and the lowering to Cranelift.
//!
//! The way of a module: [`air`] (text or builder, verified) → [`prepare`] (probe pass and its
//! check) → [`jit::Unit::load`], [`object::emit`] or the functions of [`listing`]. An evaluator
//! runs the same [`Prepared::module`].
//!
//! ```no_run
//! use asr_codegen::{Options, jit, prepare};
//! # fn main() -> Result<(), asr_codegen::Error> {
//! # let module = asr_codegen::air::Module::default();
//! # struct NoRegistry;
//! # impl jit::Registry for NoRegistry {
//! #     fn register(&self, _: *const asr_abi::CodeRecord) -> u32 { 0 }
//! #     fn unregister(&self, _: *const asr_abi::CodeRecord) -> u32 { 0 }
//! #     fn handler(&self, _: &asr_abi::StartHandler) -> u32 { 0 }
//! # }
//! let prepared = prepare(&module, &[&asr_intrinsics::CORE], &Options::default())?;
//! let symbols: Vec<(&str, *const u8)> = vec![/* asr_checkpoint, every asr_i_… and extern */];
//! let unit = jit::Unit::load(&prepared, &symbols, Box::new(NoRegistry))?;
//! let main = unit.lookup("main").expect("an exported function");
//! # let _ = main; Ok(())
//! # }
//! ```

pub mod air;
mod compile;
mod emit;
mod error;
pub mod eval;
mod lower;
mod options;
pub mod pass;

pub use compile::{Prepared, Rows, prepare};
pub use emit::{jit, listing, object};
pub use error::Error;
pub use options::{OptLevel, Options, ProbeMode, Target};
