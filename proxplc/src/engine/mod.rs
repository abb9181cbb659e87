//! Running a program in this process: as machine code, or evaluated. Both call the same runtime and
//! the same library, and both hand their main function to the same start-up.

mod eval;
mod foreign;
mod host;
mod jit;
mod native;
mod registry;
mod sites;
mod task;
mod tasks;
mod thunk;

pub use eval::Evaluation;
pub use jit::Loaded;
pub use task::Session;

/// Names and addresses of what compiled code may call.
pub fn symbols() -> Vec<(&'static str, *const u8)> {
    let mut all = asr_rt::symbols();
    all.extend(asr_value::symbols());
    all
}
