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
                self.maybe(|this| {
                    for term in first {
                        let next = this.b.new_block("and");
                        match op {
                            Logic::And => this.branch(term, next, other),
                            Logic::Or => this.branch(term, then, next),
                        }
                        this.b.switch_to_block(next);
                    }
                    this.branch(last, then, other);
                });
            }
            _ => {
                let val = self.expr(cond);
                let truth = self.truth(val);
                self.b.branch(truth, then, other);
            }
        }
    }
}
