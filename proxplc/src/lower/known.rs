//! Variables that were found to hold a number: the double is kept, and not looked for again.
//!
//! Invariants
//! 1. Only variables that nothing but their declaration assigns are remembered.
//! 2. What is remembered in code that may be skipped is forgotten behind it ([`FuncLower::maybe`]),
//!    so wherever something is known, the code that found it has run.

use std::collections::{HashMap, HashSet};

use asr_codegen::air::{LocalId, Operand};

use super::Val;
use super::func::FuncLower;
use crate::analysis::hir::Var;
use crate::analysis::infer::Ty;

/// What is known at a place of a function.
#[derive(Clone, Default)]
pub(super) struct Known {
    /// Locals of variables that are assigned by their declaration only.
    stable: HashSet<LocalId>,
    /// The double in the word of a local.
    doubles: HashMap<LocalId, LocalId>,
}

impl Known {
    /// A variable of the function lives in `local`.
    pub(super) fn variable(&mut self, local: LocalId, var: &Var) {
        if !var.assigned {
            self.stable.insert(local);
        }
    }

    /// The word in `op` is a number, and `double` holds it.
    pub(super) fn is_number(&mut self, op: Operand, double: LocalId) {
        if let Operand::Local(local) = op
            && self.stable.contains(&local)
        {
            self.doubles.insert(local, double);
        }
    }

    /// The declaration of the variable in `local` is executed.
    pub(super) fn declared(&mut self, local: LocalId) {
        self.doubles.remove(&local);
    }
}

impl FuncLower<'_, '_> {
    /// The value as a double, if it is known to be a number.
    pub(super) fn known(&self, val: Val) -> Val {
        match (val.ty, val.op) {
            (Ty::Value, Operand::Local(local)) => self
                .known
                .doubles
                .get(&local)
                .map_or(val, |double| Val::num(*double)),
            _ => val,
        }
    }

    /// Lower code that may be skipped.
    pub(super) fn maybe<R>(&mut self, code: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.known.doubles.clone();
        let result = code(self);
        self.known.doubles = before;
        result
    }
}
