//! A program that is evaluated in this process.

#![allow(unsafe_code, reason = "lends a session to the worker that runs it")]

use asr_abi::{Ret, Thread, status};
use asr_codegen::air::{self, FuncId};
use asr_codegen::eval::{Limits, Machine, Program};
use asr_codegen::{Error, Prepared};
use asr_intrinsics::Table;
use asr_value::concurrent::{isolate, program};

use super::host::{self, NativeHost};
use super::task::Session;
use super::{registry, sites};

/// A program, decoded.
#[derive(Debug)]
pub struct Evaluation<'p> {
    program: Program<'p>,
    entry: FuncId,
    depth: usize,
    force_slow: bool,
    is_async: bool,
}

/// A session on its way to the worker.
struct Lent(*mut Session<'static>);

// SAFETY: `run` waits until the tasks have ended, and there is one worker.
unsafe impl Send for Lent {}

const CANCELLED: Ret = Ret {
    value: 0,
    status: status::CANCELLED as u64,
};

impl<'p> Evaluation<'p> {
    /// Decode a program whose main function is called `entry`; `depth` limits calls inside calls.
    ///
    /// # Errors
    /// [`Error::Invalid`] if there is no such main function, or the verifier refuses the module;
    /// [`Error::Refused`] if the runtime refuses its sites.
    pub fn load(
        prepared: &'p Prepared,
        tables: &[&Table],
        entry: &str,
        depth: usize,
    ) -> Result<Self, Error> {
        let verified = air::verify(prepared.module(), tables).map_err(|list| {
            Error::Invalid(list.first().map_or_else(String::new, |e| e.to_string()))
        })?;
        let program = Program::new(&verified);
        let main = program
            .func(entry)
            .filter(|f| prepared.module().funcs[f.index()].params == 0);
        let Some(entry) = main else {
            let message = format!("it has no function '{entry}' without parameters");
            return Err(Error::Invalid(message));
        };
        let record: *const _ = sites::record(prepared.module());
        let status = registry::Runtime.ask("code_register", &[record.expose_provenance() as u64]);
        if status != status::OK {
            return Err(Error::Refused {
                what: "the sites of the program".to_owned(),
                status,
            });
        }
        Ok(Self {
            program,
            entry,
            depth,
            force_slow: prepared.options().force_slow,
            is_async: prepared.module().funcs[entry.index()].is_async,
        })
    }

    /// Run the main function on the thread whose state is `th`, and an async one on one worker: an
    /// evaluation is a single thread's.
    pub fn run(&self, th: &Thread) -> Ret {
        let limits = Limits {
            depth: self.depth,
            ..Limits::default()
        };
        if self.is_async {
            return self.run_tasks(th, limits);
        }
        let mut machine = Machine::new(&self.program, limits);
        let mut host = NativeHost::new(th, &super::symbols(), self.force_slow);
        let ended = machine
            .start(&mut host)
            .map_err(|trap| trap.to_string())
            .and_then(|()| {
                machine
                    .call(&mut host, self.entry, &[])
                    .map_err(|stopped| stopped.to_string())
            });
        ended.unwrap_or_else(|message| {
            eprintln!("the evaluator stopped: {message}");
            CANCELLED
        })
    }

    fn run_tasks(&self, th: &Thread, limits: Limits) -> Ret {
        let mut session = match Session::new(&self.program, limits, self.force_slow) {
            Ok(session) => session,
            Err(trap) => {
                eprintln!("the evaluator stopped: {trap}");
                return CANCELLED;
            }
        };
        isolate::evaluated(host::frame_of);
        let (lent, entry) = (Lent((&raw mut *session).cast()), self.entry);
        let ret = program::run_frame(th, 1, move || {
            // The whole of it, not its pointer alone.
            let Lent(session) = { lent };
            // SAFETY: it lives until the tasks have ended, and nobody else uses it until then.
            unsafe { (*session).root(entry, &[]) }.ok()
        });
        if let Some(message) = session.stopped() {
            eprintln!("the evaluator stopped: {message}");
        }
        ret
    }
}
