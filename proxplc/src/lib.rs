//! The ProXPL compiler: check, run, build, emit.
//!
//! Layers, each of which sees only those above it in this list: `syntax` (bytes to tree), `diag`
//! (findings), `analysis` (names, types), `lower` (tree to AIR), `driver` (the commands).

pub mod analysis;
pub mod compile;
pub mod diag;
pub mod driver;
pub mod engine;
pub mod lower;
pub mod syntax;

/// Stack of the thread that compiles: room for [`syntax::parser::NESTING_MAX`] levels in each pass
/// of a build without optimization, ten times over. It is reserved, not used.
const STACK_BYTES: usize = 64 << 20;

/// Run `work` on a thread with a stack that is deep enough for every pass.
pub fn deep_stack<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work);
        match thread.expect("a thread can be started").join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
