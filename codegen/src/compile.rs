//! From a verified module to one that is ready to be lowered.

use std::collections::HashMap;

use asr_intrinsics::{Effect, Handle, Row, Table, Ty};

use crate::air::Module;
use crate::pass;
use crate::{Error, Options, ProbeMode};

/// The intrinsics that a module may call, by name.
#[derive(Clone, Debug, Default)]
pub struct Rows(HashMap<&'static str, &'static Row>);

impl Rows {
    /// The rows of the tables that the module imports.
    ///
    /// # Errors
    /// [`Error::UnknownTable`].
    pub fn imported(module: &Module, tables: &[&Table]) -> Result<Rows, Error> {
        let mut rows = Rows::default();
        for name in &module.tables {
            let table = tables
                .iter()
                .find(|table| table.name == name)
                .ok_or_else(|| Error::UnknownTable(name.clone()))?;
            rows.add(table);
        }
        Ok(rows)
    }

    /// Adds the rows of a table.
    pub(crate) fn add(&mut self, table: &Table) {
        self.0.extend(table.rows.iter().map(|row| (row.name, row)));
    }

    /// The row without parameters that has this effect; the first by name.
    pub(crate) fn closer(&self, effect: Effect) -> Option<&'static Row> {
        let rows = self.0.values().copied();
        let rows = rows.filter(|row| row.has(effect) && row.params.is_empty());
        rows.min_by_key(|row| row.name)
    }

    /// The row that gives up a handle of this kind; the first by name.
    pub(crate) fn giver(&self, handle: Handle) -> Option<&'static Row> {
        let takes = |row: &Row| matches!(row.params, [param] if param.ty == Ty::Own(handle));
        let rows = self.0.values().copied();
        let rows = rows.filter(|row| row.has(Effect::GivesUp) && takes(row));
        rows.min_by_key(|row| row.name)
    }

    /// The row of this name.
    pub fn get(&self, name: &str) -> Option<&'static Row> {
        self.0.get(name).copied()
    }
}

/// A module after the probe pass, with what its lowering needs.
#[derive(Clone, Debug)]
pub struct Prepared {
    module: Module,
    rows: Rows,
    options: Options,
    responses: Vec<pass::Response>,
}

impl Prepared {
    /// How soon each function answers a cancel, by number (rule ABI-32).
    pub fn responses(&self) -> &[pass::Response] {
        &self.responses
    }

    /// The module as it is lowered and as the evaluator runs it.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// The rows of the imported tables.
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The choices.
    pub fn options(&self) -> &Options {
        &self.options
    }
}

/// Adds the cleanup of failures and the probes, and checks both. The module must be one that the
/// verifier accepts.
///
/// # Errors
/// [`Error::UnknownTable`], [`Error::UnknownIntrinsic`]; [`Error::Probes`] and
/// [`Error::Unwinding`] only by a defect of the passes.
pub fn prepare(module: &Module, tables: &[&Table], options: &Options) -> Result<Prepared, Error> {
    let rows = Rows::imported(module, tables)?;
    let module = match options.probes {
        ProbeMode::AsIs => module.clone(),
        mode => {
            let unwound = pass::unwind(module, &rows);
            let placed = pass::place_probes(&unwound, &rows, mode)?;
            let mut bare = pass::check_edges(&placed, &rows);
            bare.retain(|error| !(options.allow_leaks && error.is_leak()));
            if !bare.is_empty() {
                return Err(Error::Unwinding(bare));
            }
            if mode != ProbeMode::Off {
                let mut violations = pass::check_probes(&placed, &rows, mode);
                violations.extend(pass::check_borrows(&placed, &rows));
                if !violations.is_empty() {
                    return Err(Error::Probes(violations));
                }
            }
            placed
        }
    };
    let responses = pass::responses(&module, &rows);
    Ok(Prepared {
        module,
        rows,
        responses,
        options: *options,
    })
}
