//! The reference evaluator: runs verified AIR, as it is after the probe pass, over a [`Host`]
//! (rule ABI-49). It says what AIR means; the lowering is held against it.
//!
//! ```
//! use asr_codegen::air::{parse, verify};
//! use asr_codegen::eval::{Limits, Machine, Program, SyncHost};
//!
//! let text = "module \"m\" unit 1\nfn @half(%n: i64) -> i64 throws {\nentry:\n  \
//!             %n = sdiv.i64 %n, 2\n  return %n\n}";
//! let parsed = parse(text.as_bytes()).expect("good text");
//! let verified = verify(&parsed.module, &[]).expect("a valid module");
//! let program = Program::new(&verified);
//! let (mut machine, mut host) = (Machine::new(&program, Limits::default()), SyncHost::new());
//! machine.start(&mut host).expect("there is memory");
//! let half = program.func("half").expect("the module defines it");
//! let ret = machine.call(&mut host, half, &[42]).expect("it ends");
//! assert_eq!((ret.value, ret.status, machine.executed()), (21, 0, 2));
//! ```
//!
//! Invariants
//! 1. It contains no unsafe code and no Cranelift type. Loads, stores, calls of C and of the
//!    runtime belong to the host.
//! 2. Calls of compiled functions use an explicit stack of frames: native recursion happens only
//!    when a host calls back, and is bounded.
//! 3. A value in a local is canonical: the low bits of its type, the rest zero
//!    ([`Type::canonical`](crate::air::Type::canonical)).
//! 4. [`Machine::executed`] counts AIR instructions, ends of blocks included.
//! 5. Only a [`Task`] is suspended: where an asynchronous function takes a probe or calls a row
//!    that waits, and the host answers PENDING. The host says when it is resumed. A call is never
//!    suspended, so hosts need no tasks for synchronous programs.
//! 6. A cancel is an answer of the host like any other status, to a probe or an operation; cleanup
//!    edges run because a task is resumed, never because it is dropped.
//!
//! Failures take the edges that `Edge` describes; a site whose kind says so
//! ([`SiteKind::traces`](crate::air::SiteKind::traces)) is noted with [`Host::trace`] first.
//!
//! What compiled code leaves to chance ends an evaluation with a located [`Stopped`] instead: an
//! address that the host does not know, a call of what is no function, a stack without check that
//! grows too far.

mod arith;
mod code;
mod convert;
mod decode;
mod host;
mod leave;
mod machine;
mod memory;
mod program;
mod run;
mod small;
mod sync_host;
mod task;

pub use asr_abi::Ret;
pub use host::{Host, Trap};
pub use machine::{Limits, Machine, Stopped, Why};
pub use memory::Memory;
pub use program::Program;
pub use small::Small;
pub use sync_host::{Extern, Fault, RowFn, SyncHost, Then};
pub use task::{Step, Task};
