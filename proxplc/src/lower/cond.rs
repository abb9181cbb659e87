//! Conditions: branching without making a truth value where none is needed.

use asr_codegen::air::BlockId;

use super::func::FuncLower;
use crate::analysis::hir::{Expr, ExprKind};
use crate::syntax::ast::{Logic, UnaryOp};

impl FuncLower<'_, '_> {
    /// Go to `then` if `cond` is true, else to `other`.
    pub(super) fn branch(&mut self, cond: &Expr, then: BlockId, other: BlockId) {
        match &cond.kind {
            ExprKind::Unary(UnaryOp::Not, operand) => self.branch(operand, other, then),
            ExprKind::Logic(op, terms) => {
                let Some((last, first)) = terms.split_last() else {
                    return;
                };
                for term in first {
                    let next = self.b.new_block("and");
                    match op {
                        Logic::And => self.branch(term, next, other),
                        Logic::Or => self.branch(term, then, next),
                    }
                    self.b.switch_to_block(next);
                }
                self.branch(last, then, other);
            }
            _ => {
                let val = self.expr(cond);
                let truth = self.truth(val);
                self.b.branch(truth, then, other);
            }
        }
    }
}
