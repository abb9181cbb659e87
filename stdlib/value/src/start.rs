//! Start and end of a program: the same for the JIT, the evaluator and executables.
//!
//! Exit codes: 0, the program's own, 1 when the runtime does not start, 70 for an error that the
//! program did not catch.
#![allow(unsafe_code, reason = "the entry point of executables")]

use std::ffi::{CStr, c_char, c_int};

use asr_abi::{Ret, Thread, status};
use asr_kernel::compiled::PollFn;
use asr_kernel::thread;
use asr_rt::{Config, Runtime, StartError};

use crate::concurrent::program;
use crate::exception;
use crate::heap::Heap;
use crate::natives::random;
use crate::output::{self, Output};
use crate::word::Value;

/// Exit code of a program that ended with an error.
pub const EXIT_ERROR: i32 = 70;

/// What a program gets at its start.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What `std.sys.args()` answers: the program's name first.
    pub args: Vec<Vec<u8>>,
    /// Limit of its heap in bytes; that of the environment, or the default, if it is `None`.
    pub heap_limit: Option<u64>,
}

/// Runs a program on this thread and answers its exit code; what it printed has been written.
///
/// The heap stays: compiled units, handlers and records may refer to it.
pub fn run_main(args: &[Vec<u8>], main: impl FnOnce(&Thread) -> Ret) -> i32 {
    run_with(
        &Options {
            args: args.to_vec(),
            heap_limit: None,
        },
        main,
    )
}

/// [`run_main`] with everything that can be chosen.
pub fn run_with(options: &Options, main: impl FnOnce(&Thread) -> Ret) -> i32 {
    run(options, Output::stdout(), main, |_, report| {
        use std::io::Write;
        // Nobody could be told of a failure.
        let _ = std::io::stderr().write_all(report);
    })
}

/// Runs a program and hands back its exit code, what it printed and the report of its error.
pub fn run_captured(
    options: &Options,
    main: impl FnOnce(&Thread) -> Ret,
) -> (i32, Vec<u8>, Vec<u8>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(options, Output::memory(), main, |heap, report| {
        out = heap.output().take();
        err = report.to_vec();
    });
    (code, out, err)
}

/// The end is told once, with the report of the error or nothing.
fn run(
    options: &Options,
    output: Output,
    main: impl FnOnce(&Thread) -> Ret,
    end: impl FnOnce(&Heap, &[u8]),
) -> i32 {
    let runtime = match Runtime::start(Config::default()) {
        Ok(runtime) => Some(runtime),
        // A host that runs several programs has started it.
        Err(StartError::Running) => None,
        Err(error) => {
            eprintln!("asr: {error}");
            return 1;
        }
    };
    let th = thread::adopt();
    asr_kernel::code::signal::before_death(output::before_death);
    let limit = options
        .heap_limit
        .unwrap_or_else(Heap::limit_of_environment);
    let heap = Heap::attach(th, limit);
    *heap.args.borrow_mut() = options.args.clone().into();
    *heap.output() = output;
    heap.random.seed(random::time_seed());
    let ret = main(th);
    heap.output().flush();
    let (code, report) = match u32::try_from(ret.status) {
        Ok(status::OK) => (0, Vec::new()),
        Ok(status::THREW) => {
            // SAFETY: the exception word of the program that ran on this thread.
            let word = unsafe { Value::from_word(ret.value) };
            (EXIT_ERROR, exception::report(th, heap, word))
        }
        Ok(status::CANCELLED) => (EXIT_ERROR, b"runtime error: cancelled\n".to_vec()),
        other => {
            let number = other.unwrap_or(u32::MAX);
            let text = format!("runtime error: the program ended with status {number}\n");
            (EXIT_ERROR, text.into_bytes())
        }
    };
    end(heap, &report);
    drop(runtime);
    code
}

/// What `main` of an executable calls whose main function is async: `poll`, with a frame of `size`
/// bytes.
///
/// # Safety
/// `argv` holds `argc` strings of C; `poll` is the main function of the program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_program_start_async(
    argc: c_int,
    argv: *const *const c_char,
    poll: Option<PollFn>,
    _size: u64,
) -> c_int {
    let Some(poll) = poll else {
        return EXIT_ERROR;
    };
    // SAFETY: forwarded.
    let args = unsafe { arguments(argc, argv) };
    run_main(&args, |th| program::run(th, poll, program::workers(None)))
}

/// The main function of a compiled program.
type Entry = unsafe extern "C" fn(*const Thread) -> Ret;

/// What `main` of an executable calls: runs `entry` and answers the exit code.
///
/// # Safety
/// `argv` holds `argc` strings of C; `entry` is the main function of the program.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn asr_program_start(
    argc: c_int,
    argv: *const *const c_char,
    entry: Option<Entry>,
) -> c_int {
    let Some(entry) = entry else {
        return EXIT_ERROR;
    };
    // SAFETY: forwarded.
    let args = unsafe { arguments(argc, argv) };
    // SAFETY: the main function of the program, with the state of this thread.
    run_main(&args, |th| unsafe { entry(th) })
}

/// The arguments of an executable. Its signals are set as Rust programs have them.
///
/// # Safety
/// `argv` holds `argc` strings of C.
unsafe fn arguments(argc: c_int, argv: *const *const c_char) -> Vec<Vec<u8>> {
    let count = if argv.is_null() {
        0
    } else {
        usize::try_from(argc).unwrap_or(0)
    };
    let args: Vec<Vec<u8>> = (0..count)
        .map(|at| {
            // SAFETY: `at` is below `argc`; each entry is a string of C, or null at the end.
            unsafe {
                let arg = *argv.add(at);
                match arg.is_null() {
                    true => Vec::new(),
                    false => CStr::from_ptr(arg).to_bytes().to_vec(),
                }
            }
        })
        .collect();
    // Rust's own `main` does this; here `main` is that of C. A closed pipe is an error of a write,
    // which ends the program quietly.
    // SAFETY: no other thread runs yet, and no handler is replaced that anybody set.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    args
}
