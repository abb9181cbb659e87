//! One call of a filetest, independent of the engine that makes it, and how it ended.

use asr_codegen::air::{Module, Type};

use super::literal;
use crate::filetest::{Armed, Expectation, Run};

/// Status `OK` of VAL-33.
const OK: u64 = 0;
/// Status `THREW` of VAL-33.
const THREW: u64 = 2;

/// A call with its arguments as bits.
#[derive(Clone, Debug)]
pub struct Call {
    /// Exported function, without `@`.
    pub func: String,
    /// Whether probes take the cold path.
    pub armed: Armed,
    /// Types and bits of the arguments.
    pub args: Vec<(Type, u64)>,
    /// Type of the result, if any.
    pub ret: Option<Type>,
    /// Whether the function is asynchronous: then a task runs it.
    pub is_async: bool,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// First register.
    pub value: u64,
    /// Second register.
    pub status: u64,
    /// Probes that took the cold path.
    pub probes: u64,
    /// Code of the last fault, or 0.
    pub fault: u32,
    /// Bytes of frames that nobody freed.
    pub live: u64,
    /// Polls that were PENDING; how many depends on the executor.
    pub suspensions: u64,
    /// What else the host saw, as a hash; 0 where the host is C.
    pub seen: u64,
}

impl Call {
    /// The call that `run` asks for, typed by the function of `module`.
    ///
    /// # Errors
    /// No such function, or arguments that do not fit its parameters.
    pub fn new(run: &Run, module: &Module) -> Result<Call, String> {
        let func = module.funcs.iter().find(|func| func.name == run.func);
        let func = func.ok_or_else(|| format!("no function @{}", run.func))?;
        let signature = func.signature();
        if signature.params.len() != run.args.len() {
            return Err(format!(
                "@{} takes {} arguments",
                run.func,
                signature.params.len()
            ));
        }
        let arg = |(&ty, text): (&Type, &String)| match literal::parse(ty, text) {
            Some(bits) => Ok((ty, bits)),
            None => Err(format!("`{text}` is not of type {ty}")),
        };
        let args = signature
            .params
            .iter()
            .zip(&run.args)
            .map(arg)
            .collect::<Result<_, _>>()?;
        Ok(Call {
            func: run.func.clone(),
            armed: run.armed,
            args,
            ret: signature.ret,
            is_async: func.is_async,
        })
    }

    /// The arguments by kind of register: up to five integers after `th`, up to eight floats.
    ///
    /// What lies above a narrow integer is filled with a pattern: no callee may read it.
    ///
    /// # Errors
    /// More arguments than registers.
    pub fn registers(&self) -> Result<([u64; 5], [u64; 8]), String> {
        let (mut ints, mut floats) = ([0; 5], [0; 8]);
        if self.is_async {
            // A frame has one canonical word per parameter.
            let room = ints.get_mut(..self.args.len());
            let room = room.ok_or("more arguments than words")?;
            for (word, (ty, bits)) in room.iter_mut().zip(&self.args) {
                *word = ty.canonical(*bits);
            }
            return Ok((ints, floats));
        }
        let (mut int_count, mut float_count) = (0, 0);
        for &(ty, bits) in &self.args {
            let (registers, count): (&mut [u64], _) = match ty.is_float() {
                true => (&mut floats, &mut float_count),
                false => (&mut ints, &mut int_count),
            };
            let register = registers
                .get_mut(*count)
                .ok_or("more arguments than registers")?;
            *register = bits | (0xdead_beef_dead_beef & !literal::low(ty, u64::MAX));
            *count += 1;
        }
        Ok((ints, floats))
    }

    /// Whether `outcome` is what `run` expects.
    ///
    /// # Errors
    /// How it ended instead, as a `; run:` line would say it.
    pub fn judge(&self, run: &Run, outcome: &Outcome) -> Result<(), String> {
        let ended = match (&run.expected, self.ret) {
            (Expectation::Value(text), None) => outcome.status == OK && text == "ok",
            (Expectation::Value(text), Some(ty)) => {
                let Some(bits) = literal::parse(ty, text) else {
                    return Err(format!("`{text}` is not of type {ty}"));
                };
                outcome.status == OK && literal::same(ty, bits, outcome.value)
            }
            (Expectation::Threw(code), _) => {
                outcome.status == THREW && code.is_none_or(|code| code == outcome.fault)
            }
            (Expectation::Status(status), _) => outcome.status == *status,
        };
        if outcome.live != 0 {
            return Err(format!("left {} bytes of frames", outcome.live));
        }
        let probed = run.probes.is_none_or(|probes| probes == outcome.probes);
        if ended && probed {
            Ok(())
        } else {
            Err(self.show(run, outcome))
        }
    }

    /// The end of a `; run:` line that `outcome` would satisfy.
    pub fn show(&self, run: &Run, outcome: &Outcome) -> String {
        let ended = match (outcome.status, self.ret) {
            (OK, None) => "== ok".to_owned(),
            (OK, Some(ty)) => format!("== {}", literal::show(ty, outcome.value)),
            (THREW, _) if outcome.fault != 0 => format!("threw {:#010x}", outcome.fault),
            (THREW, _) => "threw".to_owned(),
            (status, _) => format!("status {status}"),
        };
        match run.probes {
            Some(_) => format!("{ended}, {} probes", outcome.probes),
            None => ended,
        }
    }
}
