//! Filetests: what is tested, the program, and the expectation beside the line it is about.
//!
//! A file is AIR text. Its comments are directives:
//!
//! ```text
//! ; test verify                 the verifier accepts, or names each `; error:` on its line
//! ; test verify placed          the same, and the probes stand where rule ABI-1 wants them
//! ; test probes [off|auto|every] the AIR after the probe pass
//! ; test lower clif             the CLIF text
//! ; test lower x86_64|aarch64   the disassembly for a target
//! ; test run                    the calls below, on every engine
//!
//! ; check: TEXT                 a line of the output holds TEXT, below the last match
//! ; nextln: TEXT                the line after the last match holds TEXT
//! ; check-not: TEXT             no line up to the next match, or to the end, holds TEXT
//! ; count: N TEXT               exactly N lines of the output hold TEXT
//! ;> LINE                       the whole output, line by line
//!     %x = add.i64 %a, true     ; error: V0012 expected i64
//! ; error at 7: TEXT            the same for a line that cannot hold a comment
//! ; run: @f(1, 2) == 3          value; `== ok` for a function without result
//! ; run: @f(1, 0) threw 0x01000001      a fault by its code; `threw` alone for any
//! ; run slow: @f(3) == 6, 4 probes      with the flag set: each probe answers OK
//! ; run cancel 2: @f(3) status 3        ... and the second one answers CANCELLED
//! ; run suspend: @g(3) == 6             each probe of an async function first answers PENDING
//! ; run stop 2: @g(3) status 3          ... and all is cancelled after the second suspension
//! ; run drop 2: @g(3) status 3          ... or dropped there, without cleanup
//! ```
//!
//! An asynchronous function is run by a task to its end, and so is what it spawns; no bytes of
//! frames may be left.
//!
//! Checks belong to the `; test` above them. Every file is also printed and parsed again. With
//! `ASR_BLESS=1` whole outputs, results of runs and errors are written into the files instead of
//! being compared; review the difference as code.
//!
//! Engines of `test run`: evaluator, JIT (probes off, auto, every), an object linked with `cc`, and
//! an aarch64 object under qemu; all call the same intrinsics, `src/stub/stub.c` or its like.

pub mod bless;
mod check;
pub mod coverage;
mod parse;
pub mod run;
mod table;
pub mod text;
pub mod verify;

pub use check::check;
pub use parse::{Armed, Case, Check, Command, Expectation, ExpectedError, Run, parse};
pub use table::TABLE;
