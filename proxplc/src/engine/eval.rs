//! A program that is evaluated in this process.

use asr_abi::{Ret, Thread, status};
use asr_codegen::air::{self, FuncId};
use asr_codegen::eval::{Limits, Machine, Program};
use asr_codegen::{Error, Prepared};
use asr_intrinsics::Table;

use super::host::NativeHost;
use super::{registry, sites};

/// A program, decoded.
#[derive(Debug)]
pub struct Evaluation<'p> {
    program: Program<'p>,
    entry: FuncId,
    depth: usize,
    force_slow: bool,
}

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
        if prepared.module().funcs[entry.index()].is_async {
            let message = "it uses tasks, which the evaluator here does not run; use the JIT";
            return Err(Error::Invalid(message.to_owned()));
        }
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
        })
    }

    /// Run the main function on the thread whose state is `th`.
    pub fn run(&self, th: &Thread) -> Ret {
        let limits = Limits {
            depth: self.depth,
            ..Limits::default()
        };
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
            Ret {
                value: 0,
                status: status::CANCELLED.into(),
            }
        })
    }
}
