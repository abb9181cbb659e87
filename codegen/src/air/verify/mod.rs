//! The verifier: what AIR must satisfy before anything else looks at it.
//!
//! Invariants
//! 1. No module panics it, whatever its indices; time is linear in the module's size, and nothing
//!    recurses (rule ABI-33).
//! 2. What it accepts, the passes, the evaluator and the lowering accept.
//! 3. Every error names function, block and instruction (rule ABI-30), and says what to do.
//!
//! | check                                            | where           |
//! |--------------------------------------------------|-----------------|
//! | names, tables, signatures, handlers              | [`module`]      |
//! | blocks, slots, locations, who is reached         | [`function`]    |
//! | operands, results, calls, intrinsics (g)         | [`types`]       |
//! | conversions and which operator takes which type  | [`operators`]   |
//! | ends of blocks, edges                            | [`ends`]        |
//! | intents and masks, closed on every path (f, h)   | [`balance`]     |
//! | failures that leave a function (h)               | [`uncaught`]    |
//!
//! Letters a to c of rule ABI-30 are checked by the probe pass, d on the lowered code: AIR has no
//! operand that names the thread state, so no load of AIR can reach the flag word.
//!
//! A local that is read before it is assigned is zero: no error.

mod balance;
mod concurrent;
mod ends;
mod function;
mod module;
mod operators;
mod types;
mod uncaught;

use std::collections::HashMap;
use std::fmt;

use asr_intrinsics::{Row, Table};

use super::entity::*;
use super::loc::Loc;
use super::module::{Function, Module};
use super::span::Place;

/// No verification reports more errors than this.
pub const VERIFY_ERRORS_MAX: usize = 100;

/// A module that was verified, with the rows of the tables that it imports.
#[derive(Clone, Debug)]
pub struct Verified<'m> {
    module: &'m Module,
    rows: HashMap<&'static str, &'static Row>,
}

impl<'m> Verified<'m> {
    /// The module.
    pub fn module(&self) -> &'m Module {
        self.module
    }

    /// The row of an intrinsic that the module calls.
    pub fn row(&self, name: &str) -> Option<&'static Row> {
        self.rows.get(name).copied()
    }
}

/// What is wrong with a module, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyError {
    /// Label of the code, `V....`.
    pub code: &'static str,
    /// The part that it is about; [`super::Spans::of`] finds it in the text.
    pub place: Place,
    /// Its source location, if it has one.
    pub loc: Loc,
    /// Name of the function.
    pub func: Option<String>,
    /// Name of the block.
    pub block: Option<String>,
    /// A sentence without full stop.
    pub message: String,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(func) = &self.func {
            write!(f, "function `{func}`")?;
            if let Some(block) = &self.block {
                write!(f, ", block `{block}`")?;
            }
            if let Place::Inst(_, _, n) = self.place {
                write!(f, ", instruction {n}")?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for VerifyError {}

/// Verifies a module against the tables that there are.
///
/// # Errors
/// The first [`VERIFY_ERRORS_MAX`] errors, never none.
pub fn verify<'m>(module: &'m Module, tables: &[&Table]) -> Result<Verified<'m>, Vec<VerifyError>> {
    let mut checker = Checker {
        module,
        rows: HashMap::new(),
        errors: Vec::new(),
    };
    checker.module(tables);
    for n in 0..module.funcs.len() {
        if checker.is_full() {
            break;
        }
        checker.function(FuncId::new(n));
    }
    match checker.errors.is_empty() {
        true => Ok(Verified {
            module,
            rows: checker.rows,
        }),
        false => Err(checker.errors),
    }
}

/// The state of a verification.
struct Checker<'m> {
    module: &'m Module,
    rows: HashMap<&'static str, &'static Row>,
    errors: Vec<VerifyError>,
}

impl<'m> Checker<'m> {
    fn is_full(&self) -> bool {
        self.errors.len() >= VERIFY_ERRORS_MAX
    }

    fn error(&mut self, code: &'static str, place: Place, message: impl Into<String>) {
        if self.is_full() {
            return;
        }
        let func = place
            .func()
            .and_then(|id| self.module.funcs.get(id.index()));
        let block = match place {
            Place::Block(_, id) | Place::Inst(_, id, _) => {
                func.and_then(|func| func.blocks.get(id.index()))
            }
            _ => None,
        };
        let loc = match place {
            Place::Inst(_, _, n) => block.map(|block| match block.insts.get(n) {
                Some(inst) => inst.loc,
                None => block.term_loc,
            }),
            Place::Extern(id) => self.module.externs.get(id.index()).map(|ext| ext.loc),
            Place::Handler(n) => self.module.handlers.get(n).map(|handler| handler.loc),
            _ => None,
        };
        self.errors.push(VerifyError {
            code,
            place,
            loc: loc.or(func.map(|func| func.loc)).unwrap_or_default(),
            func: func.map(|func| func.name.clone()),
            block: block.map(|block| block.name.clone()),
            message: message.into(),
        });
    }
}

/// One function under verification: where the errors are, and its parts.
#[derive(Clone, Copy)]
struct Here<'m> {
    id: FuncId,
    func: &'m Function,
    block: BlockId,
    inst: usize,
}

impl Here<'_> {
    fn place(&self) -> Place {
        Place::Inst(self.id, self.block, self.inst)
    }
}
