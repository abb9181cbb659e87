//! A program as machine code in this process.

#![allow(unsafe_code, reason = "calls the main function of loaded code")]

use asr_abi::{Ret, Thread};
use asr_codegen::jit::Unit;
use asr_codegen::{Error, Prepared};
use asr_rt::kernel::compiled::PollFn;
use asr_value::concurrent::program;

use super::{foreign, registry};

/// The main function: called, or polled if it is async.
#[derive(Clone, Copy)]
enum Entry {
    Sync(unsafe extern "C" fn(*const Thread) -> Ret),
    Async(PollFn),
}

/// A loaded program.
pub struct Loaded {
    unit: Unit,
    entry: Entry,
}

impl Loaded {
    /// Compile and load a program whose main function is exported as `entry`.
    ///
    /// # Errors
    /// Those of [`Unit::load`]; [`Error::Invalid`] if there is no such main function.
    pub fn load(prepared: &Prepared, entry: &str) -> Result<Self, Error> {
        let module = prepared.module();
        let main = module.funcs.iter().find(|f| f.name == entry);
        if main.is_none_or(|f| f.params != 0) {
            let message = format!("it exports no function '{entry}' without parameters");
            return Err(Error::Invalid(message));
        }
        let mut symbols = super::symbols();
        for external in &module.externs {
            if let Some(address) = foreign::lookup(&external.name) {
                symbols.push((leak(&external.name), address.cast()));
            }
        }
        let unit = Unit::load(prepared, &symbols, Box::new(registry::Runtime))?;
        let code = unit
            .lookup(entry)
            .ok_or_else(|| Error::Invalid("no entry".to_owned()))?;
        // SAFETY: an exported function has one of these signatures, and the module says that this
        // one has no parameters and which it is.
        let entry = unsafe {
            match main.is_some_and(|f| f.is_async) {
                true => Entry::Async(std::mem::transmute::<*const u8, PollFn>(code)),
                false => Entry::Sync(std::mem::transmute::<
                    *const u8,
                    unsafe extern "C" fn(*const Thread) -> Ret,
                >(code)),
            }
        };
        Ok(Self { unit, entry })
    }

    /// Run the main function on the thread whose state is `th`, and an async one on so many
    /// workers.
    pub fn run(&self, th: &Thread, workers: usize) -> Ret {
        match self.entry {
            // SAFETY: the code was made from a verified module and stays loaded while `self` lives.
            Entry::Sync(entry) => unsafe { entry(th) },
            Entry::Async(poll) => program::run(th, poll, workers),
        }
    }

    /// Size of the code and time to make it, for `--verbose` and for benches.
    pub fn unit(&self) -> &Unit {
        &self.unit
    }
}

/// Names of foreign functions are few and needed until the process ends.
fn leak(name: &str) -> &'static str {
    name.to_owned().leak()
}
