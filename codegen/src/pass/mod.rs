//! Passes over AIR: AIR in, AIR out.

use std::fmt;

use crate::air::Module;
use crate::{Error, ProbeMode, Rows};

/// A place that rule ABI-30 (a to c) rejects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What is wrong, with function and block.
    pub text: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Places the probes of a mode.
pub fn place_probes(module: &Module, _rows: &Rows, _mode: ProbeMode) -> Result<Module, Error> {
    Ok(module.clone())
}

/// Checks the probes of a module.
pub fn check_probes(_module: &Module, _rows: &Rows, _mode: ProbeMode) -> Vec<Violation> {
    Vec::new()
}
