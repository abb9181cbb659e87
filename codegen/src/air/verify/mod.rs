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
//! | handles and blocks, on every path (f, h, m)      | [`held`]        |
//! | failures that leave a function (h)               | [`uncaught`]    |
//! | addresses of stack slots (i)                     | [`addresses`]   |
//!
//! Letters a to c and k of rule ABI-30 are checked behind the probe pass; d on the lowered code,
//! since AIR has no operand that names the thread state: no load of AIR can reach the flag word,
//! and nothing of AIR can keep the thread state across a suspension (e). Handlers are part of the
//! module and registered before anything of it runs, so none comes after an allocation (l).
//!
//! A local that is read before it is assigned is zero: no error.

mod addresses;
mod concurrent;
mod ends;
mod function;
mod held;
mod module;
mod operators;
mod types;
mod uncaught;

use std::fmt;

use asr_intrinsics::{Row, Table};

use crate::Rows;

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
    rows: Rows,
    warnings: Vec<VerifyError>,
}

impl<'m> Verified<'m> {
    /// The module.
    pub fn module(&self) -> &'m Module {
        self.module
    }

    /// The row of an intrinsic that the module calls.
    pub fn row(&self, name: &str) -> Option<&'static Row> {
        self.rows.get(name)
    }

    /// What [`verify_with`] was told to let pass.
    pub fn warnings(&self) -> &[VerifyError] {
        &self.warnings
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
    /// The way that leads there, in the order of control.
    pub notes: Vec<Note>,
}

/// A place on the way that leads to an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The part that it is about.
    pub place: Place,
    /// Its source location, if it has one.
    pub loc: Loc,
    /// What happens there.
    pub message: String,
}

impl VerifyError {
    /// An error about a place of a module.
    pub(crate) fn new(
        module: &Module,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
    ) -> VerifyError {
        let func = place.func().and_then(|id| module.funcs.get(id.index()));
        let block = match place {
            Place::Block(_, id) | Place::Inst(_, id, _) => {
                func.and_then(|func| func.blocks.get(id.index()))
            }
            _ => None,
        };
        VerifyError {
            code,
            place,
            loc: loc_of(module, place),
            func: func.map(|func| func.name.clone()),
            block: block.map(|block| block.name.clone()),
            message: message.into(),
            notes: Vec::new(),
        }
    }

    /// The same with the way that leads there.
    pub(crate) fn with_notes(mut self, module: &Module, notes: Vec<(Place, String)>) -> Self {
        let note = |(place, message)| Note {
            place,
            loc: loc_of(module, place),
            message,
        };
        self.notes = notes.into_iter().map(note).collect();
        self
    }

    /// Whether it is a path that leaks a handle: what [`Severity`] decides.
    pub fn is_leak(&self) -> bool {
        [super::code::HANDLE_DROPPED, super::code::HANDLE_MAYBE].contains(&self.code)
    }
}

/// Where a place comes from; its function's location when it has none of its own.
fn loc_of(module: &Module, place: Place) -> Loc {
    let func = place.func().and_then(|id| module.funcs.get(id.index()));
    let loc = match place {
        Place::Inst(_, block, n) => {
            let block = func.and_then(|func| func.blocks.get(block.index()));
            block.map(|block| block.insts.get(n).map_or(block.term_loc, |inst| inst.loc))
        }
        Place::Extern(id) => module.externs.get(id.index()).map(|ext| ext.loc),
        Place::Handler(n) => module.handlers.get(n).map(|handler| handler.loc),
        _ => None,
    };
    loc.or(func.map(|func| func.loc)).unwrap_or_default()
}

/// What the caller makes of reports that may be either.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Severity {
    /// Whether a path that leaks a handle is only a warning (rule ABI-31).
    pub allow_leaks: bool,
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
    verify_with(module, tables, Severity::default())
}

/// The same with the severities that the caller chooses.
///
/// # Errors
/// The first [`VERIFY_ERRORS_MAX`] errors, never none, with the warnings among them.
pub fn verify_with<'m>(
    module: &'m Module,
    tables: &[&Table],
    severity: Severity,
) -> Result<Verified<'m>, Vec<VerifyError>> {
    let mut checker = Checker {
        module,
        rows: Rows::default(),
        errors: Vec::new(),
    };
    checker.module(tables);
    for n in 0..module.funcs.len() {
        if checker.is_full() {
            break;
        }
        checker.function(FuncId::new(n));
    }
    let Checker { rows, errors, .. } = checker;
    let passes = |error: &VerifyError| severity.allow_leaks && error.is_leak();
    match errors.len() < VERIFY_ERRORS_MAX && errors.iter().all(passes) || errors.is_empty() {
        true => Ok(Verified {
            module,
            rows,
            warnings: errors,
        }),
        false => Err(errors),
    }
}

/// The state of a verification.
struct Checker<'m> {
    module: &'m Module,
    rows: Rows,
    errors: Vec<VerifyError>,
}

impl Checker<'_> {
    fn is_full(&self) -> bool {
        self.errors.len() >= VERIFY_ERRORS_MAX
    }

    fn error(&mut self, code: &'static str, place: Place, message: impl Into<String>) {
        if !self.is_full() {
            let error = VerifyError::new(self.module, code, place, message);
            self.errors.push(error);
        }
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
