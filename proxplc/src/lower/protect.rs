//! Protected blocks.
//!
//! The calls inside carry an edge to the block that handles the failure; nothing happens at run
//! time when a protected block is entered or left (rule ABI-22). Variables live in locals, so that
//! what was assigned before the failure stays assigned. CANCELLED never takes the edge.

use asr_codegen::air::{BinOp, CmpOp, ConvOp, Edge, Operand, Type};

use super::func::FuncLower;
use super::{Val, rows};
use crate::analysis::hir::Resilient;

impl FuncLower<'_, '_> {
    pub(super) fn resilient(&mut self, parts: &Resilient) {
        let left = parts.retries.as_ref().map(|retries| {
            let val = self.expr(retries);
            let number = self.double_of(val);
            self.b
                .convert(ConvOp::FToSSat, Type::F64, Type::I64, number)
        });
        let exception = self.b.new_local(Type::Value, "exception");
        let body = self.b.new_block("protected");
        let failed = self.cold_block("failed");
        let end = self.b.new_block("recovered");
        self.b.jump(body);

        self.b.switch_to_block(body);
        let edge = Edge {
            recover: Some((failed, Some(exception))),
            cleanup: self.b.edge().cleanup,
        };
        let outer = self.b.set_edge(edge);
        self.maybe(|this| this.stmts(&parts.body));
        self.b.set_edge(outer);
        self.b.jump(end);

        self.b.switch_to_block(failed);
        if let Some(left) = left {
            let (again, enough) = (self.cold_block("again"), self.cold_block("enough"));
            let some = self.b.cmp(CmpOp::Sgt, Type::I64, left, Operand::Imm(0));
            self.b.branch(some, again, enough);
            self.b.switch_to_block(again);
            self.b.binary_into(left, BinOp::Sub, left, Operand::Imm(1));
            self.b
                .intrinsic_into(None, rows::RECOVERED, &[exception.into()]);
            self.b.jump(body);
            self.b.switch_to_block(enough);
        }
        match &parts.recovery {
            Some((bound, recovery)) => {
                if let Some(var) = bound {
                    let value = self.call_row(rows::EXCEPTION, &[exception.into()]);
                    self.declare_as(*var, Val::value(value));
                }
                self.b
                    .intrinsic_into(None, rows::RECOVERED, &[exception.into()]);
                self.maybe(|this| this.stmts(recovery));
            }
            None => self
                .b
                .intrinsic_into(None, rows::RECOVERED, &[exception.into()]),
        }
        self.b.jump(end);
        self.b.switch_to_block(end);
    }
}
