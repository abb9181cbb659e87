//! List literals, and words handed over in memory.
//!
//! A run of constants is data of the module; other elements go through a slot of the activation, a
//! few at a time. So a literal of any length is quick to compile, and never needs a large frame.

use asr_codegen::air::{Operand, Type};

use super::func::FuncLower;
use super::{Val, rows, word};
use crate::analysis::hir::{Expr, ExprKind};
use crate::syntax::Span;
use crate::syntax::ast::UnaryOp;

/// Words that the shared slot holds.
const SLOT_WORDS: usize = 32;
/// Constants in a row that are worth a piece of data.
const RUN_MIN: usize = 4;

impl FuncLower<'_, '_> {
    pub(super) fn list(&mut self, items: &[Expr], span: Span) -> Val {
        self.set_span(span);
        let list = self.call_row(rows::LIST, &[Operand::Imm(items.len() as u64)]);
        let mut rest = items;
        while !rest.is_empty() && self.count() {
            let constants: Vec<u64> = rest.iter().map_while(constant).collect();
            let (address, count) = if constants.len() >= RUN_MIN {
                let bytes: Vec<u8> = constants.iter().flat_map(|w| w.to_le_bytes()).collect();
                let [address, _] = self.constant_bytes(&bytes);
                (address, constants.len())
            } else {
                let count = (1..rest.len().min(SLOT_WORDS))
                    .find(|at| {
                        rest[*at..]
                            .iter()
                            .map_while(constant)
                            .nth(RUN_MIN - 1)
                            .is_some()
                    })
                    .unwrap_or(rest.len().min(SLOT_WORDS));
                let vals = self.args(&rest[..count]);
                self.set_span(span);
                (self.in_memory(&vals), count)
            };
            let count_op = Operand::Imm(count as u64);
            self.b
                .intrinsic_into(None, rows::LIST_EXTEND, &[list, address, count_op]);
            rest = &rest[count..];
        }
        Val::value(list)
    }

    /// The address of the words of `vals`, until the next use of the slot.
    pub(super) fn in_memory(&mut self, vals: &[Val]) -> Operand {
        let words: Vec<Operand> = vals.iter().map(|val| self.word_of(*val)).collect();
        let slot = if words.len() <= SLOT_WORDS {
            self.shared_slot(SLOT_WORDS)
        } else {
            self.b.new_slot("args", (words.len() * 8) as u32, 8)
        };
        let address = self.b.slot_addr(slot);
        for (at, word) in words.into_iter().enumerate() {
            self.b.store(Type::Value, word, address, at as i32 * 8);
        }
        address.into()
    }
}

/// The word of a constant.
fn constant(expr: &Expr) -> Option<u64> {
    Some(match &expr.kind {
        ExprKind::Number(number) => number.to_bits(),
        ExprKind::Unary(UnaryOp::Neg, operand) => match operand.kind {
            ExprKind::Number(number) => (-number).to_bits(),
            _ => return None,
        },
        ExprKind::Bool(true) => word::TRUE,
        ExprKind::Bool(false) => word::FALSE,
        ExprKind::Null => word::NULL,
        _ => return None,
    })
}
