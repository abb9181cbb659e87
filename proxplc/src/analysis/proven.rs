//! Variables that are numbers at a place of a function, because an operator that throws unless its
//! operands are numbers has run on them before.
//!
//! Invariants
//! 1. Only variables of the function that nothing but their declaration assigns are in the set, and
//!    the declaration stands before every use: what was proven stays true.
//! 2. What is proven in code that may be skipped is forgotten behind it.

use super::hir::{Program, VarId};
use crate::syntax::ast::BinaryOp;

/// More are not remembered, so that looking one up stays cheap.
const MAX: usize = 32;

/// The set, in the order of the proofs.
#[derive(Debug, Default)]
pub(super) struct Proven(Vec<VarId>);

impl Proven {
    /// The variable is a number from here on, if nothing can change it.
    pub(super) fn add(&mut self, program: &Program, var: VarId) {
        let data = program.var(var);
        let stable = !data.assigned && !data.global;
        if stable && self.0.len() < MAX && !self.contains(var) {
            self.0.push(var);
        }
    }

    /// Whether it is proven to be one.
    pub(super) fn contains(&self, var: VarId) -> bool {
        self.0.contains(&var)
    }

    /// How many are proven: what [`Proven::forget`] takes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Forgets all but the first.
    pub(super) fn forget(&mut self, len: usize) {
        self.0.truncate(len);
    }
}

/// Whether the operator throws unless both operands are numbers.
pub(super) fn proves(op: BinaryOp) -> bool {
    use BinaryOp::*;
    match op {
        Sub | Mul | Div | Rem | Pow | Lt | Le | Gt | Ge => true,
        Add | Eq | Ne | BitAnd | BitOr | BitXor | Shl | Shr => false,
    }
}
