//! The ProXPL compiler: check, run, build, emit.
//!
//! Layers, each of which sees only those above it in this list: `syntax` (bytes to tree), `diag`
//! (findings), `analysis` (names, types), `lower` (tree to AIR), `driver` (the commands).
//!
//! # Concurrency in ProXPL
//!
//! | form | meaning |
//! |---|---|
//! | `async func f(a) { }`, `async func(a) { }` | may wait |
//! | `await f(a)` | runs it here, to its end |
//! | `let t = f(a);` | starts a task of the innermost scope; `t` is a task value |
//! | `await t` | its result, or throws what it threw; any other value is itself |
//! | `scope { }` | waits for its tasks on every way out, but cancels them when it fails |
//! | `defer s` | runs when its block is left, the last one first; masked when it waits |
//! | `channel(n)`, `await send(c, v)`, `await recv(c)`, `close(c)` | null once closed and empty |
//! | `await sleep(ms)`, `cancel(t)` | a timer; asks a task to stop |
//! | `spawn f(a)` | a task in an isolate of its own, on copies |
//!
//! An async function is itself a scope of the tasks that it starts outside of others, and so is
//! the script. A task that fails fails its scope: its siblings are cancelled, and the next wait of
//! the body throws the failure. The tasks of an isolate take turns, at waits and at probes, so
//! what they share needs no locks; isolates run at the same time and share channels only. What a
//! channel of several isolates carries, and arguments, results and top-level variables of an
//! isolate, are deep copies. A cancelled task runs what it deferred, and no `recovery`.
//!
//! A program that uses any of this has an async main function, which runs on worker 0; isolates go
//! to the workers in turn.

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
